"""The Service by which the workers of one revision find the pod that heads their Ray."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.ray import GCS_PORT, head_service_name
from modelwright_operator.desired.subject import Subject


def head_service(subject: Subject, revision: str) -> dict[str, Any]:
    """Return a headless Service; the head is in it before it is ready, since it waits for its workers to be so.

    One for each revision: a new worker never joins an old head, also where its resolver remembers an address.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": subject.object_metadata(head_service_name(subject, revision)),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {**subject.selector, labels.RAY: revision},
            "ports": [{"name": "gcs", "port": GCS_PORT, "targetPort": GCS_PORT, "protocol": "TCP"}],
        },
    }
