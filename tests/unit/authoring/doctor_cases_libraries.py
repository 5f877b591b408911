"""The doctor's rules for the styles that are libraries: NOS, NeMo Curator and Infosys' IMIL."""

from __future__ import annotations

from tests.unit.authoring.doctor_case import Case, Files, code

CONFIG = (
    '{"ModelExecutor": {"model_name": "AModelLoader", "model_loader_file": "model"},\n'
    ' "ModelLoader": {"class_name": "AModelLoader"},\n "AModelLoader": {"path": ["w"]}}\n'
)
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
ISVC = """spec:
  predictor:
    containers:
      - name: kserve-container
        resources:
          limits: {cpu: "1"%s}
"""
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
THREE, NONE = (f"    @property\n    def num_gpus(self):\n        return {number}\n" for number in (2.5, 0.0))


def gpus(number: int, more: str = "") -> Files:
    return {**code(CURATOR + more), "isvc.yaml": ISVC % f', nvidia.com/gpu: "{number}"'}


CURATOR_CASES = [
    Case("curator-guard", OTHER_ENV, code(CURATOR), line=4, fixed=True),
    Case("curator-weights", curator_without("{NAME: None}", '{"other": None}'), code(CURATOR), line=15),
    Case("curator-abstract", curator_without("def setup", "def prepare"), code(CURATOR), line=6),
    Case("curator-not-property", METHOD, code(CURATOR), line=17, fixed=True),
    Case("curator-constructor", curator_without("self.model = None", f"self.model = {LOCAL}"), code(CURATOR), line=8),
    Case("curator-hub", curator_without(LOCAL, "NAME"), code(CURATOR), line=10),
    Case("curator-gpus", {**code(CURATOR), "isvc.yaml": ISVC % ""}, gpus(1), file="isvc.yaml", line=6),
    Case("curator-gpus", {**code(CURATOR + THREE), "isvc.yaml": ISVC % ""}, gpus(3, THREE), file="isvc.yaml", line=6),
    Case("curator-gpus", gpus(2, THREE), code(CURATOR + NONE) | {"isvc.yaml": ISVC % ""}, file="isvc.yaml", line=6),
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
