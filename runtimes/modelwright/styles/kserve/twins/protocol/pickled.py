"""How what has fields besides its dict is pickled and copied: as genuine objects, so that either reads the other's."""

from __future__ import annotations

import copyreg
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, SupportsIndex

from modelwright.styles.kserve.foreign import Foreign


class Pickled:
    """Tells its state as the dict that an object of the genuine class has, in that class's order."""

    FIELDS: ClassVar[tuple[str, ...]]

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.FIELDS} | vars(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Whatever the protocol: the oldest do not know of fields.
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]


if TYPE_CHECKING:
    made_from_grpc = classmethod
else:

    class made_from_grpc(classmethod):  # noqa: N801 - a decorator
        """`from_grpc`: a class method of the class, and of an object whether it was made by that.

        The genuine classes set an attribute over their method.
        """

        def __get__(self, instance: Foreign, owner: Foreign = None) -> Foreign:
            return MethodType(self.__func__, owner) if instance is None else instance._from_grpc

        def __set__(self, instance: Foreign, value: Foreign) -> None:
            instance._from_grpc = value

        def __reduce__(self) -> tuple[Any, ...]:
            # Ray pickles a class itself where it cannot import it by its name.
            return type(self), (self.__func__,)
