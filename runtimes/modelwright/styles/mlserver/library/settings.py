"""`ModelSettings` and `Settings`: `model-settings.json` and `settings.json`, `MLSERVER_*` where they do not say.

Sources: MLServer's reference of its settings, https://docs.seldon.ai/mlserver/api-reference/mlserversettings
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any, ClassVar, Final

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.environment import environment, read
from modelwright.styles.mlserver.library.types.base import BaseModel, many, meant
from modelwright.styles.mlserver.library.types.dataplane import MetadataTensor
from modelwright.styles.mlserver.library.version import __version__

_OPTIONAL_TEXT: Final = str | None


class BaseSettings(BaseModel):
    """Settings with a type and a default each in `DEFAULTS`, and `PREFIX` for their names in the environment."""

    PREFIX: ClassVar[str] = "MLSERVER_"
    DEFAULTS: ClassVar[dict[str, tuple[Any, Any]]] = {}

    def __init__(self, **given: Foreign) -> None:
        variables = environment()
        for field, (kind, default) in self.DEFAULTS.items():
            value = given.get(field, variables.get(f"{self.PREFIX}{field.upper()}"))
            # A list or dictionary of its own for each.
            own = default.copy() if isinstance(default, list | dict) else default
            setattr(self, field, own if value is None else read(field, kind, value))

    def __getattr__(self, name: str) -> Foreign:
        if name.startswith("_"):
            raise AttributeError(name)
        # In the message: what `load` raises is shown as it is.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}; {meant(name, self.FIELDS)}")

    def __init_subclass__(cls) -> None:
        cls.FIELDS = tuple(cls.DEFAULTS)

    @classmethod
    def parse_file(cls, path: str | Path) -> Foreign:
        """Return the settings in a JSON file. Raises ValueError for what does not fit."""
        return cls.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))


class CORSSettings(BaseSettings):
    """Which other origins' pages may call the server."""

    DEFAULTS: ClassVar[dict[str, tuple[Any, Any]]] = {
        "allow_origins": (list, []),
        "allow_origin_regex": (_OPTIONAL_TEXT, None),
        "allow_credentials": (bool, False),
        "allow_methods": (list, ["GET"]),
        "allow_headers": (list, []),
        "expose_headers": (list, []),
        "max_age": (int, 600),
    }


class Settings(BaseSettings):
    """The server's settings."""

    DEFAULTS: ClassVar[dict[str, tuple[Any, Any]]] = {
        "debug": (bool, True),
        "parallel_workers": (int, 1),
        "parallel_workers_timeout": (int, 5),
        "environments_dir": (str, ".envs"),
        "model_repository_implementation": (_OPTIONAL_TEXT, None),
        "model_repository_root": (str, "."),
        "model_repository_implementation_args": (dict, {}),
        "load_models_at_startup": (bool, True),
        "server_name": (str, "mlserver"),
        "server_version": (str, __version__),
        "extensions": (list, []),
        "host": (str, "0.0.0.0"),  # noqa: S104 - MLServer's default
        "http_port": (int, 8080),
        "root_path": (str, ""),
        "grpc_port": (int, 8081),
        "grpc_max_message_length": (int | None, None),
        "cors_settings": (dict | None, None),
        "metrics_endpoint": (_OPTIONAL_TEXT, "/metrics"),
        "metrics_port": (int, 8082),
        "metrics_rest_server_prefix": (str, "rest_server"),
        "metrics_dir": (str, ".metrics"),
        "use_structured_logging": (bool, False),
        "logging_settings": (str | dict | None, None),
        "kafka_enabled": (bool, False),
        "kafka_servers": (str, "localhost:9092"),
        "kafka_topic_input": (str, "mlserver-input"),
        "kafka_topic_output": (str, "mlserver-output"),
        "tracing_server": (_OPTIONAL_TEXT, None),
        "cache_enabled": (bool, False),
        "cache_size": (int, 100),
        "gzip_enabled": (bool, True),
    }


class ModelParameters(BaseSettings):
    """One instance's settings; whatever else is given becomes an attribute too."""

    PREFIX: ClassVar[str] = "MLSERVER_MODEL_"
    DEFAULTS: ClassVar[dict[str, tuple[Any, Any]]] = {
        "uri": (_OPTIONAL_TEXT, None),
        "version": (_OPTIONAL_TEXT, None),
        "environment_path": (_OPTIONAL_TEXT, None),
        "environment_tarball": (_OPTIONAL_TEXT, None),
        "inference_pool_gid": (_OPTIONAL_TEXT, None),
        "autogenerate_inference_pool_gid": (bool, False),
        "format": (_OPTIONAL_TEXT, None),
        "content_type": (_OPTIONAL_TEXT, None),
        "extra": (dict, {}),
    }

    def __init__(self, **given: Foreign) -> None:
        super().__init__(**given)
        self.__dict__.update({name: value for name, value in given.items() if name not in self.DEFAULTS})

    def _values(self) -> dict[str, Foreign]:
        return {**super()._values(), **vars(self)}


class ModelSettings(BaseSettings):
    """A model's settings. `implementation` is the class, or its import path as text."""

    PREFIX: ClassVar[str] = "MLSERVER_MODEL_"
    DEFAULTS: ClassVar[dict[str, tuple[Any, Any]]] = {
        "name": (str, ""),
        "platform": (str, ""),
        "versions": (list, []),
        "inputs": (list, []),
        "outputs": (list, []),
        "parallel_workers": (int | None, None),
        "warm_workers": (bool, False),
        "max_batch_size": (int, 0),
        "max_batch_time": (float, 0.0),
        "cache_enabled": (bool, False),
    }
    # The file that they were read from; None where there is none.
    _source: str | None = None

    def __init__(self, *, implementation: Foreign = None, parameters: Foreign = None, **given: Foreign) -> None:
        super().__init__(**given)
        self.inputs: list[MetadataTensor] | None = many(MetadataTensor, "inputs", vars(self)["inputs"])
        self.outputs: list[MetadataTensor] | None = many(MetadataTensor, "outputs", vars(self)["outputs"])
        self.parameters: ModelParameters | None = None
        if parameters is not None:
            known = isinstance(parameters, ModelParameters)
            self.parameters = parameters if known else ModelParameters.model_validate(parameters)
        self._class: Foreign = implementation if inspect.isclass(implementation) else None
        if self._class is not None:
            self.implementation_ = f"{implementation.__module__}.{implementation.__name__}"
        else:
            self.implementation_ = implementation or environment().get("MLSERVER_MODEL_IMPLEMENTATION", "")

    @property
    def implementation(self) -> Foreign:
        """The class, imported where it was given as text."""
        if self._class is None:
            module, _, name = self.implementation_.rpartition(".")
            self._class = getattr(importlib.import_module(module), name)
        return self._class

    @implementation.setter
    def implementation(self, value: Foreign) -> None:
        self._class = value

    @property
    def version(self) -> str | None:
        """The version in `parameters`."""
        return self.parameters.version if self.parameters is not None else None

    @classmethod
    def parse_file(cls, path: str | Path) -> ModelSettings:
        """Return the settings in a JSON file, which their paths are relative to."""
        settings: ModelSettings = super().parse_file(path)
        settings._source = str(path)
        return settings

    def _values(self) -> dict[str, Foreign]:
        return {**super()._values(), "implementation": self.implementation_, "parameters": self.parameters}
