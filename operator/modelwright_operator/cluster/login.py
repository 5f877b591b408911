"""Where the API server is and how to log in: a pod's service account, or a kubeconfig.

A service account's token is a file that the kubelet rotates (hourly by default), so it is read again rather
than kept. Exec plugins of a kubeconfig are refused with a remedy: they belong to people's shells, not to a
controller.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class LoginError(Exception):
    """There are no usable credentials; the message says what is missing and what to set."""


@dataclass(frozen=True, slots=True)
class Login:
    """An API server's address and the credentials for it.

    ``token_file`` wins over ``token`` and is read at each use. Certificates are files or PEM text.
    """

    server: str
    ca_file: str | None = None
    ca_data: str | None = None
    insecure: bool = False
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    certificate_data: str | None = field(default=None, repr=False)
    key_data: str | None = field(default=None, repr=False)
    namespace: str = "default"

    def bearer(self) -> str | None:
        """Return the token as it is now, or None when certificates do the work."""
        if self.token_file:
            return Path(self.token_file).read_text(encoding="ascii").strip()
        return self.token

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS side, or None for a plain http:// address.

        Loads exactly the cluster's authority: the system's hundred-odd roots cost memory and would be trusted
        for nothing.
        """
        if not self.server.startswith("https:"):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file or self.ca_data:
            context.load_verify_locations(cafile=self.ca_file, cadata=self.ca_data)
        else:
            context.load_default_certs()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file and self.key_file:
            context.load_cert_chain(self.certificate_file, self.key_file)
        elif self.certificate_data and self.key_data:
            _load_pair(context, self.certificate_data, self.key_data)
        return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Hand a PEM pair to the context through a file that is gone afterwards: ssl reads pairs from files only."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as pair:
        pair.write(certificate + "\n" + key)
        pair.flush()
        context.load_cert_chain(pair.name)


def find_login() -> Login:
    """Return the login: ``$KUBECONFIG`` if set, else the pod's service account, else ``~/.kube/config``.

    Raises:
        LoginError: when none of them is there or usable.
    """
    configured = os.environ.get("KUBECONFIG")
    if configured:
        return from_kubeconfig(Path(configured.split(os.pathsep)[0]))
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return from_service_account()
    home = Path.home() / ".kube" / "config"
    if home.exists():
        return from_kubeconfig(home)
    raise LoginError("no credentials: run in a pod with a service account, or set KUBECONFIG to a kubeconfig file")


def from_service_account(folder: Path = SERVICE_ACCOUNT_DIR) -> Login:
    """Return the login of the pod's service account.

    Raises:
        LoginError: when the token is not mounted.
    """
    token = folder / "token"
    if not token.exists():
        raise LoginError(f"{token} is missing: the operator's pod needs automountServiceAccountToken: true")
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    namespace = folder / "namespace"
    return Login(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca_file=str(folder / "ca.crt"),
        token_file=str(token),
        namespace=namespace.read_text(encoding="ascii").strip() if namespace.exists() else "default",
    )


def from_kubeconfig(path: Path) -> Login:
    """Return the login of the kubeconfig's current context.

    Raises:
        LoginError: when the file is unreadable or uses something other than tokens and certificates.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"] or {}
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise LoginError(f"kubeconfig {path} is not usable: {error!r}") from error
    if "exec" in user or "auth-provider" in user:
        raise LoginError(f"kubeconfig {path}: exec plugins are not supported; use a token, tokenFile or certificates")
    return Login(
        server=cluster["server"].rstrip("/"),
        ca_file=_beside(path, cluster.get("certificate-authority")),
        ca_data=_decoded(cluster.get("certificate-authority-data")),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        token=user.get("token"),
        token_file=_beside(path, user.get("tokenFile")),
        certificate_file=_beside(path, user.get("client-certificate")),
        key_file=_beside(path, user.get("client-key")),
        certificate_data=_decoded(user.get("client-certificate-data")),
        key_data=_decoded(user.get("client-key-data")),
        namespace=context.get("namespace") or "default",
    )


def _named(config: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    for entry in config.get(section) or []:
        if entry["name"] == name:
            return dict(entry)
    raise KeyError(f"{section}: no entry {name!r}")


def _beside(path: Path, relative: str | None) -> str | None:
    """Resolve a file named by the kubeconfig against the kubeconfig's folder, as kubectl does."""
    return str(path.parent / relative) if relative else None


def _decoded(data: str | None) -> str | None:
    return base64.b64decode(data).decode("ascii") if data else None
