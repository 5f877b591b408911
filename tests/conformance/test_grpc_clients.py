"""The gRPC server as other people's clients see it: Triton's, kserve's, and grpc's health and reflection clients."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.grpc_process import Server, infer, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("grpc")) as running:
        yield running


def client(server: Server, script: str) -> None:
    """Run a client in a process of its own: kserve's messages and Triton's cannot both live in one."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), server.address],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_tritons_client_gets_every_datatype_back_raw(server):
    client(
        server,
        """
        import sys
        import numpy as np
        import tritonclient.grpc as triton
        client = triton.InferenceServerClient(sys.argv[1])
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("echo")
        assert client.is_model_ready("sums", "2")
        assert client.get_server_metadata().name == "modelwright"
        metadata = client.get_model_metadata("sums")
        assert (metadata.name, metadata.platform, list(metadata.versions)) == ("sums", "numpy", ["1", "2"])
        assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [("x", "FP32", [-1, 4])]
        arrays = {
            "BOOL": np.array([[True, False]]), "INT8": np.array([-5], np.int8), "INT16": np.array([-5], np.int16),
            "INT32": np.array([[-5]], np.int32), "INT64": np.array([-(2**60)]), "UINT8": np.array([250], np.uint8),
            "UINT16": np.array([65000], np.uint16), "UINT32": np.array([2**31], np.uint32),
            "UINT64": np.array([2**63], np.uint64), "FP16": np.array([0.5], np.float16),
            "FP32": np.random.rand(3, 64, 64).astype(np.float32), "FP64": np.array([np.nan, np.inf]),
            "BYTES": np.array([["a\\0b".encode(), b"", "\\u00e4".encode()]], dtype=object),
        }
        inputs = []
        for datatype, array in arrays.items():
            inputs.append(triton.InferInput(datatype, list(array.shape), datatype))
            inputs[-1].set_data_from_numpy(array)
        result = client.infer("echo", inputs, request_id="9", headers={"x-tenant": "blue"}, timeout=1000)
        assert result.get_response().id == "9"
        assert result.get_response().parameters["tenant"].string_param == "blue"
        for datatype, array in arrays.items():
            np.testing.assert_array_equal(result.as_numpy(datatype), array)
        only = client.infer("echo", inputs, outputs=[triton.InferRequestedOutput("INT8")])
        assert [output.name for output in only.get_response().outputs] == ["INT8"]
        compressed = client.infer("echo", inputs, compression_algorithm="gzip")
        np.testing.assert_array_equal(compressed.as_numpy("FP32"), arrays["FP32"])
        """,
    )


def test_tritons_asyncio_client_gets_many_answers_at_once(server):
    client(
        server,
        """
        import asyncio, sys
        import numpy as np
        import tritonclient.grpc.aio as triton
        async def main():
            async with triton.InferenceServerClient(sys.argv[1]) as client:
                async def one(number):
                    array = np.full((1, 4), number, np.float32)
                    tensor = triton.InferInput("x", [1, 4], "FP32")
                    tensor.set_data_from_numpy(array)
                    return (await client.infer("sums", [tensor])).as_numpy("y").tolist()
                answers = await asyncio.gather(*(one(number) for number in range(200)))
                assert answers == [[4.0 * number] for number in range(200)]
        asyncio.run(main())
        """,
    )


