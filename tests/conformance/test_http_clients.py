"""The REST server as other people's clients see it: Triton's, with binary tensors both ways, and kserve's."""

import subprocess
import sys
import textwrap

from tests.conformance.server_process import Server


def client(server: Server, script: str) -> None:
    """Run a client in a process of its own: what it imports stays there."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), f"127.0.0.1:{server.port}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.log}"


def test_tritons_client_asks_with_binary_tensors_and_is_answered_so(server):
    client(
        server,
        """
        import sys
        import numpy as np
        import tritonclient.http as triton

        with triton.InferenceServerClient(sys.argv[1]) as client:
            assert client.is_server_live() and client.is_model_ready("sum")
            assert client.get_server_metadata()["name"] == "modelwright"
            assert client.get_model_metadata("sum")["inputs"][0]["datatype"] == "FP32"
            given = np.arange(8, dtype=np.float32).reshape(2, 4)
            for binary in (True, False):
                tensor = triton.InferInput("x", given.shape, "FP32")
                tensor.set_data_from_numpy(given, binary_data=binary)
                wanted = [triton.InferRequestedOutput("total", binary_data=binary)]
                for compressed in (None, "gzip", "deflate"):
                    answer = client.infer(
                        "sum", [tensor], outputs=wanted, request_id="7", request_compression_algorithm=compressed
                    )
                    assert answer.get_response()["id"] == "7"
                    assert answer.as_numpy("total").tolist() == [6.0, 22.0], (binary, compressed)
            waiting = [client.async_infer("sum", [tensor]) for _ in range(4)]
            assert [each.get_result().as_numpy("total").tolist() for each in waiting] == [[6.0, 22.0]] * 4
        """,
    )


def test_tritons_client_raises_what_the_server_said(server):
    client(
        server,
        """
        import sys
        import numpy as np
        import tritonclient.http as triton
        from tritonclient.utils import InferenceServerException

        with triton.InferenceServerClient(sys.argv[1]) as client:
            tensor = triton.InferInput("x", [2, 3], "FP32")
            tensor.set_data_from_numpy(np.zeros((2, 3), np.float32))
            for model, said in (("sum", "input 'x' has shape [2, 3]"), ("absent", "'absent' is not served here")):
                try:
                    client.infer(model, [tensor])
                except InferenceServerException as error:
                    assert said in str(error), error
                else:
                    raise AssertionError(model)
        """,
    )


def test_kserves_client_speaks_both_protocols(server):
    client(
        server,
        """
        import asyncio
        import sys
        import numpy as np
        from kserve import InferInput, InferRequest, InferenceRESTClient
        from kserve.inference_client import RESTConfig

        URL = f"http://{sys.argv[1]}"

        async def main():
            v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
            assert await v2.is_server_live(URL)
            assert await v2.is_model_ready(URL, "sum")
            for binary in (True, False):
                tensor = InferInput("x", [2, 4], "FP32")
                tensor.set_data_from_numpy(np.arange(8, dtype=np.float32).reshape(2, 4), binary_data=binary)
                answer = await v2.infer(URL, InferRequest("sum", [tensor], request_id="7"), model_name="sum")
                assert answer.id == "7"
                assert answer.outputs[0].as_numpy().tolist() == [6.0, 22.0], binary
            v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
            answer = await v1.infer(URL, {"instances": [[1, 2], [3]]}, model_name="sum")
            assert answer["predictions"] == [3.0, 3.0]
            assert (await v1.explain(URL, "sum", {"instances": [[1]]}))["explanations"] == ["because"]
            await v1.close()
            await v2.close()

        asyncio.run(main())
        """,
    )
