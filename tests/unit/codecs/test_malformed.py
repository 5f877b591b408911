"""Every malformed V2 request is a 400 that names the tensor and what was expected."""

import json

import pytest
from modelwright.codecs import v2
from modelwright.errors import InvalidInput

LENGTH = "inference-header-content-length"


def tensor(**changes: object) -> dict:
    fields = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]} | changes
    return {name: value for name, value in fields.items() if value is not ...}


def body(*tensors: object, **fields: object) -> bytes:
    return json.dumps({"inputs": list(tensors), **fields}).encode()


def data(datatype: str, text: str, shape: str = "[2]") -> bytes:
    return f'{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{text}}}]}}'.encode()


NOT_JSON = "not valid JSON"
JSON_CASES = {
    "empty": (b"", "body is empty"),
    "space": (b"  ", NOT_JSON),
    "cut short": (body(tensor())[:-1], NOT_JSON),
    "trailing comma": (b'{"inputs":[],}', NOT_JSON),
    "trailing text": (body(tensor()) + b"x", NOT_JSON),
    "python": (b"{'inputs': []}", NOT_JSON),
    "invalid UTF-8": (b'{"inputs":[{"name":"\xff"}]}', NOT_JSON),
    "lone surrogate": (b'{"inputs":[{"name":"\\ud800"}]}', NOT_JSON),
    "UTF-16": ('{"inputs":[]}'.encode("utf-16"), NOT_JSON),
    "a NUL": (b'{"inputs":[]}\0', NOT_JSON),
    "deep": (b"[" * 100_000, NOT_JSON),
    "deep and closed": (b'{"inputs":' + b"[" * 5000 + b"]" * 5000 + b"}", NOT_JSON),
    "NaN": (data("FP32", "[NaN, 1]"), NOT_JSON),
    "Infinity": (data("FP32", "[Infinity, 1]"), NOT_JSON),
    "beyond a double": (data("FP64", "[1e400, 1]"), NOT_JSON),
    "beyond a double in digits": (data("FP64", f"[{'9' * 5000}, 1]"), NOT_JSON),
    "leading zero": (data("INT8", "[01, 1]"), NOT_JSON),
    "null": (b"null", "must be a JSON object, not null"),
    "list": (b"[]", "must be a JSON object, not a list"),
    "string": (b'"x"', "must be a JSON object, not the string 'x'"),
    "number": (b"5", "must be a JSON object, not the number 5"),
    "huge number": (b"1" * 100, "must be a JSON object, not the number 1.1"),
    "no inputs": (b"{}", "no 'inputs'"),
    "V1": (b'{"instances":[[1]]}', "no 'inputs'"),
    "null inputs": (b'{"inputs":null}', "no 'inputs'"),
    "inputs an object": (b'{"inputs":{}}', "'inputs' must be a list of tensors, not an object"),
    "inputs a string": (b'{"inputs":"x"}', "'inputs' must be a list of tensors"),
    "inputs empty": (b'{"inputs":[]}', "'inputs' is empty"),
    "inputs twice": (b'{"inputs":[],"inputs":[]}', "the field 'inputs' twice"),
    "an input that is a list": (body([1]), r"inputs\[0\] must be an object"),
    "an input that is null": (body(tensor(), None), r"inputs\[1\] must be an object, not null"),
    "too many inputs": (body(*[tensor(name=str(i), data=[], shape=[0]) for i in range(16385)]), "more than 16384"),
    "data twice": (
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1],"data":[2]}]}',
        "the field 'data' twice",
    ),
    "no name": (body(tensor(name=...)), r"inputs\[0\]: 'name' must be a string, not null"),
    "empty name": (body(tensor(name="")), "'name' must be a string"),
    "name a number": (body(tensor(name=3)), "'name' must be a string, not the number 3"),
    "name twice": (body(tensor(), tensor()), "input 'x' is there twice"),
    "no datatype": (body(tensor(datatype=...)), "input 'x': 'datatype' must be one of BOOL, .*not null"),
    "unknown datatype": (body(tensor(datatype="FP31")), "not the string 'FP31'"),
    "datatype in lower case": (body(tensor(datatype="fp32")), "must be one of"),
    "datatype a list": (body(tensor(datatype=["FP32"])), "must be one of"),
    "long datatype": (body(tensor(datatype="F" * 10**6)), r"F{60}\.\.\."),
    "no shape": (body(tensor(shape=...)), "input 'x' has no 'shape'"),
    "null shape": (body(tensor(shape=None)), "'shape' must be a list of integers, not null"),
    "shape a number": (body(tensor(shape=2)), "'shape' must be a list of integers, not the number 2"),
    "shape of strings": (body(tensor(shape=["2"])), "must hold integers, not the string '2'"),
    "shape of floats": (body(tensor(shape=[2.0])), "must hold integers, not the number 2.0"),
    "shape of booleans": (body(tensor(shape=[True, 2])), "must hold integers, not true"),
    "shape of lists": (body(tensor(shape=[[2]])), "must hold integers, not a list"),
    "negative shape": (body(tensor(shape=[-1, 2])), "sizes >= 0, not -1"),
    "two negatives": (body(tensor(shape=[-1, -2])), "sizes >= 0, not -1"),
    "huge shape": (body(tensor(shape=[2**40, 2**40])), "more than any array holds"),
    "shape that overflows to 2": (body(tensor(shape=[2**63, 2**2, 1])), "more than any array holds"),
    "shape beyond 64 bits": (body(tensor(shape=[2**64])), "must hold integers, not the number 1.8"),
    "shape beyond 64 bits with a zero": (body(tensor(shape=[0, 2**62], data=[])), "more than any array holds"),
    "too many dimensions": (body(tensor(shape=[1] * 40 + [2])), "41 dimensions; the most is 32"),
    "shape too large": (body(tensor(shape=[3])), r"shape \[3\] needs 3 elements, but the data has 2"),
    "shape too small": (body(tensor(shape=[1])), "needs 1 elements, but the data has 2"),
    "scalar shape": (body(tensor(shape=[])), "needs 1 elements, but the data has 2"),
    "no data": (body(tensor(data=...)), "input 'x' has no 'data'"),
    "null data": (body(tensor(data=None)), "'data' must be a list, not null"),
    "data a number": (body(tensor(shape=[1], data=1)), "'data' must be a list, not the number 1"),
    "data a string": (body(tensor(datatype="BYTES", shape=[1], data="x")), "'data' must be a list, not the string"),
    "data an object": (body(tensor(data={"0": 1})), "'data' must be a list, not an object"),
    "empty data": (body(tensor(data=[])), "needs 2 elements, but the data has 0"),
    "transposed": (
        body(tensor(shape=[2, 3], data=[[1, 2], [3, 4], [5, 6]])),
        r"'shape' says \[2, 3\], but the data is nested as \[3, 2\]",
    ),
    "ragged": (body(tensor(shape=[2, 2], data=[[1, 2], [3]])), "ragged"),
    "ragged with the right count": (body(tensor(shape=[3, 2], data=[[1, 2], [3], [4, 5, 6]])), "ragged"),
    "a list among numbers": (body(tensor(data=[1, [2]])), "ragged"),
    "a number among lists": (body(tensor(data=[[1], 2])), "ragged"),
    "an empty list among numbers": (body(tensor(data=[1, 2, []])), "ragged|needs 2"),
    "a list deep among numbers": (body(tensor(shape=[2, 2], data=[[1, 2], [3, [4]]])), "ragged"),
    "ragged with brackets elsewhere": (body(tensor(data=[1, [2]]), id="]]"), "ragged"),
    "ragged booleans": (body(tensor(datatype="BOOL", data=[[True], False])), "ragged"),
    "nested too deep": (data("FP32", "[" * 40 + "1" + "]" * 40, "[1]"), "nested deeper than 32"),
    "strings nested too deep": (data("BYTES", "[" * 40 + '"a"' + "]" * 40, "[1]"), "nested deeper than 32"),
    "strings for floats": (body(tensor(data=["1", "2"])), "element 0 of 'data' is the string '1'"),
    "a string among floats": (body(tensor(data=[1, "2"])), "FP32 takes finite numbers, but element 1"),
    "null among integers": (body(tensor(datatype="INT32", data=[1, None])), "element 1 of 'data' is null"),
    "true among floats": (body(tensor(data=[1.5, True])), "element 1 of 'data' is true"),
    "true among integers": (body(tensor(datatype="INT8", data=[1, True])), "element 1 of 'data' is true"),
    "an object among floats": (body(tensor(data=[1, {}])), "element 1 of 'data' is an object"),
    "a fraction for an integer": (body(tensor(datatype="INT32", data=[1, 2.5])), "INT32 takes integers.*number 2.5"),
    "a float past exactness": (body(tensor(datatype="INT64", data=[1, 1e300])), "element 1 of 'data'"),
    "INT8 beyond": (body(tensor(datatype="INT8", data=[1, 128])), "INT8 takes integers from -128 to 127.*number 128"),
    "UINT8 negative": (body(tensor(datatype="UINT8", data=[-1, 1])), "UINT8 takes integers from 0 to 255.*number -1"),
    "INT32 beyond": (body(tensor(datatype="INT32", data=[1, 2**31])), "number 2147483648"),
    "UINT32 beyond": (body(tensor(datatype="UINT32", data=[1, 2**32])), "number 4294967296"),
    "INT64 beyond": (body(tensor(datatype="INT64", data=[1, 2**63])), "number 9223372036854775808"),
    "INT64 far beyond": (body(tensor(datatype="INT64", data=[1, 2**80])), "element 1 of 'data'"),
    "UINT64 negative": (body(tensor(datatype="UINT64", data=[1, -1])), "number -1"),
    "UINT64 beyond": (body(tensor(datatype="UINT64", data=[1, 2**64])), "element 1 of 'data'"),
    "FP32 beyond": (
        body(tensor(data=[1, 1e39])),
        r"numbers that fit FP32, but element 1 of 'data' is the number 1e\+39",
    ),
    "FP16 beyond": (body(tensor(datatype="FP16", data=[1, 70000])), "numbers that fit FP16"),
    "BF16 beyond": (body(tensor(datatype="BF16", data=[1, 3.4e38 * 1.001])), "numbers that fit BF16"),
    "BOOL a number": (body(tensor(datatype="BOOL", data=[True, 2])), "BOOL takes true or false.*number 2"),
    "BOOL a string": (body(tensor(datatype="BOOL", data=[True, "true"])), "the string 'true'"),
    "BYTES a number": (body(tensor(datatype="BYTES", data=["a", 2])), "BYTES takes strings, but element 1"),
    "BYTES null": (body(tensor(datatype="BYTES", data=["a", None])), "BYTES takes strings.*null"),
    "BYTES ragged": (body(tensor(datatype="BYTES", data=["a", ["b"]])), "ragged"),
    "id a number": (body(tensor(), id=7), "'id' must be a string, not the number 7"),
    "id a list": (body(tensor(), id=[]), "'id' must be a string"),
    "parameters a list": (body(tensor(), parameters=[]), "the body: 'parameters' must be an object"),
    "tensor parameters a string": (body(tensor(parameters="p")), "input 'x': 'parameters' must be an object"),
    "binary_data_output a string": (body(tensor(), parameters={"binary_data_output": "yes"}), "true or false"),
    "outputs an object": (body(tensor(), outputs={}), "'outputs' must be a list of objects"),
    "an output that is a name": (body(tensor(), outputs=["y"]), r"outputs\[0\] must be an object"),
    "an output without a name": (body(tensor(), outputs=[{}]), r"outputs\[0\]: 'name' must be a string"),
    "an output twice": (body(tensor(), outputs=[{"name": "y"}] * 2), "output 'y' is asked for twice"),
    "output parameters a list": (body(tensor(), outputs=[{"name": "y", "parameters": []}]), "output 'y': 'parameters'"),
    "binary_data a number": (
        body(tensor(), outputs=[{"name": "y", "parameters": {"binary_data": 1}}]),
        "output 'y': 'binary_data' must be true or false",
    ),
    "binary size without the header": (
        body(tensor(data=..., parameters={"binary_data_size": 8})),
        "no header Inference-Header-Content-Length",
    ),
}


