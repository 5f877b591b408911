"""What stands for simdjson's types where it is not: in a model's own environment, whose JSON is Python's already."""


class Array:
    """Nothing that comes is one."""

    def as_buffer(self, of_type: str) -> bytes:
        """Never called."""
        raise NotImplementedError
