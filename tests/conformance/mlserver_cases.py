"""Requests that genuine mlserver and ours must answer alike: a name, a model, a body."""

from __future__ import annotations


def tensor(name: str, datatype: str, shape: list[int], data: object, content_type: object = None, **more):
    """Return one input."""
    made = {"name": name, "datatype": datatype, "shape": shape, "data": data}
    parameters = {**({"content_type": content_type} if content_type else {}), **more}
    return {**made, "parameters": parameters} if parameters else made


def body(*inputs: dict, content_type: str | None = None, outputs: list[str] | None = None, **parameters) -> dict:
    """Return one request, with an id."""
    made: dict = {"id": "r1", "inputs": list(inputs)}
    if content_type:
        parameters["content_type"] = content_type
    if parameters:
        made["parameters"] = parameters
    if outputs is not None:
        made["outputs"] = [{"name": each} for each in outputs]
    return made


X = tensor("x", "FP32", [2, 2], [1, 2, 3, 4])
TEXT = tensor("text", "BYTES", [2], ["ä", "b"])
COLUMNS = (tensor("a", "INT64", [2], [1, 2]), tensor("b", "FP64", [2], [0.5, 1.5]))

CASES: dict[str, tuple[str, dict]] = {
    "sum of lists": ("sum", body(X, tensor("y", "INT32", [3], [1, 2, 3]))),
    "default codec": ("codecs", body(X)),
    "default codec keeps datatypes": ("codecs", body(tensor("x", "INT8", [1, 3], [1, -2, 3]))),
    "booleans": ("codecs", body(tensor("x", "BOOL", [2, 1], [True, False]))),
    "halves": ("codecs", body(tensor("x", "FP16", [2, 1], [0.5, 2]))),
    "one dimension gets a second": ("codecs", body(tensor("x", "UINT8", [3], [1, 2, 3]))),
    "large unsigned": ("codecs", body(tensor("x", "UINT64", [1, 1], [2**63]))),
    "content types": (
        "codecs",
        body(
            tensor("n", "FP64", [1, 2], [1.5, 2.5], "np"),
            tensor("s", "BYTES", [2], ["a", "ä"], "str"),
            tensor("b", "BYTES", [1], ["AAE="], "base64"),
            tensor("d", "BYTES", [1], ["2024-02-29T12:00:00"], "datetime"),
        ),
    ),
    "no base64 after all": ("codecs", body(tensor("b", "BYTES", [1], ["not base64!"], "base64"))),
    "text as array": ("codecs", body(tensor("s", "BYTES", [2, 1], ["ab", "ä"], "np"))),
    "unknown content type": ("codecs", body(tensor("x", "FP32", [1, 2], [1, 2], "png"))),
    "data frame": ("requests", body(*COLUMNS, content_type="pd")),
    "data frame of text": ("requests", body(tensor("a", "BYTES", [2], ["p", "q"], "str"), content_type="pd")),
    "data frame of json": (
        "requests",
        body(tensor("a", "BYTES", [2, 1], ['{"k":1}', "[2]"], "pd_json"), content_type="pd"),
    ),
    "request of text": ("requests", body(TEXT, content_type="str")),
    "request of an array": ("requests", body(X, content_type="np")),
    "request by default": ("requests", body(X)),
    "two inputs in a single-input codec": ("requests", body(X, TEXT, content_type="np")),
    "what is in a request": (
        "raw",
        body(tensor("x", "FP64", [2, 2], [1.5, 2.5, 3.5, 4.5]), threshold=0.5, outputs=["said"]),
    ),
    "text in a request": ("raw", body(TEXT)),
    "decode_args": ("numpy", body(X)),
    "decode_args with its default given": ("numpy", body(X, tensor("scale", "FP32", [1], [3]))),
    "decode_args keeps integers": ("numpy", body(tensor("x", "INT16", [1, 2], [1, 2]))),
    "questions": (
        "answers",
        body(tensor("questions", "BYTES", [2], ["who?", "why?"]), tensor("context", "BYTES", [2], ["a", "bc"])),
    ),
    "optional left out": ("strings", body(TEXT)),
    "optional given": ("strings", body(TEXT, tensor("other", "BYTES", [1, 1], ["c"]))),
    "unknown input": ("strings", body(TEXT, tensor("more", "BYTES", [1], ["c"]))),
    "bytes": ("blobs", body(tensor("blobs", "BYTES", [2], ["AAEC", "plain text"]))),
    "dates": ("dates", body(tensor("dates", "BYTES", [1], ["2024-02-28"]))),
    "frame of the other inputs": ("frame", body(*COLUMNS)),
    "frame beside another": ("frame", body(*COLUMNS, tensor("factor", "INT64", [1], [2]))),
    "tuple": ("several", body(tensor("x", "INT64", [2, 2], [1, 2, 3, 4]))),
    "wrong output": ("wrong", body(X)),
    "parameters of the answer": ("headers", body(X)),
    "cloud events": ("events", body(X)),
    "null in a request of doubles": ("numpy", body(tensor("x", "FP64", [2], [None, 2]))),
    "nan is null": ("kinds", body(tensor("k", "BYTES", [1], ["nan"]))),
    "scalar": ("kinds", body(tensor("k", "BYTES", [1], ["scalar"]))),
    "answer bool": ("kinds", body(tensor("k", "BYTES", [1], ["bool"]))),
    "answer int8": ("kinds", body(tensor("k", "BYTES", [1], ["int8"]))),
    "answer uint64": ("kinds", body(tensor("k", "BYTES", [1], ["uint64"]))),
    "answer half": ("kinds", body(tensor("k", "BYTES", [1], ["half"]))),
    "answer text": ("kinds", body(tensor("k", "BYTES", [1], ["text"]))),
    "answer cube": ("kinds", body(tensor("k", "BYTES", [1], ["cube"]))),
    "answer empty": ("kinds", body(tensor("k", "BYTES", [1], ["empty"]))),
    "answer enum": ("kinds", body(tensor("k", "BYTES", [1], ["enum"]))),
    "answer base64": ("kinds", body(tensor("k", "BYTES", [1], ["base64"]))),
    "answer nested": ("kinds", body(tensor("k", "BYTES", [1], ["nested"]))),
    "refused by the author": ("failing", body(tensor("how", "BYTES", [1], ["inference"]))),
    "any status": ("failing", body(tensor("how", "BYTES", [1], ["teapot"]))),
    "author's 404": ("failing", body(tensor("how", "BYTES", [1], ["missing"]))),
    "author's 422": ("failing", body(tensor("how", "BYTES", [1], ["unprocessable"]))),
    "bug of the author": ("failing", body(tensor("how", "BYTES", [1], ["bug"]))),
    "not ready": ("unready", body(X)),
    "no such model": ("nobody", body(X)),
    "declared content type": ("declared", body(tensor("x", "FP32", [2, 4], [0] * 8))),
    "declared is no rule": ("declared", body(tensor("other", "FP64", [1], [0]))),
    "stream model asked for all": ("streaming", body(TEXT)),
    "no outputs": ("handlers", body(X)),
    "nested data in a request": ("raw", body(tensor("x", "INT32", [2, 2], [[1, 2], [3, 4]]))),
    "null in a request": ("codecs", body(tensor("x", "FP32", [1, 2], [1, None]))),
    "one string for a list": ("strings", body(tensor("text", "BYTES", [1], "alone"))),
    "missing input": ("answers", body(tensor("questions", "BYTES", [1], ["who?"]))),
    "no date": ("dates", body(tensor("dates", "BYTES", [1], ["yesterday"]))),
    "shape that does not fit": ("numpy", body(tensor("x", "FP32", [2, 2], [1, 2, 3]))),
    "unknown datatype": ("numpy", body(tensor("x", "FP8", [1], [1]))),
    "no inputs": ("numpy", {"id": "r1"}),
    "content type of another type": ("codecs", body(tensor("x", "FP32", [1], [1], 5))),
    "output asked for": ("several", body(tensor("x", "INT64", [1, 1], [4]), outputs=["output-1"])),
    "float precision": ("raw", body(tensor("x", "FP32", [1], [0.1]))),
}
