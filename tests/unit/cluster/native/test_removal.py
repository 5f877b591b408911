"""Which mounts are the cluster's, and in which order they can be undone."""

from __future__ import annotations

from pathlib import Path

from cluster.native.removal import mounts_below

MOUNTINFO = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /state rw - tmpfs tmpfs rw
41 40 0:41 / /state/cluster/containerd/rootfs rw - overlay overlay rw
42 41 0:42 / /state/cluster/containerd/rootfs/dev rw - tmpfs tmpfs rw
43 27 0:43 / /state/cluster-of-somebody-else/x rw - tmpfs tmpfs rw
44 40 0:44 / /state/cluster/with\\040a\\040blank\\134 rw shared:3 - tmpfs tmpfs rw
"""


def test_the_last_mounted_comes_first_and_strangers_do_not_come_at_all() -> None:
    assert mounts_below(MOUNTINFO, Path("/state/cluster")) == [
        "/state/cluster/with a blank\\",
        "/state/cluster/containerd/rootfs/dev",
        "/state/cluster/containerd/rootfs",
    ]
