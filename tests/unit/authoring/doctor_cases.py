"""For each of the doctor's rules a folder that it finds something in, and the same folder as it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

Files = dict[str, str]


@dataclass
class Case:
    """`bad` has the trap at `line` of `file`, `good` has not; `fixed` says that --fix makes the one of the other."""

    code: str
    bad: Files
    good: Files
    file: str = "model.py"
    line: int = 1
    fixed: bool = False
    style: str | None = None
    link: bool = field(default=False)


def code(text: str) -> Files:
    return {"model.py": dedent(text).lstrip("\n")}


NUMPY = {"model.py": "import numpy as np\nX = np.zeros(1)\n"}
KSERVE = "from kserve import Model, ModelServer\n"
CONFIG = (
    '{"ModelExecutor": {"model_name": "AModelLoader", "model_loader_file": "model"},\n'
    ' "ModelLoader": {"class_name": "AModelLoader"},\n "AModelLoader": {"path": ["w"]}}\n'
)
GENERAL = [
    Case("syntax", {"model.py": "x = 1\ndef f(:\n"}, {"model.py": "x = 1\n"}, line=2),
    Case(
        "undefined-name",
        code("""
        import json

        def predict(rows):
            return np.asarray(rows), json
        """),
        code("""
        import json
        import numpy as np

        def predict(rows):
            return np.asarray(rows), json
        """),
        line=4,
        fixed=True,
    ),
    Case(
        "blocking-in-async",
        code("""
        import time
        async def predict(x):
            time.sleep(1)
        """),
        code("""
        import time
        def predict(x):
            time.sleep(1)
        """),
        line=3,
    ),
    Case(
        "unsafe-load",
        {**code("import torch\nw = torch.load('w.pt')\n"), "requirements.txt": "torch==2.0\n"},
        {**code("import torch\nw = torch.load('w.pt', weights_only=True)\n"), "requirements.txt": "torch==2.0\n"},
        line=2,
    ),
    Case("requirements-missing", NUMPY, {**NUMPY, "requirements.txt": "numpy==2.4.6\n"}, file="requirements.txt"),
    Case(
        "requirements-unpinned",
        {**NUMPY, "requirements.txt": "# ours\nnumpy>=2\n"},
        {**NUMPY, "requirements.txt": "# ours\nnumpy==2.4.6  # ours\n"},
        file="requirements.txt",
        line=2,
    ),
    Case(
        "requirements-lack",
        {"model.py": "import sklearn\nsklearn\n", "requirements.txt": "numpy==2.4.6\n"},
        {"model.py": "try:\n    import sklearn\nexcept ImportError:\n    pass\n", "requirements.txt": ""},
    ),
    Case(
        "requirements-indirect",
        {**NUMPY, "requirements.txt": "scikit-learn==1.8.0\n"},
        {**NUMPY, "requirements.txt": "scikit-learn==1.8.0\nnumpy==2.4.6\n"},
    ),
    Case(
        "procfile-no-web",
        {"Procfile": "worker: python -m model\n", "model.py": ""},
        {"Procfile": "# it\nweb: python -m model\n", "model.py": ""},
        file="Procfile",
    ),
    Case(
        "procfile-module",
        {"Procfile": "web: python -m modle\n", "model.py": ""},
        {"Procfile": "web: python -m model\n", "model.py": ""},
        file="Procfile",
    ),
    Case(
        "runtime-txt",
        {"runtime.txt": "python-3.8.10\n", "model.py": ""},
        {"runtime.txt": "python-3.11.x\n", "model.py": ""},
        file="runtime.txt",
    ),
    Case(
        "weights-in-folder",
        {"model.py": "", "w.safetensors": "0" * 11_000_000},
        {"model.py": "", "w.npz": "small"},
        file="w.safetensors",
    ),
    Case("escaping-link", {"model.py": ""}, {"model.py": ""}, file="weights", link=True),
]
TRANSFORMER = KSERVE + "class T(Model):\n    def __init__(self, name, host):\n"
KSERVE_CASES = [
    Case(
        "kserve-not-ready",
        code(f"""
        {KSERVE}
        class M(Model):
            def __init__(self, name):
                super().__init__(name)
                self.ready = False
            def load(self):
                self.w = 1
                return True
        """),
        code(f"""
        {KSERVE}
        class M(Model):
            def __init__(self, name):
                super().__init__(name)
                self.ready = False
            def load(self):
                self.w = 1
                self.ready = True
                return True
        """),
        line=7,
        fixed=True,
    ),
    Case(
        "kserve-start-dict",
        code(KSERVE + "class M(Model): ...\nModelServer().start({'m': M})\n"),
        code(KSERVE + "class M(Model): ...\nModelServer().start([M('m')])\n"),
        line=3,
    ),
    Case(
        "kserve-predictor-host",
        code(TRANSFORMER + "        self.predictor_host = host\n"),
        code(TRANSFORMER + "        super().__init__(name)\n"),
        line=4,
    ),
    Case(
        "kserve-predictor-config",
        code(TRANSFORMER + "        super().__init__(name, predictor_config=host)\n"),
        code(TRANSFORMER + "        super().__init__(name)\n"),
        line=4,
    ),
    Case(
        "kserve-removed-name",
        code("import kserve\nfrom kserve.storage import Storage\nStorage.download('s3://b')\n"),
        {
            **code("import kserve\nfrom kserve_storage import Storage\nStorage.download('s3://b')\n"),
            "requirements.txt": "kserve-storage==0.16.0\n",
        },
        line=2,
        fixed=True,
    ),
    Case(
        "kserve-no-entry",
        {**code(KSERVE + "class M(Model): ...\n"), "Procfile": "web: python -m model\n"},
        {
            **code(KSERVE + "class M(Model): ...\nif __name__ == '__main__':\n    ModelServer().start([M('m')])\n"),
            "Procfile": "web: python -m model\n",
        },
    ),
]
ML = "from mlserver import MLModel\nfrom mlserver.codecs import decode_args\n"
DECODED = ML + "class M(MLModel):\n    @decode_args\n"
PLAIN = "import mlserver\nclass M(mlserver.MLModel):\n"
STREAMS = code(PLAIN + "    async def predict_stream(self, them):\n        yield 1\n")
OFF = '{"gzip_enabled": false, "parallel_workers": 0}'
TARBALL = '{"parameters": {"environment_tarball": "./env.tar.gz"}}'
MLSERVER_CASES = [
    Case(
        "mlserver-hint",
        code(
            ML
            + """
        class M(MLModel):
            @decode_args
            async def predict(self, words: list[str], more: list[bytes] | None = None) -> list[str]:
                return words
        """.replace("\n        ", "\n").lstrip("\n")
        ),
        code("""
        from mlserver import MLModel
        from mlserver.codecs import decode_args
        from typing import List
        from typing import Optional
        class M(MLModel):
            @decode_args
            async def predict(self, words: List[str], more: Optional[List[bytes]] = None) -> List[str]:
                return words
        """),
        line=5,
        fixed=True,
    ),
    Case(
        "mlserver-no-hint",
        code(DECODED + "    async def predict(self, x) -> str:\n        return x\n"),
        code(DECODED + "    async def predict(self, x: str) -> str:\n        return x\n"),
        line=5,
    ),
    Case(
        "mlserver-not-async",
        code(DECODED + "    def predict(self, x: str) -> str:\n        return x\n"),
        code(DECODED + "    async def predict(self, x: str) -> str:\n        return x\n"),
        line=5,
        fixed=True,
    ),
    Case(
        "mlserver-load-returns",
        code(PLAIN + "    async def load(self):\n        self.w = 1\n"),
        code(PLAIN + "    async def load(self):\n        self.w = 1\n        return True\n"),
        line=3,
        fixed=True,
    ),
    Case("mlserver-stream-settings", STREAMS, {**STREAMS, "settings.json": OFF}, line=3),
    Case(
        "mlserver-attribute",
        code(PLAIN + "    async def predict(self, payload):\n        return payload.parametes.headers\n"),
        code(PLAIN + "    async def predict(self, payload):\n        return payload.parameters.headers\n"),
        line=4,
        fixed=True,
    ),
    Case(
        "mlserver-settings-json",
        {"model-settings.json": "{'name': 'm'}"},
        {"model-settings.json": "{}"},
        file="model-settings.json",
    ),
    Case(
        "mlserver-model-key",
        {"sum/model-settings.json": '{\n  "model": "sum-model"\n}\n'},
        {"sum/model-settings.json": '{\n  "name": "sum-model"\n}\n'},
        file="sum/model-settings.json",
        line=2,
        fixed=True,
    ),
    Case(
        "mlserver-implementation",
        {"model-settings.json": '{"implementation": "models.Sums"}', "models.py": "class Sum: ...\n"},
        {"model-settings.json": '{"implementation": "models.Sums"}', "models.py": "class Sums: ...\n"},
        file="model-settings.json",
    ),
    Case(
        "mlserver-environment",
        {"model-settings.json": TARBALL},
        {"model-settings.json": TARBALL, "env.tar.gz": ""},
        file="model-settings.json",
    ),
    Case(
        "mlserver-environment-workers",
        {"model-settings.json": TARBALL, "settings.json": '{"parallel_workers": 0}'},
        {"model-settings.json": TARBALL, "settings.json": '{"parallel_workers": 1}'},
        file="settings.json",
    ),
]
NOS = """from nos.common import ModelSpec
from nos.managers import ModelHandle, ModelManager
class CLIP:
    def encode(self, images, scale=1):
        return images
