"""The image that the node needs, as a registry and containerd will read it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

from cluster.native.busybox import assemble, digest


def test_the_same_busybox_makes_the_same_image() -> None:
    assert assemble(b"program", ["sh", "ls"], "amd64") == assemble(b"program", ["ls", "sh"], "amd64")


def test_the_manifest_names_its_blobs_by_digest_and_size() -> None:
    image = assemble(b"program", ["sh"], "arm64")
    manifest = json.loads(image.manifest)
    layer, config = image.blobs
    assert manifest["config"]["digest"] == digest(config)
    assert manifest["config"]["size"] == len(config)
    assert [(entry["digest"], entry["size"]) for entry in manifest["layers"]] == [(digest(layer), len(layer))]
    read = json.loads(config)
    assert read["architecture"] == "arm64"
    assert read["rootfs"]["diff_ids"] == [digest(gzip.decompress(layer))]


def test_the_layer_has_the_program_and_a_link_for_every_applet() -> None:
    layer = assemble(b"program", ["sh", "mkdir", "busybox"], "amd64").blobs[0]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        names = tar.getnames()
        assert [name for name in names if name.startswith("bin/")] == ["bin/busybox", "bin/mkdir", "bin/sh"]
        program = tar.extractfile("bin/busybox")
        assert program is not None
        assert program.read() == b"program"
        assert tar.getmember("bin/busybox").mode == 0o755
        assert tar.getmember("bin/sh").linkname == "busybox"
