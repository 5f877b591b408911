"""`multipart/form-data`, as RFC 7578 and RFC 2046 have it: a form's fields and its files."""

from __future__ import annotations

from dataclasses import dataclass

from modelwright.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `filename` is that of a file."""

    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        """The content of a field that is no file."""
        return self.content.decode("utf-8", "replace")


def read(body: bytes, content_type: str) -> dict[str, Field]:
    """Read a form by its fields' names; of two fields of one name the last one counts.

    Raises:
        InvalidInput: it is no form, or not a whole one.

    """
    # Who uploads nothing does without the import.
    from email.message import Message  # noqa: PLC0415
    from email.parser import BytesHeaderParser  # noqa: PLC0415

    kind = Message()
    kind["content-type"] = content_type
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise InvalidInput("the body must be a form, multipart/form-data with a boundary; with curl: -F 'file=@a.png'")
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    # The first one may stand at the very beginning.
    _, *parts = (b"\r\n" + body).split(delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        raise InvalidInput("the form ends before its last boundary")
    fields: dict[str, Field] = {}
    for part in parts[:-1]:
        # Spaces may follow the boundary on its line.
        padding, _, rest = part.partition(b"\r\n")
        head, found, content = (b"\r\n" + rest).partition(b"\r\n\r\n")
        if padding.strip(b" \t") or not found:
            raise InvalidInput("a part of the form has no header that ends")
        header = BytesHeaderParser().parsebytes(head.removeprefix(b"\r\n"))
        name = header.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise InvalidInput("a part of the form has no name in its Content-Disposition")
        fields[name] = Field(content, header.get_filename())
    return fields