def test_kserves_client_gets_raw_and_typed_answers(server):
    client(
        server,
        """
        import asyncio, sys
        import numpy as np
        from kserve import InferenceGRPCClient, InferInput, InferRequest
        from kserve.errors import InvalidInput
        async def main():
            client = InferenceGRPCClient(sys.argv[1], retries=0)
            assert await client.is_server_live() and await client.is_server_ready()
            assert await client.is_model_ready("sums")
            array = np.arange(8, dtype=np.float32).reshape(2, 4)
            raw = InferInput("x", [2, 4], "FP32")
            raw.set_data_from_numpy(array, binary_data=True)
            typed = InferInput("x", [2, 4], "FP32", data=array.flatten().tolist())
            for given, form in ((raw, "raw"), (typed, "typed")):
                answer = await client.infer(InferRequest("sums", [given], request_id="1"), headers=[("x-tenant", "a")])
                assert (answer.id, answer.model_name, answer.model_version) == ("1", "sums", "1"), form
                np.testing.assert_array_equal(answer.outputs[0].as_numpy(), array.sum(-1))
            text = InferInput("text", [2], "BYTES", data=[b"a", b"b"])
            answer = await client.infer(InferRequest("echo", [text]))
            assert answer.outputs[0].as_numpy().tolist() == [b"a", b"b"], answer.outputs[0].as_numpy()
            await client.close()
        asyncio.run(main())
        """,
    )


@pytest.mark.parametrize("theirs", ["kserve.protocol.grpc.grpc_predict_v2_pb2", "tritonclient.grpc.service_pb2"])
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_our_messages_live_beside_theirs_and_mean_the_same(theirs, first):
    ours = "modelwright.codecs.proto.open_inference_grpc_pb2"
    imports = [f"import {theirs} as theirs", f"import {ours} as ours"]
    script = "\n".join(imports if first == "theirs" else imports[::-1]) + textwrap.dedent("""
        def shape(descriptor):
            fields = {
                f.number: (f.name, f.type, f.is_repeated, f.message_type and f.message_type.full_name)
                for f in descriptor.fields
            }
            return fields, {nested.name: shape(nested) for nested in descriptor.nested_types}
        def kept(ours, theirs):
            for number, field in theirs[0].items():
                assert ours[0].get(number) == field, (number, field)
            for name, nested in theirs[1].items():
                kept(ours[1][name], nested)
        ours, theirs = ours.DESCRIPTOR, theirs.DESCRIPTOR
        # Triton's stream is not in kserve's protocol.
        triton_only = {"ModelStreamInfer", "ModelStreamInferResponse"} if "ModelStreamInferResponse" not in (
            theirs.message_types_by_name) else set()
        for name, message in ours.message_types_by_name.items():
            if name not in triton_only:
                kept(shape(message), shape(theirs.message_types_by_name[name]))
        service = theirs.services_by_name["GRPCInferenceService"]
        for method in ours.services_by_name["GRPCInferenceService"].methods:
            if method.name in triton_only:
                continue
            same = service.methods_by_name[method.name]
            assert (method.input_type.full_name, method.output_type.full_name) == (
                same.input_type.full_name, same.output_type.full_name)
        """)
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": "runtimes"},
    )
    assert done.returncode == 0, done.stderr


def test_health_knows_the_server_the_service_and_each_model(server):
    for service in ("", "inference.GRPCInferenceService", "echo", "sums"):
        assert server.health(service) == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as unknown:
        server.health("nobody")
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
    with server.channel() as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def test_reflection_lists_and_describes_every_service(server):
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health"),
    ]
    with server.channel() as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        listed, ours, health = stub.ServerReflectionInfo(iter(requests), timeout=5)
    names = {service.name for service in listed.list_services_response.service}
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names
    for answer, package in ((ours, "inference"), (health, "grpc.health.v1")):
        (file,) = answer.file_descriptor_response.file_descriptor_proto
        assert descriptor_pb2.FileDescriptorProto.FromString(file).package == package


def test_metadata_reaches_the_model_and_its_headers_come_back(server):
    with server.channel() as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        answer, call = method.with_call(
            infer().SerializeToString(), timeout=5, metadata=(("x-tenant", "red"), ("x-blob-bin", b"\0\xff"))
        )
    assert pb.ModelInferResponse.FromString(answer).parameters["tenant"].string_param == "red"
    assert ("x-answer", "42") in [tuple(pair) for pair in call.initial_metadata()]
