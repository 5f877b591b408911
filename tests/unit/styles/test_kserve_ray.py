"""Ray's deployments of kserve models, as far as they need no Ray that runs."""

from typing import Any

import numpy as np
import pytest
from modelwright.server.loading import LoadFailed
from modelwright.styles.kserve import deployments
from modelwright.styles.kserve.twins.model import Model
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferInput
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
