"""What `start()` takes, today's list and yesterday's dict."""

import logging
from typing import Any

import pytest
from modelwright.styles.kserve import launch
from modelwright.styles.kserve.twins.errors import NoModelReady
from modelwright.styles.kserve.twins.model import Model
from modelwright.styles.kserve.twins.model_server import ModelServer


class Named(Model):
    def __init__(self, name: str) -> None:
        super().__init__(name)


class Nameless(Model):
    def __init__(self) -> None:
        super().__init__("own")


class Broken(Model):
    def __init__(self) -> None:
        super().__init__("own")
        int(None)  # type: ignore[arg-type]  # the author's own mistake


class Deployment:
    """What Ray's decorator leaves in the place of the class."""

    def __init__(self, kind: Any) -> None:
        self.func_or_class = kind


def test_a_list_gives_each_model_under_its_own_name() -> None:
    made = Nameless()
    assert list(launch.named([made])) == [("own", made)]


@pytest.mark.parametrize("given", [Named, Nameless, Deployment(Named)])
def test_a_class_in_a_dict_becomes_an_instance_in_this_process(given: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kserve"):
        caplog.handler.setLevel(logging.INFO)
        logging.getLogger("kserve").addHandler(caplog.handler)
        ((name, model),) = launch.named({"m": given})
        logging.getLogger("kserve").removeHandler(caplog.handler)
    assert (name, isinstance(model, Model)) == ("m", True)
    assert "runs in this process and its forked workers, not on Ray" in caplog.text


def test_the_author_s_own_type_error_is_not_taken_for_a_missing_name() -> None:
    with pytest.raises(TypeError, match="int"):
        list(launch.named({"m": Broken}))


def test_what_is_no_collection_of_models_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Unknown model collection type"):
        ModelServer().start(3)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="Model type should be 'BaseKServeModel'"):
        ModelServer().start([object()])  # type: ignore[list-item]


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(NoModelReady):
        ModelServer().start([])


def test_a_model_may_be_registered_under_another_name() -> None:
    server = ModelServer()
    server.register_model(Nameless(), "alias")
    assert list(server.registered_models.get_models()) == ["alias"]
    with pytest.raises(ValueError, match=r"model\.name must be provided"):
        server.register_model(Named(""))
