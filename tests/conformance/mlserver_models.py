"""Models as their authors write them for MLServer, run by the genuine one and by ours."""
# ruff: noqa: B008, B905, UP006, UP007, UP035, UP045

import logging
from datetime import datetime, timedelta
from typing import Annotated, AsyncIterator, List, Optional, Tuple, Union

import mlserver
import numpy as np
import pandas as pd
from fastapi import Depends, Header, HTTPException, Query, Response
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, NumpyRequestCodec, StringCodec, decode_args
from mlserver.errors import InferenceError, MLServerError
from mlserver.handlers import custom_handler
from mlserver.logging import logger
from mlserver.types import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    MetadataTensor,
    Parameters,
    RequestOutput,
    ResponseOutput,
)
from mlserver.utils import get_model_uri


def paging(page: int = 1) -> dict:
    """What several handlers depend on."""
    return {"page": page}


class Sum(MLModel):
    """By hand: data as lists, outputs from lists."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        total = 0.0
        for each in payload.inputs:
            total += sum(each.data)
        output = ResponseOutput(name="total", shape=[1], datatype="FP64", data=[total])
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])


class Codecs(MLModel):
    """The advanced interface: codecs by content type, then a default."""

    async def load(self) -> bool:
        self._path = await get_model_uri(self._settings, ["models.py"])
        logger.info("loaded from %s", self._path)
        return self._path.endswith("models.py")

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        decoded = {each.name: self.decode(each, default_codec=NumpyCodec) for each in payload.inputs}
        outputs = [self.encode(value, RequestOutput(name=f"{name}-back")) for name, value in decoded.items()]
        kinds = [type(value).__name__ for value in decoded.values()]
        return InferenceResponse(
            id="mine", model_name="another", outputs=[*outputs, StringCodec.encode_output("kinds", kinds)]
        )


class Requests(MLModel):
    """Whole requests: by the request's content type, else as an array."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        decoded = self.decode_request(payload, default_codec=NumpyRequestCodec)
        if isinstance(decoded, pd.DataFrame):
            decoded = decoded.rename(columns=str.upper)
        return self.encode_response(decoded, default_codec=NumpyRequestCodec)


class Raw(MLModel):
    """What the parts of a request are."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        first = payload.inputs[0]
        content_type = first.parameters.content_type if first.parameters else None
        custom = getattr(payload.parameters, "threshold", None)
        said = [
            first.name,
            str(first.datatype),
            str(first.shape),
            str(list(first.data)),
            str(len(first.data)),
            str(first.data[0]),
            str(content_type),
            str(custom),
            str([each.name for each in payload.outputs or []]),
            str(Datatype(first.datatype)),
            str(sorted(first.model_dump())),
            str(payload.id is not None),
        ]
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("said", said)])


class Numpy(MLModel):
    @decode_args
    async def predict(self, x: np.ndarray, scale: np.ndarray = np.array([2.0])) -> np.ndarray:
        x *= scale.astype(x.dtype)
        return x


class Answers(MLModel):
    """The question-answering model of MLServer's documentation."""

    @decode_args
    async def predict(self, questions: List[str], context: List[str]) -> np.ndarray:
        return np.array([[len(q), len(c)] for q, c in zip(questions, context)], dtype=np.int32)


class Strings(MLModel):
    @decode_args
    async def predict(self, text: List[str], other: Optional[List[str]] = None) -> List[str]:
        return [each.upper() for each in text] + (other or [])


class Blobs(MLModel):
    @decode_args
    async def predict(self, blobs: List[bytes]) -> List[bytes]:
        return [each[::-1] for each in blobs]


class Dates(MLModel):
    @decode_args
    async def predict(self, dates: List[Union[str, datetime]]) -> List[Union[str, datetime]]:
        return [each + timedelta(days=1) for each in dates]


class Frame(MLModel):
    @decode_args
    async def predict(self, frame: pd.DataFrame, factor: np.ndarray = np.array([1])) -> pd.DataFrame:
        frame["sum"] = (frame["a"] + frame["b"]) * factor[0]
        return frame


class Several(MLModel):
    @decode_args
    async def predict(self, x: np.ndarray) -> Tuple[np.ndarray, List[str]]:
        return x.astype(np.float32) / 2, [str(each) for each in x.ravel().tolist()]


class Wrong(MLModel):
    """Returns what its hints do not say."""

    @decode_args
    async def predict(self, x: np.ndarray) -> List[str]:
        return x


