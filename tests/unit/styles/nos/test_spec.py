"""ModelSpec and its parts, as authors use them."""

from __future__ import annotations

import pytest
from modelwright.styles.nos import packages
from modelwright.styles.nos.library.common import FunctionSignature, InputValidationException, ModelSpec, RuntimeEnv
from modelwright.styles.nos.library.common.spec import ModelDeploymentSpec


class Model:
    def __init__(self, name: str = "x") -> None:
        self.name = name

    def zebra(self, x: int, **options: int) -> int:
        return x

    def ape(self, images: list[int], n: int = 1) -> int:
        return n

    def _hidden(self) -> None: ...

    @staticmethod
    def still() -> None: ...

    @classmethod
    def of_the_class(cls) -> None: ...


def test_every_function_becomes_a_method_the_chosen_one_first() -> None:
    assert list(ModelSpec.from_cls(Model).signature) == ["_hidden", "ape", "still", "zebra"]
    spec = ModelSpec.from_cls(Model, method="zebra", init_kwargs={"name": "y"}, model_id="a/b.c-1_2")
    assert list(spec.signature) == ["zebra", "_hidden", "ape", "still"]
    assert (spec.default_method, spec.id, spec.name) == ("zebra", "a/b.c-1_2", "a/b.c-1_2")
    assert spec.default_signature.init_kwargs == {"name": "y"}
    spec.set_default_method("ape")
    assert (spec.default_method, spec.default_signature.method) == ("ape", "ape")
    assert spec("z").name == "z"
    assert (spec.task(), spec.metadata("zebra").method) == (None, "zebra")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"func_or_cls": len}, "is no class"),
        ({"func_or_cls": Model, "method": "absent"}, "Model has no method 'absent'"),
        ({"func_or_cls": Model, "model_id": "a b"}, "may have letters, digits"),
    ],
)
def test_what_is_no_model_is_a_value_error(arguments: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ModelSpec.from_cls(**arguments)
    with pytest.raises(ValueError, match="has no method 'none'"):
        ModelSpec.from_cls(Model).set_default_method("none")


def test_names_are_all_that_is_validated() -> None:
    signature = ModelSpec.from_cls(Model).signature["ape"]
    assert FunctionSignature.validate({"self": 1, "n": "no number"}, signature.parameters)
    assert FunctionSignature.validate({}, signature.parameters) == {}
    with pytest.raises(InputValidationException, match="unknown inputs size; the method takes images, n"):
        FunctionSignature.validate({"size": 1}, signature.parameters)
    open_ended = ModelSpec.from_cls(Model).signature["zebra"].parameters
    assert FunctionSignature.validate({"anything": 1}, open_ended) == {"anything": 1}


def test_a_runtime_env_records_packages() -> None:
    environment = RuntimeEnv.from_packages(["scikit-learn", "onnx>=1"])
    assert packages.of(environment) == ("scikit-learn", "onnx>=1")
    assert packages.of(RuntimeEnv({"dependencies": ["python=3.10"]})) == packages.of(None) == ()
    assert environment.conda == {"dependencies": ["pip", {"pip": ["scikit-learn", "onnx>=1"]}]}
    assert ModelSpec.from_cls(Model, pip=["onnx"]).runtime_env == RuntimeEnv.from_packages(["onnx"])
    assert ModelDeploymentSpec().num_replicas == 1


def test_packages_are_those_that_are_installed() -> None:
    assert packages.missing(["numpy>=1", "Pillow", "pytest [x] ; python_version > '3'"]) == []
    missing = ["no-such-package>1", "https://x/y.zip"]
    assert packages.missing(["numpy", *missing]) == missing
