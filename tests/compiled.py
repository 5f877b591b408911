"""`make test-compiled`: the tests that meet the compiled modules, in a copy of the tree that has them.

The server that images run has them (docs/adr/0026); all other tests run the Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cluster import packages

ROOT = Path(__file__).parents[1]
TESTS = (
    "tests/unit/test_identities.py",
    "tests/unit/codecs",
    "tests/unit/server",
    *(f"tests/unit/styles/test_kserve_{name}.py" for name in ("adapter", "launch", "pieces", "reload", "twins")),
    "tests/unit/styles/mlserver",
    *(f"tests/conformance/test_kserve_{name}.py" for name in ("hook", "twin", "twin_predictor")),
    *(f"tests/conformance/test_server_{name}.py" for name in ("attacks", "life", "malformed", "routes")),
    "tests/conformance/test_codec_fuzz.py",
    "tests/conformance/test_streaming.py",
    "tests/conformance/test_batching.py",
)


def unpack(folder: Path) -> None:
    """Compile this tree for this interpreter and lay package and modules into `folder`.

    Raises CalledProcessError, and PackagesMissingError where there is no compiler and none can be installed.
    """
    # Only Debian's own Python comes without its headers.
    packages.require("gcc", "libc6-dev", *(["python3-dev"] if sys.base_prefix == "/usr" else []))
    with tempfile.TemporaryDirectory(prefix="modelwright-wheel-") as made:
        command = [str(ROOT / "scripts" / "uv"), "build", "--quiet", "--wheel", "--python", sys.executable]
        environment = {**os.environ, "MODELWRIGHT_COMPILE": "1"}
        subprocess.run([*command, "--out-dir", made, str(ROOT)], env=environment, check=True)
        (wheel,) = Path(made).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _copy(tree: Path) -> None:
    listed = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
            (tree / name).chmod((ROOT / name).stat().st_mode)
    unpack(tree / "runtimes")


def main() -> int:
    """Run them; the arguments are further ones for pytest. Returns pytest's status."""
    with tempfile.TemporaryDirectory(prefix="modelwright-compiled-") as name:
        tree = Path(name)
        _copy(tree)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(tree / each) for each in ("runtimes", "operator")),
        }
        asked = "import modelwright.codecs.v2 as v2, sys; sys.exit(not v2.__file__.endswith('.so'))"
        subprocess.run([sys.executable, "-c", asked], cwd=tree, env=environment, check=True)
        pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *sys.argv[1:]]
        return subprocess.run([*pytest, *TESTS], cwd=tree, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
