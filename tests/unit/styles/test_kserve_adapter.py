"""A kserve model behind the server's interface: which handlers run, with what, and what their answers become."""

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from modelwright import errors
from modelwright.styles.kserve.adapter import KServeModel
from modelwright.styles.kserve.twins import errors as kserve_errors
from modelwright.styles.kserve.twins.model import InferenceVerb, Model
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig
from modelwright.styles.kserve.twins.protocol.infer_type import InferOutput, InferRequest, InferResponse
from modelwright.tensors import InferenceRequest, RequestedOutput, Tensor
from modelwright.timings import TIMINGS, Timings

REST = {"host": "here", "x-request-id": "r-1"}


class Base(Model):
    def __init__(self, **more: Any) -> None:
        super().__init__("m", **more)
        self.ready = True


def test_a_model_goes_to_replicas_as_it_is_before_it_is_bound():
    # The compiled server is tested with this too: what is compiled cannot be pickled.
    assert pickle.loads(pickle.dumps(KServeModel(Base()))).name == "m"


def answering(predict: Callable[..., Any], **handlers: Any) -> KServeModel:
    kind = type("Made", (Base,), {"predict": predict, **handlers})
    return KServeModel(kind())


def tensor(values: Any, datatype: str = "FP32", **more: Any) -> Tensor:
    array = np.asarray(values, dtype={"FP32": "<f4", "INT64": "<i8", "BYTES": object}[datatype])
    return Tensor("x", datatype, array.shape, array, **more)


def request(*tensors: Tensor, headers: dict[str, str] | None = None, **more: Any) -> InferenceRequest:
    return InferenceRequest("m", list(tensors) or [tensor([[1.5, 2.0]])], headers=headers or REST, **more)


# -- handlers --------------------------------------------------------------------------------------------------------


async def test_handlers_run_in_kserve_s_order_sync_and_async_mixed() -> None:
    def preprocess(self: Any, payload: Any, headers: Any = None) -> Any:
        return [*payload["instances"], "pre"]

    async def predict(self: Any, payload: Any, headers: Any = None) -> Any:
        return [*payload, "predict"]

    def postprocess(self: Any, result: Any, headers: Any = None) -> Any:
        return {"predictions": [*result, "post"]}

    model = answering(predict, preprocess=preprocess, postprocess=postprocess)
    assert (await model.predict_v1({"instances": ["in"]}, {})).result == {
        "predictions": ["in", "pre", "predict", "post"]
    }


@pytest.mark.parametrize(
    "predict",
    [
        lambda self, payload: {"predictions": payload["instances"]},
        lambda self, payload, headers: {"predictions": payload["instances"], "h": headers},
        lambda self, payload, headers=None, response_headers=None: {"predictions": payload["instances"]},
        lambda self, *everything: {"predictions": everything[0]["instances"]},
        lambda self, payload, *, headers=None: {"predictions": payload["instances"]},
    ],
)
async def test_a_handler_gets_as_many_arguments_as_it_takes(predict: Callable[..., Any]) -> None:
    assert (await answering(predict).predict_v1({"instances": [1]}, {})).result["predictions"] == [1]


async def test_response_headers_reach_the_answer_when_the_author_asked_for_them() -> None:
    class Asking(Base):
        def __init__(self) -> None:
            super().__init__(return_response_headers=True)

        def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
            response_headers["x-a"] = "1"
            return {}

        def postprocess(self, result: Any, headers: Any = None, response_headers: Any = None) -> Any:
            response_headers["x-b"] = "2"
            return result

    assert (await KServeModel(Asking()).predict_v1({}, {})).headers == {"x-a": "1", "x-b": "2"}


async def test_synchronous_code_runs_where_the_server_says() -> None:
    class Thread:
        async def call(self, function: Any, *arguments: Any) -> Any:
            return await asyncio.to_thread(function, *arguments)

    model = answering(lambda self, payload, headers=None: {"thread": threading.get_ident()})
    model.bind(Thread())
    assert (await model.predict_v1({}, {})).result["thread"] != threading.get_ident()


