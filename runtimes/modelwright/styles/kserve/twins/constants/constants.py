"""kserve.constants.constants: those that a model's code uses; the rest is the genuine module's."""

from __future__ import annotations

import os
from enum import Enum
from typing import Final

KSERVE_MODEL_SERVER_NAME: Final = "kserve"
KSERVE_LOGLEVEL = os.environ.get("KSERVE_LOGLEVEL", "INFO").upper()
DEFAULT_HTTP_PORT: Final = 8080
DEFAULT_HTTPS_PORT: Final = 8443
DEFAULT_GRPC_PORT: Final = 8081
MAX_GRPC_MESSAGE_LENGTH: Final = 8 * 1024 * 1024
V1_ROUTE_PREFIX: Final = "/v1"
V2_ROUTE_PREFIX: Final = "/v2"
EXPLAINER_BASE_URL_FORMAT: Final = "{0}://{1}"
INFERENCE_CONTENT_LENGTH_HEADER: Final = "inference-header-content-length"
KSERVE_TLS_CERT_FILE_ENV: Final = "KSERVE_TLS_CERT_FILE"
KSERVE_TLS_KEY_FILE_ENV: Final = "KSERVE_TLS_KEY_FILE"

GRPC_CONTENT_DATATYPE_MAPPINGS: Final = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


class PredictorProtocol(Enum):
    """How a transformer speaks to its predictor."""

    __module__ = "kserve.constants.constants"

    REST_V1 = "v1"
    REST_V2 = "v2"
    GRPC_V2 = "grpc-v2"


class ModelType(Enum):
    """What a model is to the server: the name that kserve used before 0.12."""

    __module__ = "kserve.constants.constants"

    EXPLAINER = 1
    PREDICTOR = 2
