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
from ..requests.models import listed_models
from ..requests.questions import ask_chat, ask_completion
from ..scripts.actions import Event
from ..scripts.faults import WholeCompletion
from ..scripts.playback import EVENT_STREAM, JSON
from .wire import Played

if TYPE_CHECKING:
    from ..requests.questions import Question
    from .exchange import Exchange

__all__ = ["ENDPOINTS", "PREFIXES", "Endpoint", "send_json", "what_is_served"]

PREFIXES = ("/beta", "/v1", "")


@attrs.frozen
class Endpoint:
    """A path that is served.

    Attributes:
        method: The one it takes.
        answer: What is done.
        speaks: Whether a model answers there, so that a script may say something.
    """

    method: str
    answer: Callable[[Exchange], Awaitable[Played]]
    speaks: bool = False


async def _models(exchange: Exchange) -> Played:
    return await send_json(exchange, listed_models())


async def _balance(exchange: Exchange) -> Played:
    return await send_json(exchange, exchange.sandbox.ledger.to_wire())


async def _chat(exchange: Exchange) -> Played:
    _check_media_type(exchange)
    sandbox = exchange.sandbox
    body = read_chat(exchange.seen.body)
    identity = sandbox.identify(body)
    question = ask_chat(body, sandbox.model, rules=sandbox.rules, beta=exchange.beta, seed=identity.seed)

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
    paths = ", ".join(f"{endpoint.method} {path}" for path, endpoint in ENDPOINTS.items())
    prefixes = " and ".join(prefix for prefix in sorted(PREFIXES) if prefix)
    return (
        f"The sandbox serves {paths}, each of them also under {prefixes} (POST /completions under /beta only); "
        f"and, for tests, {', '.join(control)}."
    )


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
