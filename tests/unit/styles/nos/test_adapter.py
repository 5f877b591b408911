"""Classes in specs as the server's models: tensors and JSON to what type hints say, and back."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, List, Optional, Union  # noqa: UP035 - as authors write them

import numpy as np
import pytest
from modelwright.errors import InferenceError, InvalidInput
from modelwright.model import HttpRequest
from modelwright.styles.nos.adapter import Instance, NosModel
from modelwright.styles.nos.endpoint import Endpoint
from modelwright.styles.nos.library.common import ModelSpec
from modelwright.tensors import InferenceRequest, Tensor, datatype_of
from PIL import Image

PICTURE = Image.new("RGBA", (4, 2), (255, 0, 0, 255))


def png(image: Image.Image = PICTURE) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


BASE64 = base64.b64encode(png()).decode()
URL = f"data:image/png;base64,{BASE64}"


class Model:
    made = 0

    def __init__(self, bias: int = 0) -> None:
        Model.made += 1
        self.bias = bias

    def encode_image(
        self,
        images: Union[Image.Image, np.ndarray, List[Image.Image], List[np.ndarray]],  # noqa: UP006, UP007
    ) -> np.ndarray:
        images = images if isinstance(images, list) else [images]
        return np.array([[np.asarray(each).mean(), len(np.shape(each))] for each in images], np.float32)

    def encode_text(self, texts: Union[str, List[str]]) -> np.ndarray:  # noqa: UP006, UP007
        return np.array([len(each) for each in ([texts] if isinstance(texts, str) else texts)])

    def told(self, x: Any) -> str:
        return f"{type(x).__name__} {x!r}"

    def typed(self, a: int, b: float = 2.0, *, c: Optional[List[int]] = None) -> dict[str, Any]:  # noqa: UP006, UP045
        return {"a": a + self.bias, "b": b, "c": c or []}

    def pictures(self, image: Image.Image) -> list[Image.Image]:
        return [image, image]

    def parts(self, raw: bytes, options: dict[str, int], listed: list[np.ndarray]) -> tuple[Any, ...]:
        return raw, options["n"], [each * 2 for each in listed], None

    async def later(self, x: np.ndarray) -> np.ndarray:
        return x * 2

    def words(self, n: int) -> Iterator[str]:
        for number in range(n):
            yield f"{number} "

    async def numbers(self, n: int) -> AsyncIterator[int]:
        for number in range(n):
            yield number

    def odd(self) -> Any:
        return [object()]

    def _hidden(self) -> None: ...


class Inline:
    """An Execution that runs code at once."""

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)


def instance() -> Instance:
    return Instance(
        ModelSpec.from_cls(Model, init_kwargs={"bias": 10}, method="told", model_id="my/model"), "my--model"
    )


async def served(method: str | None = None) -> NosModel:
    model = NosModel(instance(), method)
    model.bind(Inline())
    await model.load()
    return model


def tensor(name: str, values: object, datatype: str | None = None) -> Tensor:
    array = np.asarray(values, dtype=object if datatype == "BYTES" else None)
    return Tensor(name, datatype or datatype_of(array), array.shape, array)


async def infer(method: str, *inputs: Tensor, **parameters: object) -> list[Tensor]:
    model = await served()
    request = InferenceRequest("m", list(inputs), id="7", parameters={"method": method, **parameters})
    response = await model.infer(request)
    assert (response.id, response.model_name) == ("7", "my--model")
    return response.outputs


async def test_images_come_as_text_bytes_or_arrays() -> None:
    red = [[(255 + 0 + 0) / 3, 3]]
    for data in (URL.encode(), BASE64.encode(), png()):
        (output,) = await infer("encode_image", tensor("images", [data], "BYTES"))
        assert (output.name, output.datatype, output.shape, output.data.tolist()) == ("result", "FP32", (1, 2), red)
    (output,) = await infer("encode_image", tensor("images", np.zeros((2, 2, 4, 3), np.uint8)))
    assert output.data.tolist() == [[0, 4]], "an array where arrays are taken"
    (output,) = await infer("pictures", tensor("image", np.zeros((2, 4, 3), np.uint8)))
    assert [each[:22] for each in output.data] == [b"data:image/png;base64,"] * 2
    for wrong in (tensor("image", np.zeros((2, 4, 3), np.float32)), tensor("image", [b"no image"], "BYTES")):
        with pytest.raises(InvalidInput, match="input 'image' is no image"):
            await infer("pictures", wrong)


async def test_text_numbers_and_lists_become_what_the_hint_says() -> None:
    (output,) = await infer("encode_text", tensor("texts", [b"ab", b"c"], "BYTES"))
    assert output.data.tolist() == [2, 1]
    outputs = await infer("typed", tensor("a", [1]), tensor("c", [1, 2]))
    assert {each.name: each.data.tolist() for each in outputs} == {"a": [11], "b": [2.0], "c": [1, 2]}
    outputs = await infer(
        "parts",
        tensor("raw", [b"\xff"], "BYTES"),
        tensor("options", [b'{"n": 3}'], "BYTES"),
        tensor("listed", [[1, 2], [3, 4]]),
    )
    assert [(each.name, each.datatype, each.data.tolist()) for each in outputs] == [
        ("result-0", "BYTES", [b"\xff"]),
        ("result-1", "INT64", [3]),
        ("result-2", "INT64", [[2, 4], [6, 8]]),
    ], "None is no tensor"


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("typed", [tensor("a", [1, 2])], r"input 'a' is INT64 of shape \[2\]; expected an integer"),
        ("typed", [tensor("a", [b"x"], "BYTES")], "input 'a' is text; expected an integer"),
        ("typed", [tensor("b", [1.0])], "input 'a' of typed is missing; it takes a, b, c"),
        ("typed", [tensor("a", [1]), tensor("z", [1])], "typed has no input 'z'; it takes a, b, c"),
        ("encode_text", [tensor("texts", [1])], "'texts' is INT64 .* expected text or a list of text"),
        ("parts", [tensor("options", [b"{"], "BYTES")], "input 'options' is no JSON"),
        ("absent", [tensor("a", [1])], "model 'my--model' has no method 'absent'; it has told, encode_image"),
        ("_hidden", [tensor("a", [1])], "has no method '_hidden'"),
    ],
)
async def test_what_does_not_fit_is_refused(method: str, given: list[Tensor], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        await infer(method, *given)


async def test_what_no_datatype_holds_is_the_models_fault() -> None:
    with pytest.raises(InferenceError, match="'result' of the model has object, which no V2 datatype can hold"):
        await infer("odd")


async def test_v1_takes_keyword_inputs() -> None:
    model = await served()

    async def ask(**payload: object) -> Any:
        return (await model.predict_v1(payload, {})).result["predictions"]

    assert await ask(inputs={"a": 1, "b": 3}, method="typed") == {"a": 11, "b": 3.0, "c": []}
    assert await ask(instances=[{"texts": "abc"}, {"texts": ["a"]}], method="encode_text") == [[3], [1]]
    assert await ask(instances=["ab", 3]) == ["str 'ab'", "int 3"], "without a name, the first parameter's"
    assert (await ask(inputs={"images": [URL, URL]}, method="encode_image")).shape == (2, 2)
    assert (await ask(inputs={"images": [[[1, 2]]]}, method="encode_image")).tolist() == [[1.5, 3]]
    assert (await ask(inputs={"image": BASE64}, method="pictures"))[0].startswith("data:image/png;base64,")
    assert (await ask(inputs={"x": [1, 2]}, method="later")).tolist() == [2, 4]
    assert await ask(inputs={"n": 3}, method="words") == "0 1 2 ", "pieces of text are joined"
    with pytest.raises(InvalidInput, match="neither 'inputs'"):
        await ask(x=1)
    with pytest.raises(InvalidInput, match="the body must be JSON"):
        await model.predict_v1(b"", {})


async def test_a_method_has_a_model_of_its_own() -> None:
    model = await served("encode_text")
    assert (model.name, model.streams) == ("my--model.encode_text", False)
    request = InferenceRequest(model.name, [tensor("texts", [b"ab"], "BYTES")])
    assert (await model.infer(request)).outputs[0].data.tolist() == [2]
    request.parameters["method"] = "told"
    with pytest.raises(InvalidInput, match="is method 'encode_text'; ask model 'my--model'"):
        await model.infer(request)


async def test_generators_stream_and_others_are_one_piece() -> None:
    model = await served()
    assert model.streams

    async def pieces(method: str, *inputs: Tensor) -> list[Any]:
        request = InferenceRequest("m", list(inputs), parameters={"method": method})
        return [each.outputs[0].data.tolist()[0] async for each in model.stream(request)]

    assert await pieces("words", tensor("n", [2])) == [b"0 ", b"1 "]
    assert await pieces("numbers", tensor("n", [2])) == [0, 1]
    assert await pieces("typed", tensor("a", [1])) == [11]


async def test_all_models_of_a_class_share_its_object() -> None:
    shared = instance()
    models = [NosModel(shared), NosModel(shared, "told"), NosModel(shared, "typed")]
    before = Model.made
    for model in models:
        await model.load()
    assert Model.made == before + 1
    for model in models[:2]:
        model.unload()
    assert shared.methods["told"].bound is not None
    models[2].unload()
    assert shared.methods["told"].bound is None


async def test_nos_own_endpoint_answers_as_nos_does() -> None:
    endpoint = Endpoint()
    model = await served()
    endpoint.models = [model]
    route, _ = endpoint.routes
    assert [(each.method, each.path) for each in endpoint.routes] == [("POST", "/v1/infer"), ("POST", "/v1/infer/file")]

    async def ask(body: object) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await route.answer(HttpRequest("POST", "/v1/infer", {}, "", {}, data))
        if isinstance(answer.body, AsyncIterator):
            return answer.status, b"".join([piece async for piece in answer.body])
        return answer.status, json.loads(answer.body)

    asked = {"model_id": "my/model", "inputs": {"images": [URL]}, "method": "encode_image"}
    assert await ask(asked) == (201, [[85.0, 3.0]])
    assert await ask({"model_id": "my--model", "inputs": {"x": 1}}) == (201, "int 1")
    status, answer = await ask({"model_id": "other", "inputs": {}})
    assert (status, answer["error"]) == (400, "'model_id' 'other' is not served here; these are: my/model")
    for wrong in (b"{", {"model_id": "my/model"}, {**asked, "inputs": {"z": 1}}):
        assert (await ask(wrong))[0] == 400
    assert await ask({**asked, "stream": True}) == (200, b"[[85.0,3.0]]\n")