class Headers(MLModel):
    """The headers of MLServer's documentation, in and out."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        seen = payload.parameters.headers.get("x-tenant", "nobody")
        return InferenceResponse(
            model_name=self.name,
            outputs=[StringCodec.encode_output("seen", [seen])],
            parameters=Parameters(headers={"x-seen": seen}, content_type="str", note="kept"),
        )


class Events(MLModel):
    """The headers that MLServer adds to what it is asked."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        seen = [f"{name}: {value}" for name, value in payload.parameters.headers.items() if name.startswith("Ce-")]
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("seen", sorted(seen))])


class Kinds(MLModel):
    """Outputs of every kind, by name of the datatype that is asked for."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        wanted = payload.inputs[0].data[0]
        wanted = wanted if isinstance(wanted, str) else wanted.decode()
        made = {
            "nan": np.array([1.5, np.nan]),
            "scalar": np.array(3.0),
            "bool": np.array([[True, False]]),
            "int8": np.array([[-128, 127]], dtype=np.int8),
            "uint64": np.array([2**64 - 1], dtype=np.uint64),
            "half": np.array([[0.5]], dtype=np.float16),
            "text": np.array(["ä", "bcd"]),
            "cube": np.arange(8).reshape(2, 2, 2),
            "empty": np.zeros((0, 3)),
        }
        if wanted in made:
            output = NumpyCodec.encode_output(wanted, made[wanted])
        elif wanted == "nested":
            output = ResponseOutput(name=wanted, shape=[2, 2], datatype="INT32", data=[[1, 2], [3, 4]])
        elif wanted == "enum":
            output = ResponseOutput(name=wanted, shape=[1], datatype=Datatype.BYTES, data=["plain"])
        else:
            output = Base64Codec.encode_output(wanted, [b"\x00\x01"])
        return InferenceResponse(model_name=self.name, outputs=[output])


class Failing(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        how = payload.inputs[0].data[0]
        how = how if isinstance(how, str) else how.decode()
        if how == "inference":
            raise InferenceError("not today")
        if how == "teapot":
            raise MLServerError("short and stout", 418)
        if how == "missing":
            raise MLServerError("no such row", 404)
        if how == "unprocessable":
            raise MLServerError("no such column", 422)
        raise KeyError(how)


class Unready(MLModel):
    async def load(self) -> bool:
        return False


class Streaming(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("whole", ["a b c"])])

    async def predict_stream(self, payloads: AsyncIterator[InferenceRequest]) -> AsyncIterator[InferenceResponse]:
        async for payload in payloads:
            for word in StringCodec.decode_input(payload.inputs[0])[0].split():
                output = StringCodec.encode_output("word", [word])
                yield InferenceResponse(id=payload.id, model_name=self.name, outputs=[output])


class Handlers(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, outputs=[])

    @custom_handler(rest_path="/sum-of")
    async def sum_of(self, values: list) -> int:
        return sum(values)

    @custom_handler(rest_path="/items/{item}", rest_method="GET")
    async def item(self, item: int, verbose: bool = False) -> dict:
        return {"item": item, "verbose": verbose}

    @custom_handler(rest_path="/refused", rest_method="GET")
    async def refused(self) -> dict:
        raise MLServerError("not here", 404)

    @custom_handler(rest_path="/paged/{item}", rest_method="GET")
    async def paged(
        self,
        item: int,
        response: Response,
        limit: Annotated[int, Query(le=20)] = 10,
        tenant: str = Header("nobody", alias="x-tenant"),
        paging: dict = Depends(paging),
    ) -> dict:
        if item > 5:
            raise HTTPException(403, "not for you")
        if item > 4:
            raise MLServerError("gone", 404)
        response.headers["x-page"] = str(paging["page"])
        return {"item": item, "limit": limit, "tenant": tenant, "paging": paging, "model": self.name}

    @custom_handler(rest_path="/merged")
    async def merged(self, left: dict, right: dict) -> dict:
        return left | right


class Declared(MLModel):
    async def load(self) -> bool:
        self.outputs = [MetadataTensor(name="y", datatype="FP32", shape=[-1, 1])]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        mlserver.log(rows=payload.inputs[0].shape[0])
        x = self.decode(payload.inputs[0])
        logging.getLogger(__name__).info("%s", type(x))
        # With inputs in the settings, their content type decodes.
        kind = StringCodec.encode_output("kind", [type(x).__name__])
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[kind])
