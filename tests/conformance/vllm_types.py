"""A stand-in for the few names of vLLM's that kserve's OpenAI modules import: it has gigabytes, and a test needs types.

Every class takes any field, and has those that kserve's own code reads; nothing of vLLM's is imitated beyond that.
"""

from __future__ import annotations

from pathlib import Path

_HEAD = """from pydantic import BaseModel, ConfigDict


class Any_(BaseModel):
    model_config = ConfigDict(extra="allow")


"""
_OPENAI = "vllm.entrypoints.openai"
_MODULES = {
    f"{_OPENAI}.chat_completion.protocol": """
        ChatCompletionResponseChoice ChatCompletionLogProb ChatCompletionLogProbs ChatCompletionStreamResponse
        ChatCompletionResponseStreamChoice ChatMessage ChatCompletionLogProbsContent ChatCompletionRequest
        ChatCompletionResponse
    """,
    f"{_OPENAI}.completion.protocol": """
        CompletionResponseChoice CompletionStreamResponse CompletionResponseStreamChoice CompletionLogProbs
        CompletionRequest CompletionResponse
    """,
    f"{_OPENAI}.engine.protocol": "DeltaMessage UsageInfo ModelCard ModelList",
    "vllm.entrypoints.pooling.embed.protocol": """
        EmbeddingRequest EmbeddingResponse EmbeddingResponseData EmbeddingCompletionRequest
    """,
    "vllm.entrypoints.pooling.scoring.protocol": "RerankRequest RerankResponse",
    "vllm.entrypoints.chat_utils": """
        ChatCompletionContentPartParam CustomChatCompletionMessageParam ChatCompletionMessageParam
        ChatCompletionToolMessageParam ChatCompletionContentPartTextParam ChatCompletionAssistantMessageParam
        ConversationMessage
    """,
}
_SAMPLING = """
    model: str
    stream: bool = False
    n: int = 1
    frequency_penalty: float | None = None
    logit_bias: dict | None = None
    max_tokens: int | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None
    request_id: str | None = None
"""
_FIELDS = {
    "ChatCompletionRequest": f"{_SAMPLING}    messages: list[dict]\n    top_logprobs: int | None = None\n",
    "CompletionRequest": f"{_SAMPLING}    prompt: str\n    logprobs: int | None = None\n",
    "EmbeddingRequest": "\n    model: str\n    input: str\n",
    "RerankRequest": "\n    model: str\n",
    "CompletionResponse": "\n    choices: list[CompletionResponseChoice]\n",
    "CompletionStreamResponse": "\n    choices: list[CompletionResponseStreamChoice]\n",
    "CompletionResponseChoice": "\n    logprobs: CompletionLogProbs | None = None\n",
    "CompletionResponseStreamChoice": "\n    logprobs: CompletionLogProbs | None = None\n",
}
_CANCELLATION = "def with_cancellation(handler):\n    return handler\n"


def write(folder: Path) -> None:
    """Write the package `vllm` into a folder for PYTHONPATH."""
    for module, names in _MODULES.items():
        classes = [f"class {name}(Any_):{_FIELDS.get(name, ' pass')}\n" for name in names.split()]
        _module(folder, module, "from __future__ import annotations\n\n" + _HEAD + "\n".join(classes))
    _module(folder, "vllm.entrypoints.serve.utils.api_utils", _CANCELLATION)


def _module(folder: Path, name: str, text: str) -> None:
    file = folder.joinpath(*name.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    for parent in file.parents:
        if parent == folder:
            break
        (parent / "__init__.py").touch()
