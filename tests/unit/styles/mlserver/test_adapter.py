"""An author's MLModel as the server sees it."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from modelwright.errors import InferenceError, InvalidInput, ModelNotFound, NotImplementedByModel
from modelwright.model import TensorMetadata
from modelwright.server import declared
from modelwright.styles.mlserver.predicted import Predicted
from modelwright.tensors import RequestedOutput, Tensor

from tests.unit.styles.mlserver.authors import Inline, found, loaded, numbers, request, run, text, write


def said(response) -> list[str]:
    return [each.decode() for each in response.outputs[0].data.ravel().tolist()]


def test_an_array_goes_through_without_a_copy(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                x = NumpyCodec.decode_input(payload.inputs[0])
                return InferenceResponse(outputs=[NumpyCodec.encode_output("y", x)])
        """,
    )
    given = numbers("x", [[1, 2]])
    answer = run(model.infer(request(given, id="1")))
    assert (answer.model_name, answer.id) == ("m", "1")
    assert np.shares_memory(answer.outputs[0].data, given.data)


def test_headers_and_parameters(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                p = payload.parameters
                found = [p.headers["x-a"], p.mine, str(hasattr(p, "_decoded_payload")), type(p.model_dump()).__name__]
                return InferenceResponse(
                    outputs=[StringCodec.encode_output("o", found)],
                    parameters=Parameters(headers={"foo": 5}, kept=1, _private=2),
                )
        """,
    )
    forged = {"headers": {"x-a": "forged"}, "mine": "m", "_decoded_payload": 1, "model_dump": 2}
    asked = request(numbers("x", [1]), parameters=forged)
    asked.headers = {"x-a": "real"}
    answer = run(model.infer(asked))
    assert said(answer) == ["real", "m", "False", "dict"]
    assert (answer.headers["foo"], answer.parameters) == ("5", {"kept": 1})
    assert answer.headers["Ce-Id"] == answer.headers["Ce-Requestid"] == answer.id


def test_a_content_type_that_is_none(tmp_path) -> None:
    model = loaded(tmp_path, "class M(MLModel): ...\n")
    with pytest.raises(InvalidInput, match="'content_type' must be a string"):
        run(model.infer(request(numbers("x", [1]), parameters={"content_type": 3})))


def test_text_over_rest_and_bytes_over_grpc(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                kinds = [type(each).__name__ for each in payload.inputs[0].data]
                return InferenceResponse(outputs=[StringCodec.encode_output("o", kinds)])
        """,
    )
    assert said(run(model.infer(request(text("x", "a"))))) == ["str"]
    assert said(run(model.infer(request(text("x", b"\xff"))))) == ["bytes"]
    assert said(run(model.infer(request(text("x", "a"), rest=False)))) == ["bytes"]