manager = ModelManager()
handle: ModelHandle = manager.load(ModelSpec.from_cls(CLIP))
"""


def nos(line: str) -> Files:
    return code(NOS + line + "\n")


NOS_CASES = [
    Case("nos-positional", nos("handle.encode([1], 2)"), nos("handle.encode(images=[1], scale=2)"), line=8, fixed=True),
    Case("nos-positional", nos("handle.encode.submit(x)"), nos("handle.encode.submit(images=x)"), line=8, fixed=True),
    Case("nos-manager-import", code("from nos.manager import A\n"), code("from nos.managers import A\n"), fixed=True),
    Case("nos-scale-keyword", nos("handle.scale(replicas=4)"), nos("handle.scale(4)"), line=8, fixed=True),
    Case("nos-scale-auto", nos("handle.scale('auto')"), nos("handle.scale(2)"), line=8),
    Case(
        "nos-drain",
        nos("while not handle.results.ready():\n    handle.results.get_next()"),
        nos("while handle.results.has_next():\n    handle.results.get_next()"),
        line=8,
        fixed=True,
    ),
    Case("nos-reserved-method", code(NOS.replace("encode", "submit")), code(NOS), line=4),
]
CURATOR = """from nemo_curator.video.models import model_utils
from nemo_curator.video.utils import conda_utils
NAME = "nvidia/C-RADIO"
if conda_utils.is_running_in_env("video_splitting"):
    from transformers import AutoModel
