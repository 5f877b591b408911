from collections import Counter

import mlserver
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse, Parameters


class CustomHeadersRuntime(MLModel):
    async def load(self) -> bool:
        self._seen = Counter()
        mlserver.register("rows_per_request", "How many rows the requests have")
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        tenant = "nobody"
        if payload.parameters and payload.parameters.headers:
            tenant = payload.parameters.headers.get("x-tenant", tenant)
        self._seen[tenant] += 1
        mlserver.log(rows_per_request=payload.inputs[0].shape[0])
        return InferenceResponse(
            model_name=self.name,
            outputs=[StringCodec.encode_output("greeting", [f"hello {tenant}"])],
            parameters=Parameters(headers={"x-served-for": tenant}),
        )

    @custom_handler(rest_path="/tenants", rest_method="GET")
    async def tenants(self) -> dict:
        return dict(self._seen)