def test_requested_outputs_are_shown(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                names = [f"{each.name} {each.parameters.content_type}" for each in payload.outputs]
                return InferenceResponse(outputs=[StringCodec.encode_output("o", names)])
        """,
    )
    asked = request(numbers("x", [1]), outputs=[RequestedOutput("o", {"content_type": "np"})])
    assert said(run(model.infer(asked))) == ["o np"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("5", "must return an InferenceResponse, not int"),
        ("output([1, 2], [3], 'FP32')", r"'o' of the model has 2 elements; its shape \[3\]"),
        ("output([1.5], [1], 'INT32')", "'o' of the model is no tensor of INT32: it holds float64"),
        ("output([300], [1], 'INT8')", "'o' of the model is no tensor of INT8"),
        ("output([{}], [1], 'BYTES')", "its elements are dict, not str or bytes"),
        ("output([[1], [2, 3]], [3], 'FP32')", "'o' of the model is no tensor of FP32"),
    ],
)
def test_an_answer_that_is_none_names_the_output(tmp_path, answer, message) -> None:
    model = loaded(
        tmp_path,
        f"""
        def output(data, shape, datatype):
            outputs = [ResponseOutput(name="o", shape=shape, datatype=datatype, data=data)]
            return InferenceResponse(outputs=outputs)
        class M(MLModel):
            async def predict(self, payload):
                return {answer}
        """,
    )
    with pytest.raises(InferenceError, match=message) as raised:
        run(model.infer(request(numbers("x", [1]))))
    assert raised.value.status == 500


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("raise MLServerError('no', 404)", ModelNotFound, 404),
        ("raise MLServerError('no')", InvalidInput, 400),
        ("raise MLServerError('no', 418)", InferenceError, 418),
        ("raise NotImplementedError('no')", NotImplementedByModel, 501),
        ("raise KeyError('no')", KeyError, None),
    ],
)
def test_what_authors_raise(tmp_path, code, kind, status) -> None:
    model = loaded(
        tmp_path,
        f"""
        from mlserver.errors import MLServerError
        class M(MLModel):
            async def predict(self, payload):
                {code}
        """,
    )
    with pytest.raises(kind, match="no") as raised:
        run(model.infer(request(numbers("x", [1]))))
    assert getattr(raised.value, "status", None) == status


def test_what_load_returns_is_readiness(tmp_path, caplog) -> None:
    model = loaded(tmp_path, "class M(MLModel):\n    async def load(self): self.weights = 1\n")
    assert not model.ready
    assert "its load() returned None; it must return True" in caplog.text


def test_each_load_makes_a_new_object(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                return InferenceResponse(outputs=[StringCodec.encode_output("o", [str(id(self))])])
        """,
    )
    first = said(run(model.infer(request(numbers("x", [1])))))
    model.unload()
    assert not model.ready
    kept = model._kind  # so that the second object is not made where the first was
    assert kept
    run(model.load())
    assert model.ready
    assert len(said(run(model.infer(request(numbers("x", [1])))))) == len(first)


@pytest.mark.parametrize("wait", ["pass", "await asyncio.sleep(0)"])
def test_unload_is_run_to_its_end_beside_a_running_loop(tmp_path, wait) -> None:
    model = loaded(
        tmp_path,
        f"""
        class M(MLModel):
            async def unload(self):
                {wait}
                print("unloaded", self.name)
                raise OSError("no more")
        """,
    )

    async def serving() -> None:
        model.unload()

    with pytest.raises(OSError, match="no more"):
        asyncio.run(serving())
    model.unload()


def test_what_computes_runs_where_synchronous_code_does(tmp_path) -> None:
    for number, (body, computed) in enumerate(
        [
            ("return InferenceResponse(outputs=[])", True),
            ("await asyncio.sleep(0)\n        return InferenceResponse(outputs=[])", False),
            ("asyncio.get_running_loop()\n        return InferenceResponse(outputs=[])", False),
            ("return (await self.other())", False),
        ]
    ):
        folder = tmp_path / str(number)
        model = loaded(
            folder,
            f"class M(MLModel):\n    async def other(self):\n        return InferenceResponse(outputs=[])\n"
            f"    async def predict(self, payload):\n        {body}\n",
        )
        execution = Inline()
        model.bind(execution)
        run(model.infer(request(numbers("x", [1]))))
        assert [type(each) for each in execution.ran] == ([Predicted] if computed else []), body


def test_under_decode_args_the_authors_code_counts(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            @decode_args
            async def predict(self, x: np.ndarray) -> np.ndarray:
                return x
        """,
    )
    execution = Inline()
    model.bind(execution)
    run(model.infer(request(numbers("x", [1]))))
    assert len(execution.ran) == 1


def test_what_wants_the_loop_after_all_gets_it(tmp_path, caplog) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                helper()
                return InferenceResponse(outputs=[])
        def helper():
            asyncio.get_running_loop()
        """,
    )

    class Thread(Inline):
        async def call(self, function, *arguments):
            return await asyncio.to_thread(function, *arguments)

    model.bind(Thread())
    for _ in range(2):
        run(model.infer(request(numbers("x", [1]))))
    assert caplog.text.count("predict() of m waits for the event loop") == 1


def test_a_plain_predict_is_taken(tmp_path) -> None:
    model = loaded(
        tmp_path,
        "class M(MLModel):\n    def predict(self, payload):\n        return InferenceResponse(outputs=[])\n",
    )
    assert run(model.infer(request(numbers("x", [1])))).outputs == []


