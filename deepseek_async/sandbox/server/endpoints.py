"""The endpoints of the API: `ENDPOINTS` has the handler of each path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from msgspec import structs

from ..answers.answer import Answer
from ..answers.chat import answer_chat
from ..answers.chunks import stream_events
from ..answers.completions import whole_events
from ..answers.fim import answer_completion, text_stream_events, text_whole_events
from ..answers.meter import Meter
from ..requests import refusals
from ..requests.bodies import ChatBody, CompletionBody
from ..requests.checks import read_chat, read_completion
from ..requests.files import read_upload
from ..requests.models import listed_models
from ..requests.questions import ask_chat, ask_completion
from ..scripts.actions import Event
from ..scripts.faults import WholeCompletion
from ..scripts.playback import EVENT_STREAM, JSON
from .wire import Played

if TYPE_CHECKING:
    from ..requests.questions import Question
    from .exchange import Exchange

__all__ = [
    "ENDPOINTS",
    "FILE",
    "FILES",
    "FILE_ENDPOINTS",
    "PREFIXES",
    "Endpoint",
    "endpoint_for",
    "send_json",
    "what_is_served",
]

PREFIXES = ("/beta", "/v1", "")


@attrs.frozen
class Endpoint:
    """A path that is served.

    Attributes:
        method: The one it takes.
        answer: What is done.
        speaks: Whether a model answers there, so that a script may say something.
        others: What else the path takes.
    """

    method: str
    answer: Callable[[Exchange], Awaitable[Played]]
    speaks: bool = False
    others: tuple[str, ...] = ()


async def _models(exchange: Exchange) -> Played:
    return await send_json(exchange, listed_models())


async def _balance(exchange: Exchange) -> Played:
    return await send_json(exchange, exchange.sandbox.ledger.to_wire())


async def _chat(exchange: Exchange) -> Played:
    _check_media_type(exchange)
    sandbox = exchange.sandbox
    body = read_chat(exchange.seen.body)
    identity = sandbox.identify(body)
    question = ask_chat(
        body, sandbox.model, rules=sandbox.rules, beta=exchange.beta, seed=identity.seed, files=sandbox.files
    )

    def begin(cached_tokens: int) -> Answer:
        return answer_chat(
            question,
            sandbox.model,
            exchange.script,
            id=identity.id,
            created=identity.created,
            cached_tokens=cached_tokens,
        )

    return await _generate(exchange, body, question, begin, stream_events, whole_events)


async def _completion(exchange: Exchange) -> Played:
    _check_media_type(exchange)
    if not exchange.beta:
        raise refusals.beta_only("completions api")
    sandbox = exchange.sandbox
    body = read_completion(exchange.seen.body)
    identity = sandbox.identify(body)
    question = ask_completion(body, sandbox.model, rules=sandbox.rules, seed=identity.seed)

    def begin(cached_tokens: int) -> Answer:
        return answer_completion(
            question,
            sandbox.model,
            exchange.script,
            id=identity.id,
            created=identity.created,
            cached_tokens=cached_tokens,
        )

    return await _generate(exchange, body, question, begin, text_stream_events, text_whole_events)


async def _generate(
    exchange: Exchange,
    body: ChatBody | CompletionBody,
    question: Question,
    begin: Callable[[int], Answer],
    streamed: Callable[..., Iterator[Event]],
    whole: Callable[[Answer], Iterator[Event]],
) -> Played:
    """Admit, bill, generate and send. The request counts as in flight until its last byte is written."""
    sandbox, model = exchange.sandbox, question.model
    sandbox.ledger.check()
    with sandbox.admission.admit(model.served_as):
        sandbox.ledger.bill(exchange.row(body.user_id))
        owner = f"{model.served_as}\0{question.owner}"
        cached_tokens = sandbox.prefix_cache.hit(owner, question.prompt) if sandbox.prefix_cache else 0

        meter = Meter()
        answer = begin(cached_tokens)
        answer = structs.replace(answer, emissions=meter.count(answer.emissions))
        whole_asked = any(isinstance(fault, WholeCompletion) for fault in exchange.script.faults)
        try:
            if not body.stream or whole_asked:
                return await exchange.send(whole(answer), content_type=JSON, generated=True)
            include_usage = bool(body.stream_options and body.stream_options.include_usage)
            events = streamed(answer, include_usage=include_usage)
            return await exchange.send(events, content_type=EVENT_STREAM, generated=True)
        finally:
            exchange.seen.answer, exchange.seen.tokens = meter.shown, meter.tokens
            price = model.price(
                hit_tokens=cached_tokens,
                miss_tokens=len(question.prompt) - cached_tokens,
                completion_tokens=meter.tokens,
            )
            sandbox.ledger.spend(price)
            if sandbox.prefix_cache:
                said = sandbox.model.tokenizer.encode("".join(meter.texts))
                sandbox.prefix_cache.store(owner, (*question.spoken, *said))


async def send_json(exchange: Exchange, value: Any) -> Played:
    """Answer with a JSON body."""
    return await exchange.send([Event(msgspec.json.encode(value), "last")])


def what_is_served(control: Iterable[str]) -> str:
    """One sentence that lists every endpoint.

    Args:
        control: The sandbox's own paths.
    """
    served = [(endpoint.method, path) for path, endpoint in ENDPOINTS.items()]
    served += [(method, path) for path, method in FILE_ENDPOINTS]
    paths = ", ".join(f"{method} {path}" for method, path in served)
    prefixes = " and ".join(prefix for prefix in sorted(PREFIXES) if prefix)
    return (
        f"The sandbox serves {paths}, each of them also under {prefixes} (POST /completions under /beta only); "
        f"and, for tests, {', '.join(control)}."
    )


async def _upload(exchange: Exchange) -> Played:
    upload = read_upload(exchange.seen.body, exchange.request.headers.get("Content-Type", ""))
    exchange.seen.body = b""  # not kept: it may be large
    return await send_json(exchange, exchange.sandbox.files.add(upload).to_wire())


async def _files(exchange: Exchange) -> Played:
    query = exchange.request.query
    wanted = {name: query.get(name) for name in ("after", "limit", "order", "purpose")}
    return await send_json(exchange, exchange.sandbox.files.page(**wanted))


async def _file(exchange: Exchange) -> Played:
    return await send_json(exchange, exchange.sandbox.files.get(_file_id(exchange)).to_wire())


async def _delete_file(exchange: Exchange) -> Played:
    file_id = _file_id(exchange)
    exchange.sandbox.files.delete(file_id)
    return await send_json(exchange, {"id": file_id, "object": "file", "deleted": True})


def _file_id(exchange: Exchange) -> str:
    return exchange.request.path.rpartition("/")[2]


def endpoint_for(path: str, method: str) -> Endpoint | None:
    """What serves a path, by that method if it can; ``None``: nothing does."""
    if (endpoint := ENDPOINTS.get(path)) is not None:
        return endpoint
    pattern = FILE if path.startswith(FILES + "/") and path.count("/") == 2 else path
    served = [endpoint for (known, _), endpoint in FILE_ENDPOINTS.items() if known == pattern]
    return next((endpoint for endpoint in served if endpoint.method == method), served[0] if served else None)


def _check_media_type(exchange: Exchange) -> None:
    """The API takes exactly ``application/json``: not a charset after it, not the header twice."""
    given = exchange.request.headers.getall("Content-Type", [])
    if [value.strip().lower() for value in given] != [JSON]:
        raise refusals.unsupported_media_type()


ENDPOINTS = {
    "/chat/completions": Endpoint("POST", _chat, speaks=True),
    "/completions": Endpoint("POST", _completion, speaks=True),
    "/models": Endpoint("GET", _models),
    "/user/balance": Endpoint("GET", _balance),
}

FILES, FILE = "/files", "/files/{file_id}"
FILE_ENDPOINTS = {
    (FILES, "POST"): Endpoint("POST", _upload, others=("GET",)),
    (FILES, "GET"): Endpoint("GET", _files, others=("POST",)),
    (FILE, "GET"): Endpoint("GET", _file, others=("DELETE",)),
    (FILE, "DELETE"): Endpoint("DELETE", _delete_file, others=("GET",)),
}
