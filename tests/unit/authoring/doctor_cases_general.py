"""The doctor's rules for every folder."""

from __future__ import annotations

from tests.unit.authoring.doctor_case import Case, code

NUMPY = {"model.py": "import numpy as np\nX = np.zeros(1)\n"}
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
        "undefined-name",
        code("from ray import serve\nserve, ray.init(num_cpus=2, num_gpus=1)\n"),
        code("from ray import serve\nimport ray\nserve, ray.init(num_cpus=2, num_gpus=1)\n"),
        line=2,
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
    Case(
        "download-at-start",
        code("from torchvision import models\nm = models.alexnet(pretrained=True)\n"),
        code("from torchvision import models\nm = models.alexnet(weights=None)\n"),
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
