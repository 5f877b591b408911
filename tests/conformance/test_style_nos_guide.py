"""Handles: NOS's guide walked through, the example's script, replicas that die, and environments."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.server_process import ROOT
from tests.conformance.style_process import Styled

EXAMPLE = ROOT / "runtimes" / "examples" / "07-nos-clip"
RUN_S = 240


def run(script: Path, *arguments: str, **more: str) -> str:
    """Run a script as its author does, `nos` answered by ours."""
    command = [sys.executable, "-m", "modelwright", "run", "--", "python", script.name, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), **more}
    done = subprocess.run(
        command, cwd=script.parent, env=environment, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# NOS's guide to custom models, https://docs.nos.run/docs/guides/running-custom-models.html, block by block: a tiny
# class in the place of transformers' CLIP, batches of arrays in the place of a video file.
DEFINING = """
from typing import Union, List
from PIL import Image

import numpy as np

class CLIP:
    def __init__(self, model_name: str = "openai/clip-vit-base-patch32"):
        self.model_name = model_name

    def encode_image(self, images: Union[Image.Image, np.ndarray, List[Image.Image], List[np.ndarray]]):
        return np.array([np.asarray(image, np.float32).mean() for image in images])

    def encode_text(self, texts: Union[str, List[str]]) -> np.ndarray:
        if isinstance(texts, str):
            texts = [texts]
        return np.array([len(text) for text in texts])
"""
WRAPPING = """
from nos.common import ModelSpec
from nos.manager import ModelManager, ModelHandle

spec = ModelSpec.from_cls(
    CLIP,
    init_args=(),
    init_kwargs={"model_name": "openai/clip-vit-base-patch32"},
)
# The guide has no such line: it calls `manager` below a comment that says to create one.
manager = ModelManager()
handle: ModelHandle = manager.load(spec)
img = Image.new("RGB", (4, 4), (3, 3, 3))
img_embedding = handle.encode_image(images=[img])
txt_embedding = handle.encode_text(texts=["fox jumped over the moon"])
print("wrapped", img_embedding, txt_embedding)
"""
SCALING = """
handle.scale(replicas=4)
print(handle)

def encode_images_imap(images_generator):
    for images in images_generator:
        handle.encode_image.submit(images=images)
        if handle.results.ready():
            yield handle.results.get_next()
    while not handle.results.ready():
        yield handle.results.get_next()

def VideoReader(frames):
    for number in range(frames):
        yield [np.full((4, 4, 3), number, np.uint8)]

images_generator = VideoReader(21)
# The guide passes `images`, a name that it has not; and its loop has a comment for a body.
seen = []
for embedding in encode_images_imap(images_generator=images_generator):
    seen.append(float(embedding[0]))
print("streamed", seen == [float(number) for number in range(21)])
handle.scale(replicas="auto")
print("auto", handle.num_replicas >= 1)
"""
ENVIRONMENT = """
# The guide does not import it.
from nos.common import RuntimeEnv

class CustomModel:
    def __init__(self, model_name: str = "fake_model"):
        import sklearn  # noqa: F401
        self.version = sklearn.__version__

    # The guide's has no body.
    def __call__(self, images: Union[np.ndarray, List[np.ndarray]], n: int = 1) -> np.ndarray:
        return np.asarray(images) * n

