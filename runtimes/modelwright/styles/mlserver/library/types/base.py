"""What MLServer's types have of pydantic: keyword construction, `model_dump`, `model_validate`, equality.

Without pydantic, which would cost every start more than all else that this style imports.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, ClassVar, Self, SupportsIndex

from modelwright.styles.mlserver.foreign import Foreign


class BaseModel:
    """A document with named fields; `FIELDS` are their names, `OPTIONAL` those of what is None unless it is given."""

    FIELDS: ClassVar[tuple[str, ...]] = ()
    OPTIONAL: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # as pydantic's models, which may change

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values().items())})"

    def __getstate__(self) -> dict[str, Foreign]:
        """Return what is copied and pickled: all of it made, and nothing of the server's that would make it."""
        return {name: getattr(self, name) for name in self.FIELDS if hasattr(self, name)} | vars(self)

    def __setstate__(self, state: dict[str, Foreign]) -> None:
        for name, value in state.items():
            if name in self.FIELDS:
                setattr(self, name, value)
            else:
                # An author's own, whatever its name.
                self.__dict__[name] = value

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Foreign, ...]:
        # The oldest protocols do not know of fields.
        found: tuple[Foreign, ...] = super().__reduce_ex__(max(int(protocol), 2))  # type: ignore[assignment]
        return found

    def _values(self) -> dict[str, Foreign]:
        return {name: getattr(self, name) for name in self.FIELDS}

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that were given."""
        return {name for name, value in self._values().items() if value is not None}

    def model_dump(
        self,
        exclude_unset: bool = True,
        exclude_none: bool = True,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        **_: Foreign,
    ) -> dict[str, Foreign]:
        """Return plain dictionaries and lists, as MLServer does without what was not given."""
        return {
            name: dumped(value, exclude_unset=exclude_unset, exclude_none=exclude_none)
            for name, value in self._values().items()
            if not (value is None and (exclude_none or exclude_unset))
            and (include is None or name in include)
            and (exclude is None or name not in exclude)
        }

    def model_dump_json(self, **how: Foreign) -> str:
        """Return `model_dump` as JSON; bytes must be text."""
        import orjson  # noqa: PLC0415 - few authors write JSON themselves

        plain = self.model_dump(**how)
        return orjson.dumps(plain, default=_text, option=orjson.OPT_SERIALIZE_NUMPY).decode()

    @classmethod
    def model_validate(cls, obj: Foreign, **_: Foreign) -> Self:
        """Return an object of a dictionary. Raises ValueError for what does not fit."""
        if isinstance(obj, cls):
            return obj
        if not isinstance(obj, dict):
            raise ValueError(f"{cls.__name__} is made of an object, not of {type(obj).__name__}")
        try:
            return cls(**obj)
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes, **_: Foreign) -> Self:
        """Return an object of JSON. Raises ValueError for what does not fit."""
        import json  # noqa: PLC0415

        return cls.model_validate(json.loads(json_data))

    @classmethod
    def model_construct(cls, _fields_set: object = None, **values: Foreign) -> Self:
        """Return an object of values that are known to fit."""
        made = cls.__new__(cls)
        made.__setstate__(dict.fromkeys(cls.OPTIONAL) | values)
        return made

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, with some fields changed."""
        from copy import deepcopy  # noqa: PLC0415

        kind = type(self)
        made = kind.__new__(kind)
        state = self.__getstate__()
        made.__setstate__((deepcopy(state) if deep else state) | (update or {}))
        return made


def advise(raised: Exception) -> None:
    """Write below an error on a misspelled attribute of a document's what it may have been meant for.

    Not in a `__getattr__`, which would make every attribute that is there slower.
    """
    if isinstance(raised, AttributeError) and isinstance(raised.obj, BaseModel):
        raised.add_note(meant(str(raised.name), raised.obj.FIELDS))


def meant(name: str, fields: Collection[str]) -> str:
    """Say which of the fields an unknown name may have been meant for."""
    near = get_close_matches(name, fields, 1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(fields)}"


# As pydantic 1 called them; not in the class, where `dict` would hide the type.
for _old, _new in {
    "dict": "model_dump",
    "json": "model_dump_json",
    "parse_obj": "model_validate",
    "parse_raw": "model_validate_json",
    "construct": "model_construct",
    "copy": "model_copy",
}.items():
    setattr(BaseModel, _old, vars(BaseModel)[_new])


def dumped(value: Foreign, **how: Foreign) -> Foreign:
    """Return a field's value as `model_dump` gives it."""
    if isinstance(value, BaseModel):
        return value.model_dump(**how)
    if isinstance(value, list):
        return [dumped(each, **how) for each in value]
    return value.root if hasattr(value, "root") else value


def _text(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def many(kind: type[BaseModel], field: str, values: Foreign) -> list[Any]:
    """Return a list of `kind`, of objects or dictionaries. Raises ValueError for what is neither."""
    if not isinstance(values, list | tuple):
        raise ValueError(f"{field} must be a list, not {type(values).__name__}")
    return [each if isinstance(each, kind) else kind.model_validate(each) for each in values]


def text(field: str, value: Foreign) -> str:
    """Return a field's text. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a string, not {type(value).__name__}")
    return value
