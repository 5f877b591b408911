"""KServe's own controller, from its Go module: its CRDs, its configuration with RawDeployment, no webhook."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from cluster import binaries
from cluster.golang import find_go
from cluster.paths import modules_folder
from cluster.tools import go_version, select

NAMESPACE = "kserve"
_MODULE = "github.com/kserve/kserve"
_KINDS = ("inferenceservices,servingruntimes,clusterservingruntimes,trainedmodels,inferencegraphs", "-A")
_WORKING = '"msg":"Starting workers","controller":"inferenceservice"'


def sources() -> Path:
    """Return the folder of KServe's module, fetched where it is not there yet."""
    go = find_go(go_version(select(["manager"])))
    command = [str(go), "mod", "download", "-json", _MODULE]
    done = subprocess.run(command, cwd=modules_folder() / "kserve", capture_output=True, text=True, check=True)
    return Path(json.loads(done.stdout)["Dir"])


def install(kubectl: list[str]) -> None:
    """Apply KServe's CRDs and its configuration."""
    folder = sources() / "config"
    for path in sorted((folder / "crd" / "full").glob("serving*.yaml")):
        subprocess.run([*kubectl, "apply", "--server-side", "-f", path], check=True, capture_output=True)
    while subprocess.run([*kubectl, "get", *_KINDS], check=False, capture_output=True).returncode:
        time.sleep(0.5)
    subprocess.run([*kubectl, "create", "namespace", NAMESPACE], check=True, capture_output=True)
    config = yaml.safe_load((folder / "configmap" / "inferenceservice.yaml").read_text())
    config["metadata"]["namespace"] = NAMESPACE
    deploy: dict[str, Any] = json.loads(config["data"]["deploy"])
    config["data"]["deploy"] = json.dumps({**deploy, "defaultDeploymentMode": "RawDeployment"})
    text = json.dumps(config)
    subprocess.run([*kubectl, "apply", "-f", "-"], input=text, text=True, check=True, capture_output=True)


def start(kubeconfig: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start the controller, with certificates for the webhook server that it insists on, and wait until it works."""
    certificates = folder / "k8s-webhook-server" / "serving-certs"
    certificates.mkdir(parents=True)
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-keyout", certificates / "tls.key", "-out", certificates / "tls.crt"]
    subprocess.run(make, check=True, capture_output=True)
    manager = binaries.ensure("manager") / "manager"
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "POD_NAMESPACE": NAMESPACE, "TMPDIR": str(folder)}
    command = [manager, "--metrics-addr=127.0.0.1:0", "--health-probe-addr=127.0.0.1:0", "--webhook-port=19443"]
    with (folder / "kserve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
    deadline = time.monotonic() + 60
    while _WORKING not in (folder / "kserve.log").read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError((folder / "kserve.log").read_text()[-3000:])
        time.sleep(0.2)
    return process