spec = ModelSpec.from_cls(
    CustomModel,
    init_args=(),
    init_kwargs={"model_name": "fake_model"},
    runtime_env=RuntimeEnv.from_packages(["scikit-learn"]),
)
handle = manager.load(spec)
print("environment", handle(images=np.ones(2), n=3), handle.num_replicas)
"""


def test_the_examples_script_encodes_every_frame() -> None:
    said = run(EXAMPLE / "stream.py")
    assert "ModelHandle(name=CLIP, replicas=2" in said
    assert "24 frames encoded" in said


def test_the_guide_runs_step_by_step(tmp_path: Path, uv: str) -> None:
    script = tmp_path / "guide.py"
    script.write_text(DEFINING + WRAPPING + SCALING + ENVIRONMENT)
    said = run(script, UV=uv, MODELWRIGHT_ENVIRONMENTS=str(tmp_path / "environments"))
    assert "wrapped [3.] [24]" in said
    assert "ModelHandle(name=CLIP, replicas=4, qsize=8)" in said
    assert "streamed True" in said
    assert "auto True" in said
    assert "environment [3. 3.] 1" in said


def test_the_guides_file_is_served_too(tmp_path: Path) -> None:
    (tmp_path / "guide.py").write_text(DEFINING + WRAPPING.replace("print(", "manager.evict()\nprint("))
    running = Styled(tmp_path, "nos", str(tmp_path / "guide.py"))
    try:
        running.wait_until_serving()
        reply = running.ask("POST", "/v1/models/CLIP.encode_text:predict", {"instances": [{"texts": "fox"}]})
        assert reply.json == {"predictions": [[3]]}
    finally:
        running.stop()
        running.kill()


def test_the_guide_as_written_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "guide.py").write_text(DEFINING + WRAPPING.replace("manager = ModelManager()", ""))
    running = Styled(tmp_path, "nos", str(tmp_path / "guide.py"))
    assert running.process.wait(RUN_S) == 2
    assert "write `from nos.manager import manager`, or `manager = ModelManager()`" in running.log


MORTAL = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from nos.common import ModelSpec, RuntimeEnv
from nos.managers import ModelManager
import beside

class Mortal:
    def __init__(self, packages: bool = False):
        if packages:
            import roman_numerals

    def double(self, x: np.ndarray) -> np.ndarray:
        return beside.double(x)

    def prefix(self) -> str:
        return sys.prefix

    def once(self, mark: str) -> int:
        if not Path(mark).exists():
            Path(mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    def never(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    env = RuntimeEnv.from_packages(["roman-numerals==4.1.0"]) if "env" in sys.argv else None
    spec = ModelSpec.from_cls(Mortal, init_kwargs={"packages": env is not None}, runtime_env=env)
    handle = ModelManager().load(spec, num_replicas=2)
    print("engine", type(handle._replicas).__name__)
    print("prefix", handle.prefix() != sys.prefix)
    frames = [np.full(200_000, number) for number in range(6)]
    refs = [handle.double.submit(x=frame) for frame in frames[:3]]
    died = handle.once.submit(mark=sys.argv[1])
    refs += [handle.double.submit(x=frame) for frame in frames[3:]]
    found = [handle.get(ref) for ref in refs]
    print("doubled", all((array == 2 * number).all() for number, array in enumerate(found)))
    print("again", handle.get(died) > 0)
    try:
        handle.never()
    except RuntimeError as error:
        print("told", type(error).__name__)
    print("alive", handle.double(x=np.ones(2)).sum())
    handle.scale("auto")
    print("auto", handle.num_replicas >= 1)
    handle.cleanup()
"""


def mortal(folder: Path, *arguments: str, **environment: str) -> list[str]:
    """Run the script; give what it says without the engine."""
    (folder / "beside.py").write_text("def double(x):\n    return x * 2\n")
    (folder / "script.py").write_text(MORTAL)
    return run(folder / "script.py", str(folder / "mark"), *arguments, **environment).splitlines()


SAID = ["doubled True", "again True", "told ReplicaDied", "alive 4.0", "auto True"]
FIRST = [line.split()[:1] for line in ("engine", "prefix", *SAID)]


def test_a_handles_replica_that_dies_is_replaced_and_its_call_done_again_or_told_of(tmp_path: Path) -> None:
    assert mortal(tmp_path) == ["engine Processes", "prefix False", *SAID]


def test_a_handle_with_a_runtime_env_runs_in_that_environment(tmp_path: Path, uv: str) -> None:
    said = mortal(tmp_path, "env", UV=uv, MODELWRIGHT_ENVIRONMENTS=str(tmp_path / "environments"))
    assert said == ["engine Processes", "prefix True", *SAID]


def test_with_an_address_of_ray_handles_run_on_ray(tmp_path: Path) -> None:
    # Sockets are in it, whose paths may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        said = mortal(tmp_path, RAY_ADDRESS="local", RAY_TMPDIR=folder)
    # Ray writes lines of its own among them.
    assert [line for line in said if line.split()[:1] in FIRST] == ["engine RayReplicas", "prefix False", *SAID]


def test_an_environment_that_cannot_be_had_is_told_of(tmp_path: Path, uv: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        DEFINING
        + WRAPPING.split("# The guide", maxsplit=1)[0]
        .replace("    init_args=(),", "    runtime_env=RuntimeEnv.from_packages(['a-package-that-nobody-has==0']),")
        .replace("import ModelSpec", "import ModelSpec, RuntimeEnv")
        + "try:\n    ModelManager().load(spec)\nexcept Exception as error:\n    print(type(error).__name__, error)\n"
    )
    said = run(script, UV=uv, MODELWRIGHT_ENVIRONMENTS=str(tmp_path / "environments"))
    assert said.startswith("EnvironmentUnusable runtime_env of 'CLIP': ")
    assert "a-package-that-nobody-has" in said
