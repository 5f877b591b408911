"""Ray's deployments of kserve models, as far as they need no Ray that runs."""

from typing import Any

import numpy as np
import pytest
from modelwright import errors
from modelwright.model import OpenAIOperation
from modelwright.server.loading import LoadFailed
from modelwright.styles.kserve import deployments
from modelwright.styles.kserve.ray_model import RayServeModel
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.model import Model
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferInput
from modelwright.styles.kserve.twins.ray import RayModel
from modelwright.tensors import InferenceRequest, Tensor
from ray import serve


class Named(Model):
    def __init__(self, name: str) -> None:
        super().__init__(name)

    async def load(self) -> bool:  # type: ignore[override]
        self.ready = True
        return True


class Never(Model):
    def __init__(self) -> None:
        super().__init__("never")

    def load(self) -> bool:
        return False


def bound(name: str, kind: Any, **options: Any) -> Any:
    return deployments._bound(name, serve.deployment(kind).options(**options))._bound_deployment


async def made(deployment: Any) -> Any:
    """Do as Ray Serve's replica does, which awaits constructors."""
    kind = deployment.func_or_class
    instance = object.__new__(kind)
    await kind.__init__(instance, *deployment.init_args, **deployment.init_kwargs)
    return instance


async def test_a_replica_is_made_with_its_name_and_loaded() -> None:
    instance = await made(bound("m", Named))
    assert (instance.name, instance.ready, type(instance).__name__) == ("m", True, "Named")


async def test_a_replica_whose_load_leaves_it_unready_does_not_start() -> None:
    with pytest.raises(RuntimeError, match=r"Never\.load\(\) neither set self\.ready nor returned True"):
        await made(bound("never", Never))


def test_the_author_s_options_stay() -> None:
    given = bound("m", Named, num_replicas=3, ray_actor_options={"num_cpus": 0.5, "num_gpus": 0.25})
    assert given.num_replicas == 3
    assert deployments._demand(given) == {"CPU": 1.5, "GPU": 0.75}
    assert deployments._demand(serve.deployment(Never)) == {"CPU": 1.0}


def test_what_is_no_kserve_model_is_refused() -> None:
    class Other:
        pass

    with pytest.raises(LoadFailed, match=r"'m' deploys .*Other.*no subclass of kserve\.Model"):
        bound("m", Other)


def test_a_tensor_travels_to_a_replica_as_an_array_and_to_genuine_kserve_as_a_list() -> None:
    tensor = InferInput("x", [2], "FP32")
    tensor.hold(np.float32([1, 2]))
    # Not by pickle: here the classes' names are those of the genuine kserve.
    for protocol, held in ((5, True), (4, False)):
        make, arguments, state, *_ = tensor.__reduce_ex__(protocol)
        assert (state.get("_array") is tensor._array) is held
        assert (state["_data"] == [1.0, 2.0]) is not held
        again = make(*arguments)
        again.__setstate__(state)
        assert np.array_equal(again.as_numpy(), tensor.as_numpy())


class Spoken(Model):
    """Answers in pieces, and to OpenAI's clients."""

    def __init__(self) -> None:
        super().__init__("spoken")
        self.ready = True

    def predict(self, payload: Any, headers: dict[str, str] | None = None) -> Any:
        for word in payload["instances"] if isinstance(payload, dict) else payload.inputs[0].data:
            if word in {"wrong", b"wrong"}:
                raise InvalidInput("no such word")
            yield word if isinstance(word, str) else word.decode()

    async def create_chat_completion(self, request: Any) -> Any:
        words = request.messages[0].content.split()
        return self._chunks(words) if request.stream else {"said": words}

    async def _chunks(self, words: list[str]) -> Any:
        for word in words:
            yield {"said": word}


async def local(kind: type[Model]) -> RayServeModel:
    """A deployment in this process, by Ray Serve's own means of testing one, behind its genuine handle."""
    handle = serve.run(serve.deployment(kind).bind(), _local_testing_mode=True)
    user = RayModel("m", handle)
    user.ready = True
    model = RayServeModel(user)
    await model.load()
    return model


def words(*given: str) -> InferenceRequest:
    data = np.array([each.encode() for each in given], object)
    return InferenceRequest("m", [Tensor("words", "BYTES", (len(given),), data)])


async def test_a_deployment_that_yields_streams_over_v2_and_v1() -> None:
    model = await local(Spoken)
    assert model.streams
    pieces = [each.outputs[0].data.tolist() async for each in model.stream(words("a", "b"))]
    assert pieces == [[b"a"], [b"b"]]
    assert (await model.infer(words("alone"))).outputs[0].data.tolist() == [b"alone"]
    with pytest.raises(errors.InvalidInput, match="ask for infer_stream"):
        await model.infer(words("a", "b"))
    with pytest.raises(errors.InvalidInput, match="no such word"):
        await model.infer(words("wrong"))
    answer = await model.predict_v1({"instances": ["a", "b"]}, {})
    assert [each async for each in answer.result] == ["a", "b"]


async def test_openai_methods_of_a_deployment_are_asked_whole_and_in_chunks() -> None:
    model = await local(Spoken)
    assert model.openai_operations == {OpenAIOperation.CHAT}
    asked = {"messages": [{"role": "user", "content": "a b"}]}
    assert await model.openai(OpenAIOperation.CHAT, asked, {}) == {"said": ["a", "b"]}
    chunks = await model.openai(OpenAIOperation.CHAT, {**asked, "stream": True}, {})
    assert not isinstance(chunks, dict)
    assert [each async for each in chunks] == [{"said": "a"}, {"said": "b"}]


async def test_a_deployment_that_returns_its_answer_neither_streams_nor_chats() -> None:
    class Plain(Model):
        def __init__(self) -> None:
            super().__init__("plain")
            self.ready = True

        def predict(self, payload: Any, headers: dict[str, str] | None = None) -> Any:
            return {"predictions": payload["instances"]}

    model = await local(Plain)
    assert (model.streams, model.openai_operations) == (False, frozenset())
    assert (await model.predict_v1({"instances": [1]}, {})).result == {"predictions": [1]}