async def test_an_author_s_own_call_takes_the_place_of_the_handlers() -> None:
    async def call(self: Any, body: Any, headers: Any = None, verb: Any = InferenceVerb.PREDICT) -> Any:
        return {"verb": verb.name}, {"x-own": "1"}

    model = answering(lambda self, payload: None, __call__=call)
    answer = await model.explain_v1({}, {})
    assert (answer.result, answer.headers) == ({"verb": "EXPLAIN"}, {"x-own": "1"})


async def test_the_model_can_be_called_without_a_server() -> None:
    model = answering(lambda self, payload, headers=None: {"predictions": headers["a"]}).user
    assert await model({"instances": []}, {"a": "b"}) == ({"predictions": "b"}, {})


async def test_each_handler_s_time_is_told() -> None:
    timings = Timings()
    token = TIMINGS.set(timings)
    try:
        await answering(lambda self, payload: {}).predict_v1({}, REST)
    finally:
        TIMINGS.reset(token)
    assert timings.preprocess > 0
    assert timings.predict > 0
    assert timings.postprocess > 0
    assert timings.explain == 0


# -- requests --------------------------------------------------------------------------------------------------------


async def seen(asked: InferenceRequest) -> InferRequest:
    kept: list[InferRequest] = []
    await answering(lambda self, payload: kept.append(payload) or {"predictions": [1]}).infer(asked)
    return kept[0]


async def test_the_author_gets_an_infer_request_without_a_copy() -> None:
    given = tensor([[1.5, 2.0]], parameters={"a": 1})
    payload = await seen(request(given, id="7", outputs=[RequestedOutput("y", {"binary_data": True})]))
    assert isinstance(payload, InferRequest)
    assert np.shares_memory(payload.inputs[0].as_numpy(), given.data)
    assert payload.inputs[0].data == [[1.5, 2.0]]
    assert (payload.id, payload.inputs[0].parameters, payload.from_grpc) == ("7", {"a": 1}, False)
    assert payload.request_outputs is not None
    assert payload.request_outputs[0].binary_data is True


async def test_a_read_only_tensor_may_be_written_into_by_the_author() -> None:
    given = tensor([1.5])
    given.data.flags.writeable = False
    array = (await seen(request(given))).inputs[0].as_numpy()
    array *= 2
    assert given.data.tolist() == [1.5]


async def test_text_is_str_over_rest_and_bytes_over_grpc() -> None:
    given = tensor([b"a", "ü".encode()], "BYTES")
    assert (await seen(request(given))).inputs[0].as_numpy().tolist() == ["a", "ü"]
    over_grpc = await seen(request(given, headers={"user-agent": "grpc"}))
    assert (over_grpc.inputs[0].data, over_grpc.from_grpc) == ([b"a", "ü".encode()], True)
    assert over_grpc.inputs[0].as_string() == ["a", "ü"]


async def test_bytes_that_are_no_text_stay_bytes() -> None:
    assert (await seen(request(tensor([b"\xff"], "BYTES")))).inputs[0].data == [b"\xff"]


# -- answers ---------------------------------------------------------------------------------------------------------

PART = {"name": "y", "datatype": "FP32", "shape": [1, 2]}


@pytest.mark.parametrize(
    "result",
    [
        {"outputs": [{**PART, "data": [[1.0, 2.0]]}]},
        {"outputs": [{**PART, "data": [1.0, 2.0]}]},
        {"outputs": [{**PART, "data": np.array([1.0, 2.0])}]},
        {"outputs": [{**PART, "contents": {"fp32_contents": [1.0, 2.0]}}]},
        {"outputs": [{**PART, "contents": {"fp32_contents": [[1.0, 2.0]]}}]},
        InferResponse("i", "m", [InferOutput("y", [1, 2], "FP32", [1.0, 2.0])]),
        InferResponse("i", "m", [InferOutput("y", [1, 2], "FP32", np.array([[1, 2]], dtype=np.float32))]),
    ],
)
async def test_every_form_of_a_v2_answer_becomes_the_same_tensor(result: Any) -> None:
    answer = await answering(lambda self, payload: result).infer(request())
    assert [(out.name, out.datatype, out.shape, out.data.tolist()) for out in answer.outputs] == [
        ("y", "FP32", (1, 2), [[1.0, 2.0]])
    ]
    assert answer.outputs[0].data.dtype == np.float32


