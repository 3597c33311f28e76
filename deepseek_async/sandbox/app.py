"""Routes: from an HTTP request to an answer on the wire."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from . import refusals
from .answers import Answer, Called, Emission, Finished
from .bodies import ChatBody, CompletionBody, TextPart
from .checks import read_chat, read_completion
from .chunks import DONE, chunk_events
from .completions import whole_completion
from .refusals import Refusal
from .speaking import emit_text

if TYPE_CHECKING:
    from .server import SandboxServer

__all__ = ["build"]

_MAX_BODY_BYTES = 48 * 2**20
_PREFIXES = ("", "/v1", "/beta")
_MODELS = ("deepseek-flash", "deepseek-v4-pro", "deepseek-chat", "deepseek-reasoner", "deepseek-coder")
_WITHOUT_THINKING = ("deepseek-chat", "deepseek-coder")


def build(server: SandboxServer) -> web.Application:
    """The application for one server."""
    application = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_refuse])
    application[_SERVER] = server
    for prefix in _PREFIXES:
        application.router.add_post(prefix + "/chat/completions", _chat)
        application.router.add_post(prefix + "/completions", _completion)
        application.router.add_get(prefix + "/models", _models)
        application.router.add_get(prefix + "/user/balance", _balance)
    return application


_SERVER: web.AppKey[Any] = web.AppKey("server")


@web.middleware
async def _refuse(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    trace = {"x-ds-trace-id": uuid.uuid4().hex}
    try:
        _authenticate(request)
        response = await handler(request)
    except Refusal as refusal:
        data, content_type = refusal.body()
        return web.Response(
            status=refusal.status, body=data, headers={"Content-Type": content_type, **trace, **dict(refusal.headers)}
        )
    except web.HTTPNotFound:
        data, content_type = refusals.no_such_path(request.path).body()
        return web.Response(status=404, body=data, headers={"Content-Type": content_type, **trace})
    if not response.prepared:
        response.headers.update(trace)
    return response


def _authenticate(request: web.Request) -> None:
    key = request.app[_SERVER].api_key
    header = request.headers.get("Authorization")
    if key is not None and header != f"Bearer {key}":
        raise refusals.authentication_fails(header)


async def _models(request: web.Request) -> web.Response:
    items = [{"id": name, "object": "model", "owned_by": "deepseek"} for name in _MODELS[:2]]
    return web.json_response({"object": "list", "data": items})


async def _balance(request: web.Request) -> web.Response:
    info = {"currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"}
    return web.json_response({"is_available": True, "balance_infos": [info]})


async def _chat(request: web.Request) -> web.StreamResponse:
    server = request.app[_SERVER]
    body = read_chat(await request.read())
    answer = _answer(server, body)
    if not body.stream:
        return web.Response(body=msgspec.json.encode(whole_completion(answer)), content_type="application/json")
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    return await _stream(request, chunk_events(answer, include_usage=include_usage))


async def _stream(request: web.Request, events: Iterator[tuple[bytes, int]]) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "x-ds-trace-id": uuid.uuid4().hex}
    )
    await response.prepare(request)
    for data, _count in events:
        await response.write(data)
    await response.write(DONE)
    await response.write_eof()
    return response


async def _completion(request: web.Request) -> web.StreamResponse:
    server = request.app[_SERVER]
    if not request.path.startswith("/beta/") and not server.beta_everywhere:
        raise refusals.beta_only("completions api")
    body = read_completion(await request.read())
    key, id_, created = _identity(server, body)
    prompt_tokens = server._model.tokenizer.count(body.prompt)
    emissions = list(
        emit_text(
            server._model.generate(body.prompt, key),
            server._model.tokenizer,
            "content",
            stops=_stops(body.stop),
            budget=body.max_tokens or 4096,
            top_logprobs=body.logprobs,
        )
    )
    head: dict[str, Any] = {
        "id": id_,
        "object": "text_completion",
        "created": created,
        "model": body.model,
        "system_fingerprint": "fp_sandbox_0001",
    }
    used = sum(emission.count for emission in emissions)
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": used,
        "total_tokens": prompt_tokens + used,
        "prompt_cache_hit_tokens": 0,
        "prompt_cache_miss_tokens": prompt_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    pieces = [(e.text, e.tokens, None) if isinstance(e, Emission) else ("", None, e.reason) for e in emissions]
    if body.echo:
        pieces.insert(0, (body.prompt, None, None))
    if not body.stream:
        tokens = [token for _, listed, _ in pieces for token in listed or ()]
        choice = {
            "index": 0,
            "text": "".join(text for text, _, _ in pieces),
            "logprobs": None if body.logprobs is None else _fim_logprobs(tokens, 0),
            "finish_reason": pieces[-1][2],
        }
        return web.json_response({**head, "choices": [choice], "usage": usage})

    def events() -> Iterator[tuple[bytes, int]]:
        offset = 0
        for text, listed, reason in pieces:
            logprobs = _fim_logprobs(list(listed), offset) if listed is not None else None
            choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": reason}
            chunk: dict[str, Any] = {**head, "choices": [choice]}
            if reason is not None:
                chunk["usage"] = usage
            offset += len(text)
            yield b"data: " + msgspec.json.encode(chunk) + b"\n\n", 1

    return await _stream(request, events())


def _fim_logprobs(tokens: list[Any], offset: int) -> dict[str, Any]:
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(bytes(token.bytes or ()).decode("utf-8", "ignore"))
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{other.token: other.logprob for other in token.top_logprobs} for token in tokens],
        "text_offset": offsets,
    }


def _stops(stop: str | list[str] | None) -> list[str]:
    return [stop] if isinstance(stop, str) else stop or []


def _identity(server: SandboxServer, body: ChatBody | CompletionBody) -> tuple[int, str, int]:
    seed = body.seed if body.seed is not None else server.seed
    greedy = body.temperature == 0
    said = msgspec.to_builtins(body)
    for name in ("stream", "stream_options"):
        said.pop(name, None)
    digest = hashlib.sha256(msgspec.json.encode([seed, said], order="sorted")).digest()
    key = int.from_bytes(digest[:8], "big") if seed is not None or greedy else uuid.uuid4().int >> 64
    if seed is None:
        return key, str(uuid.uuid4()), int(server._clock())
    return key, str(uuid.UUID(bytes=digest[:16], version=4)), server._started


def _answer(server: SandboxServer, body: ChatBody) -> Answer:
    if body.model not in _MODELS:
        raise refusals.unknown_model(body.model)
    key, id_, created = _identity(server, body)
    thinking = body.model not in _WITHOUT_THINKING
    if body.reasoning_effort == "none":
        thinking = False
    if body.thinking is not None:
        thinking = body.thinking.type == "enabled"
    prompt = "\n".join(_text(message.content) for message in body.messages)
    tokenizer = server._model.tokenizer
    top = (body.top_logprobs or 0) if body.logprobs else None
    budget = body.max_tokens or 8192
    choices = body.n or 1

    def one(index: int) -> Iterator[Emission | Called | Finished]:
        left = budget
        if thinking:
            thoughts = emit_text(
                server._model.generate("think" + prompt, key + index),
                tokenizer,
                "reasoning_content",
                stops=(),
                budget=left,
                top_logprobs=top,
            )
            for emission in thoughts:
                if isinstance(emission, Finished) and emission.reason != "length":
                    continue
                left -= emission.count
                yield emission
                if isinstance(emission, Finished):
                    return
        if body.tools and body.tool_choice != "none":
            yield Called(0, "", 1, id=f"call_00_{key:x}", name=body.tools[0].function.name)
            for fragment in ('{"', "value", '": ', "1", "}"):
                yield Called(0, fragment, 1)
            yield Finished("tool_calls")
            return
        yield from emit_text(
            server._model.generate(prompt, key + index),
            tokenizer,
            "content",
            stops=_stops(body.stop),
            budget=left,
            top_logprobs=top,
        )

    def all_choices() -> Iterator[tuple[int, Emission | Called | Finished]]:
        alive = [(index, one(index)) for index in range(choices)]
        while alive:
            for pair in list(alive):
                emission = next(pair[1], None)
                if emission is None:
                    alive.remove(pair)
                else:
                    yield pair[0], emission

    return Answer(
        id=id_,
        created=created,
        model=body.model,
        emissions=all_choices(),
        choices=choices,
        prompt_tokens=tokenizer.count(prompt),
        cached_tokens=0,
        thinking=thinking,
        logprobs=top is not None,
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.text for part in content if isinstance(part, TextPart))
    return ""
