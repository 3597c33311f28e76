"""`answer_chat` answers a chat question: first the reasoning, then content or calls, by the model or by a script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING

import attrs

from ..model import Sampling
from ..model.tokenizer import END_THINK
from .answer import Answer, Channel, Finished, Said
from .emissions import Ending, PlannedCall, emit_calls, emit_pieces, emit_text, word_steps
from .tool_choice import choose_tools

if TYPE_CHECKING:
    from ..model import LanguageModel
    from ..requests.questions import ChatQuestion
    from ..scripts.script import Script

__all__ = ["answer_chat", "choice_sampling", "interleave"]

_MIN_THOUGHT = {"low": 0, "high": 16, "max": 64}  # tokens
_SEED_STEP = 0x9E3779B97F4A7C15  # between the choices of one request; choice 0 has the request's own seed
_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def answer_chat(
    question: ChatQuestion,
    model: LanguageModel,
    script: Script,
    *,
    id: str,  # noqa: A002 - the wire's name
    created: int,
    cached_tokens: int,
) -> Answer:
    """Begin an answer. Nothing is generated before its emissions are drawn.

    Args:
        script: If it says anything, it says everything; else the model does.
        id, created: The completion's.
        cached_tokens: How many of the prompt's tokens were in the prefix cache.
    """

    def one(index: int) -> Iterator[Said]:
        sampling = choice_sampling(question.sampling, index)
        random = Random(f"{id}/{index}")
        said = _recite(question, model, script, random) if script.speaks else _speak(question, model, sampling, random)
        if script.finish_reason is None:
            return said
        reason = script.finish_reason
        return (Finished(reason, one.count) if isinstance(one, Finished) else one for one in said)

    return Answer(
        id=id,
        created=created,
        model=question.model.served_as,
        fingerprint=model.fingerprint,
        emissions=interleave([one(index) for index in range(question.choices)]),
        choices=question.choices,
        prompt_tokens=len(question.prompt),
        cached_tokens=cached_tokens,
        thinking=question.thinking or script.think is not None,
        usage_changes=script.usage or {},
    )


def choice_sampling(sampling: Sampling, index: int) -> Sampling:
    """The sampling of one of several choices, so that each of them draws other tokens."""
    return attrs.evolve(sampling, seed=(sampling.seed or 0) + index * _SEED_STEP)


def interleave(choices: Sequence[Iterator[Said]]) -> Iterator[tuple[int, Said]]:
    """Draw from every choice in turn, as servers do that generate them side by side."""
    alive = list(enumerate(choices))
    while alive:
        for entry in tuple(alive):
            said = next(entry[1], None)
            if said is None:
                alive.remove(entry)
            else:
                yield entry[0], said


def _speak(question: ChatQuestion, model: LanguageModel, sampling: Sampling, random: Random) -> Iterator[Said]:
    """The model's own answer."""
    context, tokenizer, listed = question.prompt, model.tokenizer, question.top is not None
    left, unreported = question.budget, 0
    if question.thinking:
        reasoning = question.reasoning_prefix
        if not question.prefix:  # content that has begun means that the thinking is over
            thinking = attrs.evolve(sampling, min_tokens=_MIN_THOUGHT.get(question.effort, 0))
            steps = model.generate(context, thinking, prefix=reasoning, logprobs=listed)
            thought = yield from emit_text(steps, tokenizer, "reasoning_content", budget=left, top=question.top)
            if thought.reason == "length":
                yield Finished("length", thought.unreported)
                return
            left -= thought.drawn
            unreported = thought.unreported
            reasoning += thought.text
        # Encoded anew, so that the answer follows from the text: a request that brings it back goes on alike.
        context = (*context, *tokenizer.encode(reasoning), END_THINK)
    tools = choose_tools(
        question.tools,
        question.last_words,
        instructions=question.instructions,
        must_call=question.must_call,
        may_call=question.may_call and not question.prefix,
        chance=random.random(),
    )
    ending: Ending
    if tools:
        calls = [
            PlannedCall(
                _call_id(number, random),
                tool.function.name,
                # The arguments of two calls of one answer must not be the same draws.
                model.generate_json(
                    context,
                    choice_sampling(sampling, 1000 + number),
                    tool.function.parameters or {"type": "object", "properties": {}},
                    logprobs=False,
                ),
            )
            for number, tool in enumerate(tools)
        ]
        ending = yield from emit_calls(calls, tokenizer, budget=left)
    else:
        write = model.generate_json if question.json else model.generate
        steps = write(context, sampling, prefix=question.prefix, logprobs=listed)
        ending = yield from emit_text(steps, tokenizer, "content", budget=left, stops=question.stops, top=question.top)
    yield Finished(_reason(ending, called=bool(tools)), unreported + ending.unreported)


def _recite(question: ChatQuestion, model: LanguageModel, script: Script, random: Random) -> Iterator[Said]:
    """A script's answer. ``max_tokens`` and ``stop`` act on its strings as on the model's."""
    tokenizer, left, unreported = model.tokenizer, question.budget, 0
    channels: tuple[tuple[Channel, str | Sequence[str] | None, tuple[str, ...]], ...] = (
        ("reasoning_content", script.think, ()),
        ("content", script.say, question.stops),
    )
    for channel, text, stops in channels:
        if isinstance(text, str):
            steps = word_steps(tokenizer, text)
            ending = yield from emit_text(steps, tokenizer, channel, budget=left, stops=stops, top=question.top)
        else:
            ending = yield from emit_pieces(text or (), tokenizer, channel, top=question.top)
        if ending.reason != "end":
            yield Finished(_reason(ending), ending.unreported)
            return
        left -= ending.drawn
        unreported += ending.unreported
    calls = [
        PlannedCall(
            call.id or _call_id(number, random),
            call.name,
            word_steps(
                tokenizer,
                call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False),
            ),
        )
        for number, call in enumerate(script.calls)
    ]
    ending = yield from emit_calls(calls, tokenizer, budget=left, interleaved=script.interleave)
    yield Finished(_reason(ending, called=bool(calls)), unreported + ending.unreported)


def _reason(ending: Ending, *, called: bool = False) -> str:
    if ending.reason == "length":
        return "length"
    return "tool_calls" if called else "stop"


def _call_id(number: int, random: Random) -> str:
    return f"call_{number:02d}_" + "".join(random.choices(_ID_LETTERS, k=24))
