"""`import kserve` under the hook: light, whole, and genuine for what the twins lack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = "from modelwright.styles.kserve import hook; hook.install(); "


def python(code: str, *flags: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, "-c", INSTALL + code], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


NAMES = """
from kserve import Model, ModelServer, InferRequest, InferResponse, InferInput, InferOutput, logging, model_server
from kserve.utils.utils import get_predict_input, get_predict_response, generate_uuid
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput
import kserve, sys
"""


def test_what_models_use_is_imported_without_the_heavy_packages() -> None:
    code = f"""
{NAMES}
print([name for name in ("pandas", "grpc", "fastapi", "pydantic", "google.protobuf", "uvicorn") if name in sys.modules])
"""
    assert python(code) == "[]"


def test_a_class_is_one_class_under_both_of_its_names() -> None:
    code = f"""
{NAMES}
import kserve.model, kserve.protocol.infer_type as types
from modelwright.styles.kserve.twins.model import Model as Twin
assert Model is kserve.Model is kserve.model.Model is Twin
assert isinstance(types.InferInput("x", [1], "FP32"), InferInput) and InferInput.__module__ == types.__name__.replace(
    "modelwright.styles.kserve.twins", "kserve")
print(issubclass(type("Mine", (Model,), {{}}), kserve.model.BaseKServeModel))
"""
    assert python(code) == "True"


def test_pickles_carry_the_genuine_names() -> None:
    code = """
import pickle
from kserve import InferInput, InferRequest
made = pickle.dumps(InferRequest("m", [InferInput("x", [2], "FP32", [1.0, 2.0])]))
assert b"modelwright" not in made
print(pickle.loads(made).inputs[0].as_numpy().tolist())
"""
    assert python(code) == "[1.0, 2.0]"


def test_the_genuine_package_answers_for_what_the_twins_lack() -> None:
    pytest.importorskip("kserve")
    code = """
import kserve, kserve.inference_client
from kserve import KServeClient, V1beta1InferenceService
from kserve.utils.utils import create_response_cloudevent
print(KServeClient.__module__, kserve.inference_client.InferRequest is kserve.InferRequest)
"""
    assert python(code) == "kserve.api.kserve_client True"


def test_without_the_genuine_package_an_import_error_says_what_to_do(tmp_path: Path) -> None:
    import numpy

    site = tmp_path / "site"
    site.mkdir()
    for name in ("numpy", "numpy.libs"):
        if (source := Path(numpy.__file__).parents[1] / name).exists():
            (site / name).symlink_to(source)
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"{INSTALL}from kserve import Model; print(Model.__name__); import kserve.api"],
        capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT / "runtimes"), str(site)]), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout.strip() == "Model", done.stderr
    assert "kserve.api is not among the names of kserve that Modelwright's server brings; install" in done.stderr


def test_the_switch_leaves_kserve_as_it_is() -> None:
    code = "import sys; print([type(finder).__name__ for finder in sys.meta_path].count('Finder'))"
    assert python(code, MODELWRIGHT_KSERVE="genuine") == "0"
    assert python(code) == "1"


def test_kserve_s_parser_is_a_parent_of_the_author_s() -> None:
    code = """
import sys
sys.argv = ["model.py", "--http_port", "9000", "--scale", "2", "--workers=3", "--other"]
import argparse, kserve
parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
parser.add_argument("--scale", type=int)
args, rest = parser.parse_known_args()
server = kserve.ModelServer(workers=1)
print(args.scale, args.http_port, rest, server.http_port, server.workers)
"""
    assert python(code) == "2 9000 ['--other'] 9000 1"


def test_the_environment_s_port_is_the_server_s() -> None:
    assert python("import kserve; print(kserve.ModelServer().http_port)", PORT="9123") == "9123"
