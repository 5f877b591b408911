"""Models with OpenAI's operations: plain methods of kserve's names on a kserve.Model, asynchronous and synchronous."""

import asyncio
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from kserve import Model, ModelServer
from kserve.errors import InvalidInput

LOOP = threading.main_thread()


class Answer:
    """What a pydantic object looks like to a server."""

    def __init__(self, **fields):
        self._fields = fields

    def model_dump(self, **options):
        assert options == {"mode": "json", "exclude_none": True}
        return {name: value for name, value in self._fields.items() if value is not None}


def choice(**more):
    return {"index": 0, "finish_reason": None, **more}


class Async(Model):
    """Echoes the last message, word by word where it is to stream."""

    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [len(payload["instances"])]}

    async def create_chat_completion(self, request, raw_request=None, context=None):
        assert request["messages"] == [dict(each) for each in request.messages]
        assert request.absent is None
        words = request.messages[-1].content.split()
        if words[0] == "refuse":
            raise InvalidInput("not this word")
        if words[0] == "limit":
            raise SimpleNamespaceError(message="too many tokens", code="429")
        if words[0] == "error":
            return {"error": {"message": "the prompt is too long", "code": "400"}}
        if words[0] == "linger":
            return [chunk async for chunk in self._chunks(["wait"])]
        if not request.stream or words[0] == "whole":
            if words[0] == "boom":
                raise RuntimeError(f"cannot read {Path.cwd()}/weights")
            seen = context["headers"].get("x-tenant", "")
            message = {"role": "assistant", "content": " ".join([*words, seen]).strip()}
            return Answer(choices=[choice(message=message, finish_reason="stop")], id="given", system_fingerprint=None)
        return self._chunks(words)

    async def _chunks(self, words):
        print("begun chat", file=sys.stderr, flush=True)
        try:
            for word in words:
                if word == "boom":
                    raise RuntimeError(f"cannot read {Path.cwd()}/weights")
                if word == "wait":
                    await asyncio.sleep(60)
                yield {"choices": [choice(delta={"role": "assistant", "content": word})]}
        finally:
            print("closed chat", file=sys.stderr, flush=True)

    async def create_completion(self, request, raw_request=None, context=None):
        async def lines():
            # As kserve's own models yield: events, already written.
            for word in request.prompt.split():
                yield f'data: {{"choices": [{{"index": 0, "text": "{word}", "finish_reason": null}}]}}\n\n'
            yield "data: [DONE]\n\n"

        return lines() if request.stream else {"choices": [choice(text=request.prompt.upper())]}


class SimpleNamespaceError(Exception):
    """kserve's OpenAIError, told by its attributes."""

    def __init__(self, **fields):
        super().__init__()
        self.response = SimpleNamespace(error=fields)


class Sync(Model):
    """Synchronous methods; they run beside the event loop."""

    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def create_chat_completion(self, request):
        assert threading.current_thread() is not LOOP
        for word in request["messages"][-1]["content"].split():
            assert threading.current_thread() is not LOOP
            yield {"choices": [choice(delta={"content": word})]}

    def create_embedding(self, request, headers):
        texts = [request.input] if isinstance(request.input, str) else request.input
        return {
            "data": [{"object": "embedding", "index": i, "embedding": [len(t), 0.5]} for i, t in enumerate(texts)],
            "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)},
        }

    def create_completion(self, request):
        return 3


if __name__ == "__main__":
    ModelServer().start([Async("async"), Sync("sync")])