class CRadio(model_utils.ModelInterface):
    def __init__(self):
        self.model = None
    def setup(self):
        self.model = AutoModel.from_pretrained(model_utils.get_local_dir_for_weights_name(NAME))
    @property
    def weights_names(self):
        return [NAME]
    @property
    def id_file_mapping(self):
        return {NAME: None}
    @property
    def conda_env_name(self):
        return "video_splitting"
"""


def curator_without(old: str, new: str) -> Files:
    assert old in CURATOR
    return code(CURATOR.replace(old, new))


LOCAL = "model_utils.get_local_dir_for_weights_name(NAME)"
OTHER_ENV = curator_without('env("video_splitting")', 'env("my_env")')
METHOD = curator_without("    @property\n    def conda", "    def conda")
CURATOR_CASES = [
    Case("curator-guard", OTHER_ENV, code(CURATOR), line=4, fixed=True),
    Case("curator-weights", curator_without("{NAME: None}", '{"other": None}'), code(CURATOR), line=15),
    Case("curator-abstract", curator_without("def setup", "def prepare"), code(CURATOR), line=6),
    Case("curator-not-property", METHOD, code(CURATOR), line=17, fixed=True),
    Case("curator-constructor", curator_without("self.model = None", f"self.model = {LOCAL}"), code(CURATOR), line=8),
    Case("curator-hub", curator_without(LOCAL, "NAME"), code(CURATOR), line=10),
]
LOADER = """from modelloader.base_model_loader import BaseModelLoader
class AModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        super().__init__(config, model_name)
        self.model_obj = config[model_name]["path"]
"""
DRIVER = (
    LOADER
    + """    def predict_request(self, req_data):
        return {**super().predict_request(req_data), "Fs": req_data["Base_64"]}
"""
)
CALLED = (
    LOADER
    + """    def preprocessing(self, image):
        return image
    def predict(self, image, threshold):
        return self.preprocessing(image)
"""
)


def loader(text: str = LOADER, config: str = CONFIG) -> Files:
    return {**code(text), "mil_config.json": config}


def loader_without(old: str, new: str, text: str = LOADER) -> Files:
    assert old in text
    return loader(text.replace(old, new))


def config_without(old: str, new: str) -> Files:
    assert old in CONFIG
    return loader(config=CONFIG.replace(old, new))


FIELDS = '{**super().predict_request(req_data), "Fs": req_data["Base_64"]}'
NO_SECTION = config_without('"AModelLoader": {"path"', '"Another": {"path"')
NO_FILE = config_without('"model_loader_file": "model"', '"model_loader_file": "loaders"')
INFOSYS_CASES = [
    Case("imil-suffix", loader(LOADER.replace("AModelLoader", "ALoader"), "{}"), loader(config="{}"), line=2),
    Case("imil-no-config", code(LOADER), loader(), line=5),
    Case("imil-section", NO_SECTION, loader(), file="mil_config.json"),
    Case("imil-loader-file", NO_FILE, loader(), file="mil_config.json"),
    Case("imil-constructor", loader_without("config, model_name):", "config):"), loader(), line=3),
    Case("imil-model-obj", loader_without("model_obj", "model"), loader(), line=2),
    Case("imil-never-called", loader_without("self.preprocessing(image)", "image", CALLED), loader(CALLED), line=6),
    Case("imil-request-keys", loader_without('["Base_64"]', '["Image"]', DRIVER), loader(DRIVER), line=7),
    Case("imil-answer-keys", loader_without(FIELDS, '{"Fs": 1}', DRIVER), loader(DRIVER), line=7),
]
STYLED = {
    "kserve": KSERVE_CASES,
    "mlserver": MLSERVER_CASES,
    "nos": NOS_CASES,
    "nemo_curator": CURATOR_CASES,
    "infosys": INFOSYS_CASES,
}
CASES = [*GENERAL, *(case for cases in STYLED.values() for case in cases)]
