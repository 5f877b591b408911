"""What gets into an image: no weights, labels, bills of materials, the layer that images share, one digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.unit.buildpacks.staged import Folder, wheel

BIG = b"\0" * (1024 * 1024)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def tree(root: Path) -> dict[str, str]:
    """Every file below a folder by what an image's layer would hold of it."""
    found = {}
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        data = content.encode() if isinstance(content, str) else content
        found[str(path.relative_to(root))] = f"{mode:o} {hashlib.sha256(data).hexdigest()}"
    return found


def test_weights_are_left_out_and_the_log_says_which(mlserver_folder: Folder) -> None:
    mlserver_folder.write("big/weights.safetensors", BIG)
    mlserver_folder.write("small.npz", b"\0" * 1000)

    log = mlserver_folder.build().log

    assert log[:3] == [
        "[Weights]",
        "Left out of the image: big/weights.safetensors (1.0 MB)",
        "Mount them (storageUri), embed a model by its model-settings.json, or set BP_MODELWRIGHT_WITH_WEIGHTS=true",
    ]
    assert not (mlserver_folder.workspace / "big" / "weights.safetensors").exists()
    assert (mlserver_folder.workspace / "small.npz").exists()
    assert (mlserver_folder.app / "big" / "weights.safetensors").exists()


def test_weights_that_are_asked_for_are_there(mlserver_folder: Folder) -> None:
    mlserver_folder.write("weights.pt", BIG)
    mlserver_folder.variables["BP_MODELWRIGHT_WITH_WEIGHTS"] = "true"

    log = mlserver_folder.build().log

    assert "In the image, as BP_MODELWRIGHT_WITH_WEIGHTS says: weights.pt (1.0 MB)" in log
    assert (mlserver_folder.workspace / "weights.pt").exists()


@pytest.mark.parametrize("uri", ["./model.joblib", "saved"])
def test_an_embedded_model_is_there(mlserver_folder: Folder, uri: str) -> None:
    settings = {"name": "sum", "implementation": "models.Sum", "parameters": {"uri": uri}}
    mlserver_folder.write("model-settings.json", json.dumps(settings))
    mlserver_folder.write("model.joblib", BIG)
    mlserver_folder.write("saved/part.bin", BIG)

    mlserver_folder.build()

    kept = [path for path in ("model.joblib", "saved/part.bin") if (mlserver_folder.workspace / path).exists()]
    assert kept == ["model.joblib" if "joblib" in uri else "saved/part.bin"]


def test_labels_say_where_the_code_is_from_without_a_secret(mlserver_folder: Folder) -> None:
    mlserver_folder.write(".git/HEAD", "ref: refs/heads/main\n")
    mlserver_folder.write(".git/packed-refs", f"# pack-refs with: peeled\n{COMMIT} refs/heads/main\n")
    mlserver_folder.write(".git/config", '[remote "origin"]\n\turl = https://me:token@git.example/models.git\n')

    mlserver_folder.build()

    labels = mlserver_folder.labels()
    assert labels["org.opencontainers.image.revision"] == COMMIT
    assert labels["org.opencontainers.image.source"] == "https://git.example/models.git"
    assert not (mlserver_folder.workspace / ".git").exists()


def test_a_build_s_variable_wins_over_what_files_say(mlserver_folder: Folder) -> None:
    mlserver_folder.variables |= {"BP_OCI_REVISION": "abc", "BP_OCI_TITLE": "Sums", "BP_OCI_LICENSES": "MIT"}

    mlserver_folder.build()

    labels = mlserver_folder.labels()
    assert (labels["org.opencontainers.image.revision"], labels["org.opencontainers.image.title"]) == ("abc", "Sums")
    assert labels["org.opencontainers.image.licenses"] == "MIT"


@pytest.mark.parametrize(
    ("code", "models"),
    [
        ("from kserve import Model\nclass A(Model): ...\nserve([A('iris'), A('two')])\n", "iris,two"),
        ("from kserve import Model\nclass A(Model): ...\nA(name='iris')\n", "iris"),
    ],
)  # fmt: skip
def test_the_models_names_are_read_and_not_run(procfile_folder: Folder, code: str, models: str) -> None:
    procfile_folder.write("model.py", code)

    procfile_folder.build()

    assert procfile_folder.labels()["dev.modelwright.models"] == models


def test_each_layer_with_packages_has_bills_of_materials_that_validators_take(mlserver_folder: Folder) -> None:
    mlserver_folder.write("requirements.txt", "torch\nnvidia-ml-py\n")
    mlserver_folder.build()

    for layer, names in {
        "venv": {"served", "small", "nvidia-ml-py"},
        "shared": {"torch", "nvidia-cublas"},
        "server": {"modelwright"},
    }.items():
        text = (mlserver_folder.layers / f"{layer}.sbom.cdx.json").read_text()
        assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
        assert {each["name"] for each in json.loads(text)["components"]} == names
        document = json.loads((mlserver_folder.layers / f"{layer}.sbom.spdx.json").read_text())
        assert validate_full_spdx_document(JsonLikeDictParser().parse(document)) == []
        assert {each["name"] for each in document["packages"]} == names