def test_a_serving_process_loads_beside_its_loop(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        import threading
        class M(MLModel):
            async def load(self):
                type(self).thread = threading.current_thread()
                return True
        """,
    )
    run(model.load())
    assert model._kind.thread is not threading.main_thread()


def test_metadata_is_told_and_binds_nobody(tmp_path) -> None:
    model = loaded(
        tmp_path,
        "class M(MLModel): ...\n",
        platform="numpy",
        versions=["numpy/2"],
        inputs=[{"name": "x", "datatype": "FP32", "shape": [4]}],
        parameters={"version": "3"},
    )
    described = model.metadata()
    assert (described.platform, described.versions) == ("numpy", ("3", "numpy/2"))
    assert described.inputs == (TensorMetadata("x", "FP32", (4,)),)
    declared.check(request(numbers("another", [1, 2], "FP64")), described)
    assert model.metadata() is described


def test_streams(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict_stream(self, payloads):
                async for payload in payloads:
                    for word in StringCodec.decode_input(payload.inputs[0])[0].split():
                        yield InferenceResponse(outputs=[StringCodec.encode_output("o", [word])])
        """,
    )

    async def all_of() -> list:
        return [(said(each), each.id) async for each in model.stream(request(text("x", "a b"), id="1"))]

    assert model.streams
    assert run(all_of()) == [(["a"], "1"), (["b"], "1")]


ROWS = """
class M(MLModel):
    @decode_args
    async def predict(self, rows: np.ndarray) -> np.ndarray:
        return rows.sum(axis=1)
"""


def test_v1_instances_are_the_one_argument(tmp_path) -> None:
    answer = run(loaded(tmp_path, ROWS).predict_v1({"instances": [[1, 2], [3, 4]]}, {}))
    assert answer.result == {"predictions": [3, 7]}


def test_v1_objects_are_inputs_by_name(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            @decode_args
            async def predict(self, q: list[str], n: np.ndarray) -> tuple[list[str], np.ndarray]:
                return [each.upper() for each in q], n.reshape(-1, 1).repeat(2, 1)
        """,
    )
    answer = run(model.predict_v1({"instances": [{"q": "a", "n": 1}, {"q": "b", "n": 2}]}, {"host": "x"}))
    assert answer.result == {
        "predictions": [{"output-0": "A", "output-1": [1, 1]}, {"output-0": "B", "output-1": [2, 2]}]
    }


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({}, "'instances' must be a list"),
        (b"image", "'instances' must be a list"),
        ({"instances": [[1], [1, 2]]}, "'rows' in 'instances' differ in shape"),
        ({"instances": [None]}, "must be all numbers"),
        ({"instances": [{"a": 1}, {"b": 1}]}, "the same keys"),
    ],
)
def test_v1_bodies_that_are_none(tmp_path, payload, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        run(loaded(tmp_path, ROWS).predict_v1(payload, {}))


def test_v1_rows_that_differ(tmp_path) -> None:
    model = loaded(
        tmp_path,
        """
        class M(MLModel):
            async def predict(self, payload):
                outputs = [NumpyCodec.encode_output(str(n), np.zeros((n, 2))) for n in (1, 2)]
                return InferenceResponse(outputs=outputs)
        """,
    )
    with pytest.raises(InferenceError, match="differ in their first dimension"):
        run(model.predict_v1({"instances": [1]}, {}))


def test_the_seeds_seven_lines_are_served(tmp_path) -> None:
    write(
        tmp_path,
        """
        class MyCustomRuntime(MLModel):
            async def load(self) -> bool:
                self._model = str.upper
                return True

            async def predict(self, payload: InferenceRequest) -> InferenceResponse:
                if payload.parameters and payload.parametes.headers:
                    print(payload.parameters.headers)
        """,
        {"model": "sum-model", "implementation": "models.MyCustomRuntime"},
    )
    (model,) = found(tmp_path).models
    model.bind(Inline())
    run(model.load())
    with pytest.raises(AttributeError, match="did you mean 'parameters'"):
        run(model.infer(request(Tensor("x", "BOOL", (1,), np.array([True])))))
