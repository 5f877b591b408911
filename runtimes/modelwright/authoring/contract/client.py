"""The source of a small typed Python client for the models of a contract; it needs the standard library only."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import NUMPY_TYPES

_BASE: Final = Path(__file__).parents[1] / "templates" / "client" / "client.py.tmpl"
_SCALARS: Final = {"BOOL": "bool", "BYTES": "str", "FP16": "float", "BF16": "float", "FP32": "float", "FP64": "float"}
# What the client's class has already.
_TAKEN: Final = frozenset(("infer", "predict"))


def source(models: Sequence[ModelMetadata]) -> str:
    """Give the module: a dataclass a model's answer, and a class `Client` with a method a model.

    Raises:
        Mistake: a tensor has no datatype of the protocol.

    """
    methods = dict(zip(_unique((each.name for each in models), _TAKEN), models, strict=True))
    classes = {method: _camel(method) + "Answer" for method in methods}
    declared = {method: model for method, model in methods.items() if model.inputs}
    answers = [line for name, model in declared.items() for line in _answer(classes[name], model.outputs)]
    body = [line for name, model in methods.items() for line in _method(name, classes[name], model)]
    base = _BASE.read_text(encoding="utf-8")
    if not answers:
        base = base.replace("from dataclasses import dataclass\n", "")
    return base.replace("# ANSWERS\n", _joined(answers)).replace("# METHODS\n", _joined(body))


def _answer(name: str, outputs: Sequence[TensorMetadata]) -> Iterator[str]:
    if not outputs:
        return
    yield from ("@dataclass(frozen=True)", f"class {name}:", '    """The outputs, as nested lists."""', "")
    for field, each in zip(_unique(each.name for each in outputs), outputs, strict=True):
        yield f"    {field}: {_hint(each, 'list')}  # {each.datatype} {list(each.shape)}"
    yield from ("", "")


def _method(name: str, answer: str, model: ModelMetadata) -> Iterator[str]:
    if not model.inputs:
        yield from (
            "",
            f"    def {name}(self, instances: Sequence[Any]) -> Any:",
            f'        """Ask {_quoted(model.name)} over V1: it declares no inputs."""',
            f'        return self.predict({_literal(model.name)}, {{"instances": instances}})',
        )  # fmt: skip
        return
    parameters = _unique(each.name for each in model.inputs)
    hints = ", ".join(f"{p}: {_hint(each, 'Sequence')}" for p, each in zip(parameters, model.inputs, strict=True))
    returned = answer if model.outputs else "dict[str, Any]"
    yield from ("", f"    def {name}(self, {hints}) -> {returned}:", f'        """Ask {_quoted(model.name)}.', "")
    for parameter, each in zip(parameters, model.inputs, strict=True):
        yield f"        {parameter}: {each.datatype} {list(each.shape)}"
    yield from (
        "",
        '        """',
        "        outputs = self.infer(",
        f"            {_literal(model.name)},",
        "            [",
    )
    for parameter, each in zip(parameters, model.inputs, strict=True):
        yield f"                ({_literal(each.name)}, {_literal(each.datatype)}, {parameter}),"
    yield from ("            ],", "        )")
    if model.outputs:
        given = ", ".join(f"outputs[{_literal(each.name)}]" for each in model.outputs)
        yield f"        return {answer}({given})"
    else:
        yield "        return outputs"


def _hint(each: TensorMetadata, container: str) -> str:
    if each.datatype not in NUMPY_TYPES:
        raise Mistake(f"tensor {each.name!r} has datatype {each.datatype!r}, which is none of V2's")
    scalar = _SCALARS.get(each.datatype, "int")
    return f"{container}[" * len(each.shape) + scalar + "]" * len(each.shape)


def _unique(names: Iterator[str], taken: frozenset[str] = frozenset()) -> list[str]:
    """Make Python names of any, each another one."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "_"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        plain = f"{plain}_" if keyword.iskeyword(plain) or plain in taken or plain == "self" else plain
        while plain in found:
            plain += "_"
        found.append(plain)
    return found


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _literal(text: str) -> str:
    # JSON's escapes are Python's too.
    return json.dumps(text, ensure_ascii=False)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "Model"


def _quoted(name: str) -> str:
    # Inside a docstring: a model's name is the server's to choose.
    return repr(re.sub(r'["\\\n\r]', "?", name))