async def test_raw_contents_of_an_answer_become_a_tensor() -> None:
    output = InferOutput("y", [2], "INT64")
    output.set_data_from_numpy(np.array([3, 4]))
    answer = await answering(lambda self, payload: InferResponse("i", "m", [output])).infer(request())
    assert (answer.outputs[0].data.tolist(), answer.outputs[0].parameters) == ([3, 4], {})


async def test_an_array_goes_out_without_becoming_a_list() -> None:
    output = InferOutput("y", [3], "FP32")
    output.set_data_from_numpy(np.ones(3, dtype=np.float32), binary_data=False)
    answer = await answering(lambda self, payload: InferResponse("i", "m", [output])).infer(request())
    assert np.shares_memory(answer.outputs[0].data, output.as_numpy())
    assert output._data is None
    assert output.data == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("result", [{"predictions": [[1, 2]]}, np.array([[1, 2]]), [[1, 2]]])
async def test_a_v1_answer_to_a_v2_request_is_the_tensor_output_0(result: Any) -> None:
    answer = await answering(lambda self, payload: result).infer(request(id="9"))
    assert (answer.outputs[0].name, answer.outputs[0].shape, answer.id) == ("output-0", (1, 2), "9")


async def test_text_answers_are_bytes_tensors() -> None:
    answer = await answering(lambda self, payload: {"predictions": ["a", "ü"]}).infer(request())
    assert (answer.outputs[0].datatype, answer.outputs[0].data.tolist()) == ("BYTES", [b"a", "ü".encode()])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "the model answered a V2 request with NoneType; return an InferResponse"),
        ({"a": 1}, "answered a V2 request with dict"),
        ({"predictions": [[1], [1, 2]]}, "ragged"),
        ({"predictions": [{"a": 1}]}, "holds what no V2 datatype can"),
        ({"outputs": [{**PART, "data": [1.0]}]}, "'y' of the model has 1 elements; its shape [1, 2] says otherwise"),
        ({"outputs": [{**PART, "datatype": "FP99", "data": [1.0]}]}, "unknown datatype 'FP99'"),
        ({"outputs": [PART]}, "neither 'data' nor 'contents'"),
        ({"outputs": [{**PART, "datatype": "INT32", "data": ["a", "b"]}]}, "'y' of the model is not INT32"),
        (
            InferResponse("i", "m", [InferOutput("y", [1], "FP32", np.zeros(1))]),
            "got unexpected datatype FP64 from numpy array, expected FP32",
        ),
        (InferResponse("i", "m", [InferOutput("y", [3], "FP32", [1.0])]), "output 'y' of the model"),
        (InferResponse("i", "m", [InferOutput("y", [3], "FP32")]), "output 'y' of the model has no data"),
    ],
)
async def test_an_answer_that_is_none_is_a_500_that_says_why(result: Any, message: str) -> None:
    with pytest.raises(errors.InferenceError) as raised:
        await answering(lambda self, payload: result).infer(request())
    assert raised.value.status == 500
    assert message in raised.value.message


# -- refusals --------------------------------------------------------------------------------------------------------


class HTTPException(Exception):
    def __init__(self, status_code: int, detail: str) -> None:
        self.status_code, self.detail = status_code, detail


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (kserve_errors.InvalidInput("age"), 400, "age"),
        (kserve_errors.ModelNotFound("n"), 404, "Model with name n does not exist."),
        (kserve_errors.ModelNotReady("n"), 503, "Model with name n is not ready."),
        (kserve_errors.InferenceError("gpu"), 500, "gpu"),
        (kserve_errors.UnsupportedProtocol("p"), 501, "Unsupported protocol p."),
        (NotImplementedError("later"), 501, "later"),
        (HTTPException(418, "teapot"), 418, "teapot"),
        (HTTPException(429, "slowly"), 429, "slowly"),
    ],
)
async def test_what_the_author_raises_for_the_caller_keeps_its_status(
    raised: Exception, status: int, message: str
) -> None:
    def predict(self: Any, payload: Any) -> Any:
        raise raised

    with pytest.raises(errors.InferenceError) as caught:
        await answering(predict).predict_v1({}, {})
    assert (caught.value.status, caught.value.message) == (status, message)