@pytest.mark.parametrize(("text", "message"), JSON_CASES.values(), ids=JSON_CASES)
def test_malformed_json_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        v2.decode(text, {})
    assert caught.value.status == 400
    assert len(str(caught.value)) < 500


def head(size: object, **changes: object) -> bytes:
    return body(tensor(data=..., parameters={"binary_data_size": size}, **changes))


EIGHT = b"\0" * 8
BINARY_CASES = {
    "too few bytes": (head(8), EIGHT[:7], "says 8 bytes, but only 7 are left"),
    "too many bytes": (head(8), EIGHT + b"x", "9 bytes after its JSON, but .* add up to 8"),
    "no bytes": (head(8), b"", "only 0 are left"),
    "bytes after JSON data": (body(tensor()), b"x", "1 bytes after its JSON, but .* add up to 0"),
    "size below the shape": (head(4), EIGHT[:4], r"FP32 of shape \[2\] is 8 bytes, but there are 4"),
    "size above the shape": (head(12), EIGHT + EIGHT[:4], "is 8 bytes, but there are 12"),
    "negative size": (head(-8), EIGHT, "must be a number of bytes, not the number -8"),
    "size a float": (head(8.0), EIGHT, "must be a number of bytes"),
    "size a string": (head("8"), EIGHT, "must be a number of bytes, not the string '8'"),
    "size true": (head(True), EIGHT, "must be a number of bytes, not true"),
    "size null": (head(None), EIGHT, "must be a number of bytes, not null"),
    "huge size": (head(2**63), EIGHT, "only 8 are left"),
    "huge shape": (head(8, shape=[2**50]), EIGHT, "but there are 8"),
    "data as well": (body(tensor(parameters={"binary_data_size": 8})), EIGHT, "both 'data' and 'binary_data_size'"),
    "neither": (body(tensor(data=...)), EIGHT, "input 'x' has no 'data'"),
    "a BOOL of 2": (head(2, datatype="BOOL"), b"\x01\x02", "one byte, 0 or 1, but there is a byte 2"),
    "a string cut short": (head(8, datatype="BYTES"), b"\x01\0\0\0a\x05\0\0", "3 bytes where its 4-byte length"),
    "a string past the end": (head(8, datatype="BYTES"), b"\x05\0\0\0abcd", "element 0 says 5 bytes, but only 4"),
    "a string of 4 GB": (head(8, datatype="BYTES"), b"\xff\xff\xff\xffabcd", "says 4294967295 bytes"),
    "strings too few": (head(8, datatype="BYTES"), b"\x04\0\0\0abcd", "needs 2 elements, but the data has 1"),
    "strings too many": (head(12, datatype="BYTES"), b"\0" * 12, "needs 2 elements, but the data has 3"),
    "not JSON": (b"\x93NUMPY", EIGHT, "not valid JSON"),
}


@pytest.mark.parametrize(("text", "rest", "message"), BINARY_CASES.values(), ids=BINARY_CASES)
def test_malformed_binary_is_refused(text: bytes, rest: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        v2.decode(text + rest, {LENGTH: str(len(text))})


@pytest.mark.parametrize(
    "length", ["-1", "0", "", " ", "+5", "1e2", "0x10", "x", "1,2", "٣", "9" * 30, "9" * 10**6, "1000"]
)
def test_a_bogus_header_length_is_refused(length: str) -> None:
    with pytest.raises(InvalidInput, match=r"Inference-Header-Content-Length must be .* from 1 to \d+") as caught:
        v2.decode(head(8) + EIGHT, {LENGTH: length})
    assert len(str(caught.value)) < 300


def test_a_header_length_inside_the_json_is_refused() -> None:
    text = head(8)
    with pytest.raises(InvalidInput, match="not valid JSON"):
        v2.decode(text + EIGHT, {LENGTH: str(len(text) - 1)})
