"""The server's arguments: kserve's flags and spellings, `PORT`, and `MODELWRIGHT_<FLAG>` for each."""

import argparse
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from modelwright.server.cgroup import cpu_limit

MEBIBYTE = 1024 * 1024
_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")
# What else in the environment sets a flag's default: the buildpacks' and kserve's names.
_OTHER_NAMES = {
    "http_port": "PORT",
    "ssl_certfile": "KSERVE_TLS_CERT_FILE",
    "ssl_keyfile": "KSERVE_TLS_KEY_FILE",
    "ray_address": "RAY_ADDRESS",
}


def default_asyncio_workers(cpus: float) -> int:
    """Give `min(32, cpu.limit + 4)`, a fraction of a CPU counting as a whole one."""
    return min(32, math.ceil(cpus) + 4)


def boolean(text: str) -> bool:
    """Read a boolean as kserve does.

    Raises:
        argparse.ArgumentTypeError: the text is neither.

    """
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is no boolean; use true or false")


def _at_least(smallest: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not text.strip().lstrip("-").isdigit() or int(text) < smallest:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {smallest}")
        return int(text)

    return whole_number


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 (any free one) to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds of at least 0")
    return value


def _gpus(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of GPUs; use 0, a fraction such as 0.5, or more")
    return value


def _flag(default: object, kind: Callable[[str], Any], text: str, **more: object) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(default=default, metadata={"kind": kind, "help": text, **more})


@dataclass(slots=True)
class Arguments:
    """What the server was asked to do. Durations are in seconds, sizes in bytes unless the flag says MiB."""

    http_port: int = _flag(8080, _port, "port of the REST server; PORT in the environment sets the default")
    grpc_port: int = _flag(8081, _port, "port of the gRPC server")
    host: str = _flag("0.0.0.0", str, "address to listen on")  # noqa: S104 - a container's server faces its network
    workers: int = _flag(1, _at_least(1), "processes, forked after the models are loaded")
    replicas: int = _flag(0, _at_least(0), "replicas of each model on Ray, in place of --workers; 0 is none")
    replica_gpus: float = _flag(0.0, _gpus, "GPUs of each replica, a fraction of one too")
    ray_address: str | None = _flag(None, str, "Ray to run --replicas on; none is one of this server's own")
    # kserve calls an author's synchronous code once at a time, and code that holds state may rely on it.
    model_threads: int = _flag(1, _at_least(1), "calls of synchronous model code at one time, in threads")
    max_threads: int = _flag(4, _at_least(1), "kserve's gRPC threads; no effect, with a warning: see model_threads")
    max_asyncio_workers: int = _flag(
        0, _at_least(1), "threads for what handlers hand to asyncio.to_thread; default min(32, cpu limit + 4)"
    )
    enable_grpc: bool = _flag(True, boolean, "serve gRPC too", flag=True)
    enable_latency_logging: bool = _flag(False, boolean, "log each request's latencies", flag=True)
    access_log: bool = _flag(False, boolean, "log one line per request", flag=True)
    access_log_format: str | None = _flag(None, str, "log one line per REST request in the atoms of asgi-logger")
    enable_docs_url: bool = _flag(False, boolean, "serve /docs, a page that shows /openapi.json", flag=True)
    admin_port: int = _flag(0, _port, "port on which models are loaded and unloaded; 0 is off")
    admin_host: str = _flag("127.0.0.1", str, "address of --admin_port, which knows no credentials but --ssl_ca_certs")
    configure_logging: bool = _flag(True, boolean, "set up logging; false leaves it to the author", flag=True)
    log_config_file: str | None = _flag(None, str, "logging.config dictionary, as JSON or YAML, in place of ours")
    log_format: str = _flag("plain", str, "plain or json", choices=("plain", "json"))
    event_loop: str = _flag("auto", str, "event loop", choices=("auto", "asyncio", "uvloop"), hyphens=True)
    timeout_keep_alive: int = _flag(65, _at_least(1), "seconds an idle connection is kept", hyphens=True)
    model_name: str = _flag("model", str, "name of the model on the endpoint's path")
    predictor_host: str | None = _flag(None, str, "host of the predictor that a transformer calls")
    protocol: str = _flag("v1", str, "deprecated: see predictor_protocol", choices=("v1", "v2", "grpc-v2"))
    predictor_protocol: str = _flag("v1", str, "protocol to the predictor", choices=("v1", "v2", "grpc-v2"))
    predictor_use_ssl: bool = _flag(False, boolean, "call the predictor over TLS", flag=True)
    predictor_request_timeout_seconds: int = _flag(600, _at_least(1), "timeout of a call to the predictor")
    predictor_request_retries: int = _flag(0, _at_least(0), "retries of a failed call to the predictor")
    enable_predictor_health_check: bool = _flag(False, boolean, "readiness asks the predictor too", flag=True)
    grpc_max_send_message_length: int = _flag(8 * MEBIBYTE, _at_least(1), "longest gRPC answer")
    grpc_max_receive_message_length: int = _flag(8 * MEBIBYTE, _at_least(1), "longest gRPC request")
    max_body_size_mb: int = _flag(100, _at_least(1), "largest request body, in MiB, also after decompression")
    max_queue_size: int = _flag(1000, _at_least(0), "requests waiting per process before 429")
    max_batch_size: int = _flag(1, _at_least(1), "rows of concurrent requests answered by one call; 1 is no batching")
    max_batch_latency_ms: float = _flag(5.0, _milliseconds, "milliseconds a request may be held for a larger batch")
    batch_timeout: float = _flag(60.0, _seconds, "seconds that a call of the model may take while batching is on")
    header_timeout: float = _flag(4.0, _seconds, "seconds within which a request's headers must arrive")
    body_timeout: float = _flag(4.0, _seconds, "seconds that a body or a gRPC message may lag behind 16 KiB/s")
    grace_period: float = _flag(30.0, _seconds, "seconds that requests in flight get after SIGTERM")
    ssl_certfile: str | None = _flag(None, str, "certificate chain; every port speaks TLS then, and 8080 becomes 8443")
    ssl_keyfile: str | None = _flag(None, str, "private key of --ssl_certfile")
    ssl_ca_certs: str | None = _flag(None, str, "authorities; clients must show a certificate of theirs")
    show_curl: str = _flag("", str, "folder whose input.json, if it has one, the curl command that is logged sends")
    drain_delay: float = _flag(1.0, _seconds, "seconds after SIGTERM in which new requests are still taken")

    def __post_init__(self) -> None:
        """Fill in what depends on the machine."""
        if not self.max_asyncio_workers:
            self.max_asyncio_workers = default_asyncio_workers(cpu_limit())
        # kserve's rule, also for an 8080 that was asked for: routes and probes written for it look for 8443.
        if self.ssl_certfile and self.ssl_keyfile and self.http_port == 8080:
            self.http_port = 8443

    @property
    def max_body_bytes(self) -> int:
        """The largest body in bytes."""
        return self.max_body_size_mb * MEBIBYTE


def parser(
    environment: Mapping[str, str] = os.environ, defaults: Mapping[str, Any] = MappingProxyType({})
) -> argparse.ArgumentParser:
    """Build the parser, without `--help`, so that an author's parser can have it as a parent as with kserve's.

    `defaults`, by the names of `Arguments`, stand behind the command line and the environment.
    """
    # No abbreviations: an author's own --model must not be read as --model_name.
    built = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for each in fields(Arguments):
        meta = each.metadata
        options: dict[str, Any] = {"type": meta["kind"], "help": meta["help"], "dest": each.name}
        if "choices" in meta:
            options["choices"] = meta["choices"]
        if meta.get("flag"):
            options |= {"nargs": "?", "const": True, "metavar": "true|false"}
        spellings = [f"--{each.name}"]
        if meta.get("hyphens"):
            spellings.insert(0, f"--{each.name.replace('_', '-')}")
        built.add_argument(
            *spellings, default=_default(each.name, defaults.get(each.name, each.default), environment), **options
        )
    return built


def _default(name: str, default: object, environment: Mapping[str, str]) -> object:
    """Give the environment's value, as text that argparse will read with the flag's own type, or the default."""
    text = environment.get(f"MODELWRIGHT_{name.upper()}", "")
    if not text and name in _OTHER_NAMES:
        text = environment.get(_OTHER_NAMES[name], "")
    if not (text or default) and name == "max_asyncio_workers":
        return default_asyncio_workers(cpu_limit())
    return text or default


def parse(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> Arguments:
    """Read the server's flags out of `argv` (default: the process's), leaving an author's own flags alone.

    Raises:
        SystemExit: with code 2 when a value is no good; argparse has said which.

    """
    known, _ = parser(environment).parse_known_args(argv)
    return Arguments(**vars(known))