async def test_a_mistake_of_the_author_s_passes_through_to_the_server_s_log() -> None:
    with pytest.raises(ZeroDivisionError):
        await answering(lambda self, payload: 1 / 0).predict_v1({}, {})


async def test_instances_that_are_no_list_are_refused_where_the_protocol_is_v1() -> None:
    class Configured(Base):
        def predict(self, payload: Any, headers: Any = None) -> Any:
            return payload

    model = KServeModel(Configured(predictor_config=PredictorConfig(None)))
    with pytest.raises(errors.InvalidInput, match='Expected "instances" to be a list'):
        await model.predict_v1({"instances": 3}, {})


# -- life ------------------------------------------------------------------------------------------------------------


class Loading(Base):
    def __init__(self) -> None:
        super().__init__()
        self.ready, self.calls = False, 0


@pytest.mark.parametrize("returned", [True, None])
async def test_the_server_loads_a_model_that_is_not_ready(returned: bool | None) -> None:
    class Made(Loading):
        def load(self) -> Any:
            self.calls += 1
            self.ready = returned is None
            return returned

    model = KServeModel(Made())
    assert not model.ready
    await model.load()
    await model.load()
    assert (model.ready, model.user.calls) == (True, 1)


async def test_an_async_load_is_awaited() -> None:
    class Made(Loading):
        async def load(self) -> bool:  # type: ignore[override]
            await asyncio.sleep(0)
            return True

    model = KServeModel(Made())
    await model.load()
    assert model.ready


async def test_a_load_that_leaves_the_model_unready_is_said() -> None:
    class Made(Loading):
        def load(self) -> Any:
            return None

    with pytest.raises(kserve_errors.NoModelReady, match="neither set self\\.ready"):
        await KServeModel(Made()).load()


async def test_readiness_is_what_the_author_s_healthy_says() -> None:
    class Made(Base):
        sick = False

        async def healthy(self) -> bool:
            return not self.sick

    model = KServeModel(Made())
    assert model.ready
    model.user.sick = True
    assert not model.ready


def test_unload_stops_the_model_and_its_engine() -> None:
    model = KServeModel(Base())
    model.user.engine = True
    model.unload()
    assert not model.ready


def test_declared_inputs_are_the_metadata() -> None:
    class Declared(Base):
        def get_input_types(self) -> Any:
            return [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]

        async def get_output_types(self) -> Any:
            return [{"name": "y", "datatype": "INT64", "shape": [-1]}]

    metadata = KServeModel(Declared()).metadata()
    assert (metadata.inputs[0].shape, metadata.outputs[0].name) == ((-1, 4), "y")


@pytest.mark.parametrize(
    ("arguments", "host", "asked"),
    [
        (("m", False), None, False),
        (("m", True), None, True),
        (("m", PredictorConfig("p")), "p", False),
        (("m", PredictorConfig("p"), True), "p", True),
        (("m", None, True), None, True),
    ],
)
def test_the_constructors_of_every_generation_are_understood(arguments: Any, host: str | None, asked: bool) -> None:
    model = Model(*arguments)
    config = model.predictor_config
    assert (config.predictor_host if config else None, model.required_response_headers) == (host, asked)


def test_a_transformer_of_0_11_names_its_predictor_by_attributes() -> None:
    model = Model("m")
    model.predictor_host, model.protocol = "p:80", "v2"  # type: ignore[attr-defined]
    assert model.predictor_config is not None
    assert (model.predictor_config.predictor_base_url, model.predictor_config.protocol) == ("http://p:80", "v2")