def test_bills_of_materials_have_versions_licenses_and_what_needs_what(mlserver_folder: Folder) -> None:
    mlserver_folder.build()

    document = json.loads((mlserver_folder.layers / "venv.sbom.cdx.json").read_text())
    served, small = document["components"]
    assert (served["purl"], served["licenses"]) == ("pkg:pypi/served@1.0", [{"expression": "MIT"}])
    assert (small["purl"], small["licenses"]) == ("pkg:pypi/small@1.0", [{"license": {"name": "BSD"}}])
    assert {"ref": small["purl"], "dependsOn": [served["purl"]]} in document["dependencies"]


def torch_folder(folder: Folder, requirements: str) -> Folder:
    folder.write("models.py", f"import mlserver\n# {requirements!r}\n")
    folder.write("model-settings.json", '{"name": "sum", "implementation": "models.Sum"}')
    folder.write("requirements.txt", requirements)
    return folder


def test_torch_is_in_a_layer_that_is_the_same_for_every_model(folder: Folder, tmp_path: Path) -> None:
    # In one place, as in images, where the layers' folders have one name.
    torch_folder(folder, "torch\n").build()
    first = tree(folder.layers / "shared")
    shutil.rmtree(folder.layers)
    folder.layers.mkdir()
    other = replace(folder, app=tmp_path / "other")
    other.app.mkdir()

    torch_folder(other, "nvidia-ml-py\nsmall==2.0\ntorch==2.9\n").build()

    assert tree(other.layers / "shared") == first
    assert "lib/torch/lib/libtorch.so" in first
    assert "lib/nvidia/cublas/lib/libcublas.so" in first
    packages = next((other.layers / "venv" / "lib").glob("python3.*/site-packages"))
    assert not (packages / "torch").exists()
    assert not (packages / "nvidia").exists()


def test_torch_is_found_where_it_is(folder: Folder) -> None:
    torch_folder(folder, "torch\n").build()
    program = (
        "import importlib.metadata as m, pathlib, torch; print(m.version('torch'), pathlib.Path(torch.__file__).parent)"
    )

    assert folder.python("-c", program) == f"2.9 {folder.layers}/shared/lib/torch"
    assert (folder.layers / "venv" / "bin" / "torchrun").exists()


def test_a_change_beside_torch_leaves_the_shared_layer_where_it_is(folder: Folder) -> None:
    torch_folder(folder, "torch\n")
    assert "In a layer that images share: nvidia-cublas==13.0, torch==2.9 (0 MB)" in folder.build().log
    folder.write("requirements.txt", "torch\nnvidia-ml-py\n")

    log = folder.rebuild().log

    assert "Reusing nvidia-cublas==13.0, torch==2.9 of the previous image (0 MB)" in log
    assert not (folder.layers / "shared").exists()
    assert (folder.layers / "shared.toml").read_text().startswith("[types]\nlaunch = true\n")


def test_an_unchanged_torch_model_keeps_both_layers(folder: Folder) -> None:
    torch_folder(folder, "torch\n").build()

    folder.rebuild()

    for layer in ("venv", "shared"):
        assert "launch = true" in (folder.layers / f"{layer}.toml").read_text()
        assert not (folder.layers / layer).exists()


def test_two_builds_from_nothing_are_one_tree_whenever_its_files_were_written(mlserver_folder: Folder) -> None:
    own = wheel(mlserver_folder.app, "own", "1.0")
    mlserver_folder.write("requirements.txt", f"torch\nsmall==1.0\n./{own.name}\n")
    mlserver_folder.build()
    first = tree(mlserver_folder.layers)
    shutil.rmtree(mlserver_folder.layers)
    mlserver_folder.layers.mkdir()
    os.utime(own, (1_000_000_000, 1_000_000_000))

    mlserver_folder.build()

    second = tree(mlserver_folder.layers)
    cache = {name for name in first | second if name.startswith("uv-cache")}
    assert {name: at for name, at in first.items() if name not in cache} == {
        name: at for name, at in second.items() if name not in cache
    }


def test_packages_tests_are_there_and_not_compiled(folder: Folder) -> None:
    files = dict.fromkeys(("tried/__init__.py", "tried/tests/__init__.py", "tried/tests/deep/test_a.py"), "VALUE = 1\n")
    wheel(folder.index, "tried", "1.0", files)
    folder.write("model.py", "import kserve\n")
    folder.write("Procfile", "web: python -m model\n")
    folder.write("requirements.txt", "tried==1.0\n")

    folder.build()

    (package,) = folder.layers.glob("venv/lib/python3.*/site-packages/tried")
    assert sorted(str(path.relative_to(package)) for path in package.rglob("*.py")) == [
        "__init__.py",
        "tests/__init__.py",
        "tests/deep/test_a.py",
    ]
    assert [path.parent.parent for path in package.rglob("*.pyc")] == [package]
    assert folder.python("-c", "import tried.tests; print(tried.tests.VALUE)") == "1"
