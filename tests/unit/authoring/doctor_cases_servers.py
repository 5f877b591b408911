"""The doctor's rules for the styles that are servers: KServe and MLServer."""

from __future__ import annotations

from tests.unit.authoring.doctor_case import Case, code

KSERVE = "from kserve import Model, ModelServer\n"
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
        "kserve-holds-up",
        code("import time\n" + KSERVE + "class M(Model):\n    def predict(self, payload):\n        time.sleep(1)\n"),
        code("import time\n" + KSERVE + "class M(Model):\n    def warm_up(self):\n        time.sleep(1)\n"),
        line=5,
    ),
    Case(
        "kserve-old-call",
        code(KSERVE + "class M(Model):\n    async def __call__(self, body, model_type=1): ...\n"),
        code(KSERVE + "class M(Model):\n    async def __call__(self, body, headers=None, verb=1): ...\n"),
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
        "mlserver-no-default",
        code("from typing import Optional\n" + DECODED + "    async def predict(self, x: Optional[str]) -> str: ...\n"),
        code(
            "from typing import Optional\n"
            + DECODED
            + "    async def predict(self, x: str, y: Optional[str] = None, *, z: Optional[str] = None) -> str: ...\n"
        ),
        line=6,
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
