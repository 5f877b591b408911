"""A port of a pod on this machine, for a service whose URL cannot be reached from here."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from modelwright.images.deploying.cluster import SERVICE_LABEL, Cluster, library
from modelwright.images.errors import ImageError

_PIECE: Final = 65536


@contextmanager
def forwarded(cluster: Cluster, service: str, port: int) -> Iterator[str]:
    """Give the address of a port of one of the service's ready pods, while the block runs. Raises ImageError."""
    pod = _ready_pod(cluster, service)

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            _pump(self.request, _to_pod(cluster, pod, port))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _ready_pod(cluster: Cluster, service: str) -> str:
    pods = cluster.core.list_namespaced_pod(cluster.namespace, label_selector=f"{SERVICE_LABEL}={service}").items
    for pod in pods:
        conditions = pod.status.conditions or ()
        if not pod.metadata.deletion_timestamp and any(c.type == "Ready" and c.status == "True" for c in conditions):
            return str(pod.metadata.name)
    raise ImageError(
        f"InferenceService {service} has no ready pod to ask: kubectl get pods -l {SERVICE_LABEL}={service}"
    )


def _to_pod(cluster: Cluster, pod: str, port: int) -> socket.socket:
    opened = library("stream").portforward(
        cluster.core.connect_get_namespaced_pod_portforward, pod, cluster.namespace, ports=str(port)
    )
    found: socket.socket = opened.socket(port)
    return found


def _pump(here: socket.socket, there: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    there.setblocking(True)
    sides = {here: there, there: here}
    try:
        while True:
            readable, _, _ = select.select(list(sides), [], [])
            for side in readable:
                piece = side.recv(_PIECE)
                if not piece:
                    return
                sides[side].sendall(piece)
    except OSError:
        return
    finally:
        there.close()
