"""The least that a Python server can do: a bare ASGI application on uvicorn, orjson, numpy.

`/blind` reads a body whole and answers as many bytes as the model's answer has, without looking at it. So does
ModelInfer of the bare grpc.aio server that comes with it where a second port is given.
"""

import asyncio
import sys

import numpy as np
import orjson
import uvicorn

HEADERS = [(b"content-type", b"application/json")]
BLIND = bytes(2900)


async def read(receive):
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message["body"])
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def answer(body):
    request = orjson.loads(body)
    tensor = request["inputs"][0]
    total = np.array(tensor["data"], dtype=np.float32).reshape(tensor["shape"]).sum(axis=-1)
    output = {"name": "output-0", "datatype": "FP32", "shape": total.shape, "data": total.ravel()}
    return orjson.dumps({"model_name": "model", "outputs": [output]}, option=orjson.OPT_SERIALIZE_NUMPY)


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    body = await read(receive)
    content = BLIND if scope["path"] == "/blind" else answer(body)
    headers = [*HEADERS, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def message(*shape):
    """Return a ModelInferResponse with one FP32 output and its raw contents, by hand; sizes of one or two bytes."""
    count = 1
    for length in shape:
        count *= length
    described = b"\x0a\x01o\x12\x04FP32" + tagged(0x1A, b"".join(map(varint, shape)))
    return tagged(0x2A, described) + tagged(0x32, bytes(4 * count))


def varint(number):
    return bytes([number]) if number < 128 else bytes([number % 128 | 128, number // 128])


def tagged(tag, content):
    return bytes([tag]) + varint(len(content)) + content


async def serve_grpc(port):
    import grpc.aio

    small, image = message(1), message(1, 3, 224)

    async def infer(request, context):
        return small if len(request) < 1000 else image

    class Any(grpc.GenericRpcHandler):
        handler = grpc.unary_unary_rpc_method_handler(infer)

        def service(self, details):
            return self.handler

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Any(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server


async def main(port, *more):
    servers = [await serve_grpc(int(more[0]))] if more else []
    config = uvicorn.Config(application, host="127.0.0.1", port=int(port), access_log=False, lifespan="off")
    await uvicorn.Server(config).serve()
    for server in servers:
        await server.stop(0)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config(application).get_loop_factory()) as runner:
        runner.run(main(*sys.argv[1:]))
