"""Fill in the middle: the answer to a FIM question, and its bodies in the shapes of POST /beta/completions.

Source: https://api-docs.deepseek.com/api/create-completion
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from ..model.tokenizer import BOS
from ..scripts.actions import Event
from ..scripts.playback import DONE
from .answer import Answer, Emission, Finished, Said, Token
from .chat import choice_sampling, interleave
from .emissions import emit_pieces, emit_text, word_steps
from .replies import TextChoice, TextCompletion, TextLogprobs

if TYPE_CHECKING:
    from ..model import LanguageModel
    from ..requests.questions import CompletionQuestion
    from ..scripts.script import Script

__all__ = ["answer_completion", "text_stream_events", "text_whole_events"]


def answer_completion(
    question: CompletionQuestion,
    model: LanguageModel,
    script: Script,
    *,
    id: str,  # noqa: A002 - the wire's name
    created: int,
    cached_tokens: int,
) -> Answer:
    """Begin an answer, as `chat.answer_chat` does for chat."""
    suffix = tuple(model.tokenizer.encode(question.suffix))

    def one(index: int) -> Iterator[Said]:
        tokenizer, top = model.tokenizer, question.top
        if question.echo:
            yield Emission("content", question.text, 0)
        if script.say is not None and not isinstance(script.say, str):
            ending = yield from emit_pieces(script.say, tokenizer, "content", top=top)
        else:
            steps = (
                word_steps(tokenizer, script.say)
                if script.say is not None
                else model.generate(
                    question.prompt or (BOS,),
                    choice_sampling(question.sampling, index),
                    begin=(*question.prompt, *suffix),
                    logprobs=top is not None,
                )
            )
            ending = yield from emit_text(
                steps, tokenizer, "content", budget=question.budget, stops=question.stops, top=top
            )
        reason = script.finish_reason or ("length" if ending.reason == "length" else "stop")
        yield Finished(reason, ending.unreported)

    return Answer(
        id=id,
        created=created,
        model=question.model.served_as,
        fingerprint=model.fingerprint,
        emissions=interleave([one(index) for index in range(question.choices)]),
        choices=question.choices,
        prompt_tokens=len(question.prompt) + len(suffix),
        cached_tokens=cached_tokens,
        thinking=False,
        usage_changes=script.usage or {},
    )


def text_stream_events(answer: Answer, *, include_usage: bool) -> Iterator[Event]:
    """The events of a stream, ``[DONE]`` included."""
    head = {
        "id": answer.id,
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
    }
    no_usage: dict[str, Any] = {"usage": None} if include_usage else {}
    places = [_Places() for _ in range(answer.choices)]
    completion_tokens, left = 0, answer.choices
    for index, said in answer.emissions:
        completion_tokens += said.count
        if isinstance(said, Emission):
            logprobs = None if said.tokens is None else places[index].list_tokens(said.tokens)
            choice = TextChoice(said.text, index, logprobs, None)
            chunk = {**head, "choices": [choice], **no_usage}
            yield Event(_data(chunk), "chunk", said.count)
        elif isinstance(said, Finished):
            left -= 1
            choice = TextChoice("", index, None, said.reason)
            usage = no_usage if left else {"usage": answer.usage(completion_tokens, 0).to_wire()}
            yield Event(_data({**head, "choices": [choice], **usage}), "chunk" if left else "last", said.count)
    yield Event(DONE, "done")


def text_whole_events(answer: Answer) -> Iterator[Event]:
    """Draw everything, then the body."""
    texts: list[list[str]] = [[] for _ in range(answer.choices)]
    tokens: list[list[Token]] = [[] for _ in range(answer.choices)]
    reasons = ["stop"] * answer.choices
    completion_tokens = 0
    for index, said in answer.emissions:
        completion_tokens += said.count
        if isinstance(said, Emission):
            texts[index].append(said.text)
            tokens[index] += said.tokens or ()
        elif isinstance(said, Finished):
            reasons[index] = said.reason
        yield Event(b"", "work", said.count)
    choices = [
        TextChoice(
            "".join(texts[index]),
            index,
            _Places().list_tokens(tokens[index]) if tokens[index] else None,
            reasons[index],
        )
        for index in range(answer.choices)
    ]
    completion = TextCompletion(
        id=answer.id,
        created=answer.created,
        model=answer.model,
        choices=choices,
        usage=answer.usage(completion_tokens, 0).to_wire(),
        system_fingerprint=answer.fingerprint,
    )
    yield Event(msgspec.json.encode(completion), "last")


def _data(chunk: object) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(chunk)


@attrs.define
class _Places:
    """The places of tokens in the text, in characters. All bytes of a character have the place of the character."""

    _place: int = 0
    _decoder: codecs.IncrementalDecoder = attrs.field(factory=codecs.getincrementaldecoder("utf-8"))

    def list_tokens(self, tokens: Sequence[Token]) -> TextLogprobs:
        offsets = []
        for token in tokens:
            offsets.append(self._place)
            self._place += len(self._decoder.decode(bytes(token.bytes or ())))
        return TextLogprobs(
            text_offset=offsets,
            token_logprobs=[token.logprob for token in tokens],
            tokens=[token.token for token in tokens],
            top_logprobs=[
                {**{other.token: other.logprob for other in token.top_logprobs}, token.token: token.logprob}
                for token in tokens
            ],
        )
