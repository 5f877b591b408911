"""NOS's own HTTP endpoint, `POST /v1/infer`, for all models that are served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from modelwright.codecs.json_text import write_json
from modelwright.errors import InferenceError, InvalidInput, NotImplementedByModel
from modelwright.model import HttpAnswer, HttpRequest, OwnRoute
from modelwright.styles.nos import outputs
from modelwright.styles.nos.adapter import NosModel

_JSON: Final = {"content-type": "application/json"}
_CREATED: Final = 201


class Endpoint:
    """Answers `{model_id, inputs, method?, stream?}` with what the method returns, as JSON, status 201."""

    def __init__(self) -> None:
        self.models: Sequence[NosModel] = ()
        self.routes = (OwnRoute("POST", "/v1/infer", self._answer),)

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        try:
            return HttpAnswer(_CREATED, write_json(await self._infer(_read(request.body))), _JSON)
        except InferenceError as error:
            return HttpAnswer(int(error.status), json.dumps({"error": error.message}).encode(), _JSON)

    async def _infer(self, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if asked.get("stream"):
            raise NotImplementedByModel("'stream' is not offered here; POST to /v2/models/{model}/infer_stream")
        model = self._model(asked.get("model_id"))
        inputs = asked.get("inputs")
        if not isinstance(inputs, dict):
            raise InvalidInput("'inputs' must be an object: the method's inputs by name")
        method = model.instance.method(asked.get("method"))
        return outputs.plain(await method.call(model.execution, method.of_json(inputs)))

    def _model(self, name: object) -> NosModel:
        for model in self.models:
            # NOS writes '/' as '--' where an id is part of a path.
            if name in (model.instance.id, model.instance.name):
                return model
        known = ", ".join(model.instance.id for model in self.models)
        # NOS answers 400, not 404.
        raise InvalidInput(f"'model_id' {name!r} is not served here; these are: {known}")


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise InvalidInput("the body must be a JSON object: {model_id, inputs, method}")
    return asked
