import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "modelwright.weights", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes"), "HOME": "/nonexistent", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_done_is_exit_code_zero_and_says_what_arrived(web, tmp_path):
    done = run(web.file("/m.bin", b"x" * 2048), tmp_path / "models")
    assert done.returncode == 0, done.stderr
    assert "1 file, 2.0 KiB, in" in done.stderr


def test_failed_is_exit_code_one_and_shows_no_secret(web, tmp_path):
    done = run(web.url + "/m.bin?X-Amz-Signature=s3cret", tmp_path / "models")
    assert done.returncode == 1
    assert "the server answers 404 Not Found. Correct the URL" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


def test_the_termination_message_has_the_reason_in_short(web, tmp_path):
    message = tmp_path / "termination-log"
    message.touch()
    uri = web.url + "/" + "long" * 500 + "/m.bin?X-Amz-Signature=s3cret"
    code = (
        "import sys; from pathlib import Path; import modelwright.weights.__main__ as main;"
        f"main._TERMINATION_LOG = Path({str(message)!r}); sys.exit(main.main([{uri!r}, {str(tmp_path / 'm')!r}]))"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 1
    text = message.read_text()
    assert len(text) <= 1024
    assert text.endswith("the server answers 404 Not Found. Correct the URL: there is nothing at it.")
    assert "s3cret" not in text


def test_a_request_to_stop_is_obeyed_at_once(web, tmp_path):
    asked, stopped = threading.Event(), threading.Event()

    def stall(_):
        asked.set()
        stopped.wait(30)
        return 404, {}, b""

    web.pages["/m.bin"] = stall
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes")}
    process = subprocess.Popen(
        [sys.executable, "-m", "modelwright.weights", web.url + "/m.bin", str(tmp_path / "m")],
        env=env,
        stderr=subprocess.DEVNULL,
    )
    assert asked.wait(30)
    process.terminate()
    assert process.wait(5) == 143
    stopped.set()


def test_missing_arguments_are_exit_code_two():
    assert run("s3://bucket/key").returncode == 2


def test_what_is_not_used_is_not_imported(tmp_path):
    (tmp_path / "m").touch()
    code = (
        "import sys; from pathlib import Path; from modelwright.weights import fetch;"
        f"fetch('file://{tmp_path}/m', Path('{tmp_path}/models'), {{}});"
        "print([name for name in ('kserve', 'torch', 'huggingface_hub', 'obstore') if name in sys.modules])"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"weights" * 1000


@pytest.fixture
def hub(web):
    """The parts of the hub's API that its own client asks for, over real HTTP."""
    files = {"config.json": b"{}", "sub/model.safetensors": WEIGHTS}
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    siblings = [
        {"rfilename": "config.json", "size": 2, "blobId": "b1"},
        {
            "rfilename": "sub/model.safetensors",
            "size": len(WEIGHTS),
            "blobId": "b2",
            "lfs": {"size": len(WEIGHTS), "sha256": digest, "pointerSize": 100},
        },
    ]
    web.info = {"id": "owner/model", "modelId": "owner/model", "sha": COMMIT, "siblings": siblings}

    def info(request):
        if request.headers.get("Authorization") != "Bearer hf_s3cret":
            return 401, {"X-Error-Code": "RepoNotFound"}, b'{"error":"no"}'
        return 200, {"Content-Type": "application/json"}, json.dumps(web.info).encode()

    for revision in ("main", "v1"):
        web.pages[f"/api/models/owner/model/revision/{revision}"] = info
    for name, content in files.items():
        path = f"/owner/model/resolve/{COMMIT}/{name}"
        etag = digest if len(content) > 2 else "b1"
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        web.pages[path] = lambda _, headers=headers, content=content: (200, headers, content)
    return web


def test_a_repository_of_the_hub_arrives_without_the_clients_cache(hub, tmp_path):
    target = tmp_path / "models"
    done = run("hf://owner/model:v1", target, HF_ENDPOINT=hub.url, HF_TOKEN="hf_s3cret")
    assert done.returncode == 0, done.stderr
    assert (target / "sub" / "model.safetensors").read_bytes() == WEIGHTS
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {"config.json", "sub/model.safetensors", ".modelwright.json"}
    assert "resolve" not in done.stderr, "the hub redirects to signed URLs, which its client logs"


def test_nothing_is_written_outside_the_target_for_the_root_is_read_only(hub, tmp_path):
    target = tmp_path / "models"
    code = f"""
import os, sys
def watch(event, arguments):
    writes = event in ("os.mkdir", "os.rename", "os.link", "os.symlink") or (
        event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    path = os.fsdecode(arguments[0]) if writes and not isinstance(arguments[0], int) else {str(target)!r}
    if not os.path.abspath(path).startswith(({str(target)!r}, "/dev/")):
        print("writes", event, path)
sys.addaudithook(watch)
from modelwright.weights.__main__ import main
sys.exit(main(["hf://owner/model", {str(target)!r}]))
"""
    env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_s3cret", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_repository_that_may_not_be_read_says_what_is_missing(hub, tmp_path):
    done = run("hf://owner/model", tmp_path / "models", HF_ENDPOINT=hub.url, HF_TOKEN="hf_wr0ng")
    assert done.returncode == 1
    assert "no such repository, or a private one" in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert "hf_wr0ng" not in done.stderr


def test_a_hub_that_cannot_be_reached_is_told(tmp_path):
    done = run("hf://owner/model", tmp_path / "models", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "the hub cannot be reached or used (ConnectError: " in done.stderr
    assert "Check HF_ENDPOINT" in done.stderr


def test_a_hub_that_names_a_path_outside_is_refused(hub, tmp_path):
    hub.info["siblings"].append({"rfilename": "../evil", "size": 1, "blobId": "b3"})
    done = run("hf://owner/model", tmp_path / "models", HF_ENDPOINT=hub.url, HF_TOKEN="hf_s3cret")
    assert done.returncode == 1
    assert "'../evil' has a . or .. segment" in done.stderr
