"""How other servers write the same answer: their order of the fields, and their own fields.

Each dialect says what it makes of DeepSeek's chunk and of DeepSeek's whole answer. Sources: answers of vLLM 0.32,
SGLang 0.5, llama.cpp's server of 2026, OpenRouter and OpenAI, in the parts that repeat in every chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

Json = dict[str, Any]


@attrs.frozen
class Dialect:
    """One server's way of writing.

    Attributes:
        title: The server's name.
        chunk: DeepSeek's chunk → this server's; the second argument is the chunk's number.
        whole: DeepSeek's whole answer → this server's.
    """

    title: str
    chunk: Callable[[Json, int], Json]
    whole: Callable[[Json], Json]


def _picked(answer: Json, *names: str) -> Json:
    return {name: answer[name] for name in names}


_HEAD = ("id", "object", "created", "model")


def _vllm_chunk(chunk: Json, number: int) -> Json:
    (choice,) = chunk["choices"]
    said = {**choice, "delta": {**choice["delta"], "reasoning": None}, "stop_reason": None, "token_ids": None}
    first = {"prompt_token_ids": None} if number == 0 else {}
    return {**_picked(chunk, *_HEAD), "choices": [said], **first, "usage": chunk["usage"]}


def _vllm_whole(answer: Json) -> Json:
    (choice,) = answer["choices"]
    empty = dict.fromkeys(("refusal", "annotations", "audio", "function_call"))
    message = {**choice["message"], **empty, "tool_calls": [], "reasoning": None}
    said = {**choice, "message": message, "stop_reason": None, "token_ids": None}
    own = dict.fromkeys(("prompt_logprobs", "prompt_token_ids", "kv_transfer_params"))
    usage = _picked(answer["usage"], "prompt_tokens", "total_tokens", "completion_tokens")
    head = {**_picked(answer, *_HEAD), "choices": [said], "service_tier": None, "system_fingerprint": None}
    return {**head, "usage": {**usage, "prompt_tokens_details": None}, **own}


def _sglang_chunk(chunk: Json, _: int) -> Json:
    (choice,) = chunk["choices"]
    delta = {"role": None, **choice["delta"], "reasoning_content": None, "tool_calls": None}
    said = {**choice, "delta": delta, "matched_stop": None}
    return {**_picked(chunk, *_HEAD), "choices": [said], "usage": chunk["usage"]}


def _sglang_whole(answer: Json) -> Json:
    (choice,) = answer["choices"]
    message = {**choice["message"], "reasoning_content": None, "tool_calls": None}
    usage = _picked(answer["usage"], "prompt_tokens", "total_tokens", "completion_tokens")
    return {
        **_picked(answer, *_HEAD),
        "choices": [{**choice, "message": message, "matched_stop": 151645}],
        "usage": {**usage, "prompt_tokens_details": None, "reasoning_tokens": 0},
        "metadata": {"weight_version": "default"},
    }


_TIMINGS = {
    "cache_n": 0, "prompt_n": 17, "prompt_ms": 30.1, "prompt_per_token_ms": 1.7, "prompt_per_second": 564.8,
    "predicted_n": 64, "predicted_ms": 901.5, "predicted_per_token_ms": 14.1, "predicted_per_second": 71.0,
}  # fmt: skip


def _with_id(token: Json) -> Json:
    """A token as llama.cpp writes it, with its number in the vocabulary."""
    number = len(token["token"]) * 1009 + ord(token["token"][-1])
    return {"id": number, **_picked(token, "token", "bytes", "logprob")}


def _llama_answer(answer: Json, said: str) -> Json:
    (choice,) = answer["choices"]
    one = {"finish_reason": choice["finish_reason"], "index": 0, said: choice[said]}
    if choice["logprobs"] is not None:
        tokens = choice["logprobs"]["content"]
        numbered = [{**_with_id(one), "top_logprobs": list(map(_with_id, one["top_logprobs"]))} for one in tokens]
        one["logprobs"] = {"content": numbered}
    return {"choices": [one], **_picked(answer, "created", "id", "model", "system_fingerprint", "object")}


def _llama_chunk(chunk: Json, _: int) -> Json:
    written = _llama_answer(chunk, "delta")
    return {**written, "usage": chunk["usage"], "timings": _TIMINGS} if chunk["usage"] else written


def _llama_whole(answer: Json) -> Json:
    usage = _picked(answer["usage"], "completion_tokens", "prompt_tokens", "total_tokens")
    written = _llama_answer(answer, "message")
    return {**written, "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 0}}, "timings": _TIMINGS}


def _openrouter_chunk(chunk: Json, _: int) -> Json:
    (choice,) = chunk["choices"]
    delta = {"role": "assistant", "content": choice["delta"]["content"]}
    reason = choice["finish_reason"]
    said = {"index": 0, "delta": delta, "finish_reason": reason, "native_finish_reason": reason, "logprobs": None}
    head = {"id": chunk["id"], "provider": "DeepSeek", **_picked(chunk, "model", "object", "created")}
    usage = {"usage": {**chunk["usage"], "cost": 0.0001, "is_byok": False}} if chunk["usage"] else {}
    return {**head, "choices": [said], **usage}


def _openrouter_whole(answer: Json) -> Json:
    (choice,) = answer["choices"]
    message = {**choice["message"], "refusal": None, "reasoning": None}
    said = {"logprobs": None, "finish_reason": "stop", "native_finish_reason": "stop", "index": 0, "message": message}
    head = {"id": answer["id"], "provider": "DeepSeek", **_picked(answer, "model", "object", "created")}
    return {**head, "choices": [said], "usage": {**answer["usage"], "cost": 0.0001, "is_byok": False}}


def _openai_chunk(chunk: Json, number: int) -> Json:
    (choice,) = chunk["choices"]
    delta = {**choice["delta"], "refusal": None} if number == 0 else choice["delta"]
    head = {**_picked(chunk, *_HEAD), "service_tier": "default", "system_fingerprint": chunk["system_fingerprint"]}
    usage = chunk["usage"] and _openai_usage(chunk["usage"])
    return {**head, "choices": [{**choice, "delta": delta}], "usage": usage, "obfuscation": "aBcDeFgH"[number % 8 :]}


def _openai_usage(usage: Json) -> Json:
    none = ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
    return {
        **_picked(usage, "prompt_tokens", "completion_tokens", "total_tokens"),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": dict.fromkeys(none, 0),
    }


def _openai_whole(answer: Json) -> Json:
    (choice,) = answer["choices"]
    message = {**choice["message"], "refusal": None, "annotations": []}
    head = {**_picked(answer, *_HEAD), "choices": [{**choice, "message": message}]}
    usage = _openai_usage(answer["usage"])
    return {**head, "usage": usage, "service_tier": "default", "system_fingerprint": answer["system_fingerprint"]}


DIALECTS = {
    "vllm": Dialect("vLLM", _vllm_chunk, _vllm_whole),
    "sglang": Dialect("SGLang", _sglang_chunk, _sglang_whole),
    "llama": Dialect("llama.cpp", _llama_chunk, _llama_whole),
    "llama5": Dialect("llama.cpp with 5 alternatives", _llama_chunk, _llama_whole),
    "openrouter": Dialect("OpenRouter", _openrouter_chunk, _openrouter_whole),
    "openai": Dialect("OpenAI", _openai_chunk, _openai_whole),
}
"""By the kind of answer that `Spec` names."""
