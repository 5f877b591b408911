"""Subclasses of kserve's own OpenAI models, as authors who have vLLM write them."""

from kserve import ModelServer
from kserve.protocol.rest.openai import ChatPrompt, OpenAIChatAdapterModel, OpenAIEncoderModel
from kserve.protocol.rest.openai.errors import OpenAIError, create_error_response
from kserve.protocol.rest.openai.types import (
    ChatCompletionRequest,
    Completion,
    CompletionChoice,
    CompletionChunk,
    CompletionChunkChoice,
    CompletionRequest,
    Embedding,
    EmbeddingResponseData,
    UsageInfo,
)

USAGE = {"prompt_tokens": 1, "total_tokens": 2, "completion_tokens": 1}


class Adapter(OpenAIChatAdapterModel):
    def apply_chat_template(self, request):
        assert isinstance(request, ChatCompletionRequest)
        return ChatPrompt(prompt=" ".join(message["content"] for message in request.messages))

    async def create_completion(self, request, raw_request=None, context=None):
        assert isinstance(request, CompletionRequest)
        if request.prompt == "raise":
            raise OpenAIError(create_error_response("the prompt is no good"))
        if request.prompt == "return":
            return create_error_response("the prompt is no good")
        known = {"id": "cmpl-1", "created": 1, "model": self.name, "system_fingerprint": None}
        if not request.stream:
            choice = CompletionChoice(index=0, text=request.prompt.upper(), finish_reason="stop", logprobs=None)
            return Completion(**known, object="text_completion", choices=[choice], usage=UsageInfo(**USAGE))
        return self.pieces(request.prompt, known)

    async def pieces(self, prompt, known):
        for word in prompt.split():
            choice = CompletionChunkChoice(index=0, text=word, finish_reason=None, logprobs=None)
            chunk = CompletionChunk(**known, object="text_completion", choices=[choice])
            yield f"data: {chunk.model_dump_json()}\n\n"
        yield "data: [DONE]\n\n"


class Encoder(OpenAIEncoderModel):
    async def create_embedding(self, request, raw_request=None, context=None):
        data = [EmbeddingResponseData(index=0, object="embedding", embedding=[float(len(request.input)), 0.5])]
        return Embedding(id="e-1", object="list", created=1, model=self.name, data=data, usage=UsageInfo(**USAGE))

    async def create_rerank(self, request, raw_request=None, context=None):
        raise NotImplementedError


if __name__ == "__main__":
    ModelServer().start([Adapter("adapter"), Encoder("encoder")])
