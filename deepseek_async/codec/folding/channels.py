"""Which tokens belong to the content and which to the reasoning, where a server puts all of them into ``content``.

DeepSeek has a list for each channel. llama.cpp and vLLM have one, with the tokens of the reasoning, those of the marks
around it, and on llama.cpp the token that ended the answer. The text tells them apart, streamed or whole: the tokens
that spell ``reasoning_content`` and those that spell ``content``; what spells neither belongs to neither. Where the
text does not tell (a server that changed it), the chunks of a stream do: a token belongs to what its chunk brought, and
one that is a part of a character to what the character belongs to. A whole answer is then left alone, and marked: its
logprobs have ``{"channels": "mixed"}`` in ``extra``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise

from ...types import AssistantMessage, ChoiceLogprobs, ChunkChoice, TokenLogprob
from ...types.tokens.token import token_bytes

Tokens = tuple[TokenLogprob, ...]

MIXED = {"channels": "mixed"}

_MAX_PLACES = 64  # that are looked at, so that a text of one letter does not cost the square of its length

_OPENING = re.compile(rb"\s*(?:<[^<>]{1,40}>|\[[A-Z_]{1,40}\])")
_CLOSING = re.compile(rb"\s*(?:<[^<>]{1,40}>|\[/?[A-Z_]{1,40}\])\s*")


def of_whole(logprobs: ChoiceLogprobs, message: AssistantMessage) -> ChoiceLogprobs:
    """The logprobs of a whole answer, each token in its channel."""
    content, reasoning = without_end(logprobs.content), logprobs.reasoning_content
    if content and not reasoning and _is_mixed(content, message):
        split = by_text(content, message)
        if split is None:
            return ChoiceLogprobs(content, reasoning, extra={**logprobs.extra, **MIXED})
        content, reasoning = split
    return ChoiceLogprobs(content, reasoning, extra=logprobs.extra)


def of_chunk(choice: ChunkChoice) -> ChoiceLogprobs | None:
    """The logprobs of a chunk: those of one that brings reasoning and no content are the reasoning's."""
    logprobs, delta = choice.logprobs, choice.delta
    if logprobs is None or not delta.reasoning_content or delta.content:
        return logprobs
    if not logprobs.content or logprobs.reasoning_content:
        return logprobs
    return ChoiceLogprobs(None, logprobs.content, extra=logprobs.extra)


def of_stream(parts: Sequence[ChunkChoice], message: AssistantMessage) -> tuple[Tokens | None, Tokens | None]:
    """The tokens of all chunks: the content's, and the reasoning's."""
    content = without_end(_joined(part.logprobs.content for part in parts if part.logprobs is not None))
    reasoning = _joined(part.logprobs.reasoning_content for part in parts if part.logprobs is not None)
    if not content or reasoning or not _is_mixed(content, message):
        return content, reasoning
    if (split := by_text(content, message)) is not None:
        return split
    is_left_alone = any(part.logprobs is not None and MIXED.items() <= part.logprobs.extra.items() for part in parts)
    return (content, reasoning) if is_left_alone else _by_chunks(parts)


def _is_mixed(tokens: Tokens, message: AssistantMessage) -> bool:
    """Whether tokens of an answer with reasoning are more than those of its content."""
    return bool(message.reasoning_content) and _spelled(tokens).strip() != _bytes(message.content).strip()


def without_end(tokens: Tokens | None) -> Tokens | None:
    """The tokens without the one that ended the answer, which spells nothing; llama.cpp says it in whole answers."""
    if not tokens:
        return tokens
    last = tokens[-1]
    ends = not last.token and last.bytes == () and "id" in last.extra
    return tokens[:-1] if ends else tokens


def by_text(tokens: Tokens, message: AssistantMessage) -> tuple[Tokens, Tokens] | None:
    """The content's tokens and the reasoning's, by the places where their texts stand in what all tokens spell."""
    spelled = _spelled(tokens)
    content, reasoning = _bytes(message.content), _bytes(message.reasoning_content)
    borders = [0, *accumulate(len(token_bytes(token)) for token in tokens)]
    starts = frozenset(borders)
    begin = _last_place(spelled, content, starts) if content else len(spelled)
    opening = _OPENING.match(spelled)
    after = opening.end() if opening is not None and not spelled.startswith(reasoning) else 0
    at = _first_place(spelled[: max(0, begin)], reasoning, after, starts)
    if begin < 0 or at < 0:
        return None
    reasoning_end, content_end = at + len(reasoning), begin + len(content)
    if message.tool_calls:  # calls are spelled, too
        closing = _CLOSING.match(spelled, reasoning_end)
        begin = min(begin, closing.end() if closing is not None else reasoning_end)
        content_end = len(spelled)
    of_content: list[TokenLogprob] = []
    of_reasoning: list[TokenLogprob] = []
    for token, (start, end) in zip(tokens, pairwise(borders), strict=True):
        if start < end and start < content_end and end > begin:
            of_content.append(token)
        elif start < end and start < reasoning_end and end > at:
            of_reasoning.append(token)
    return tuple(of_content), tuple(of_reasoning)


def _first_place(spelled: bytes, text: bytes, at: int, starts: frozenset[int]) -> int:
    """Where a text stands: the first place where a token starts, else the first; -1: nowhere."""
    first = at = spelled.find(text, at)
    for _ in range(_MAX_PLACES):
        if at < 0 or at in starts:
            break
        at = spelled.find(text, at + 1)
    return at if at in starts else first


def _last_place(spelled: bytes, text: bytes, starts: frozenset[int]) -> int:
    last = at = spelled.rfind(text)
    for _ in range(_MAX_PLACES):
        if at < 0 or at in starts:
            break
        at = spelled.rfind(text, 0, at + len(text) - 1)
    return at if at in starts else last


def _by_chunks(parts: Sequence[ChunkChoice]) -> tuple[Tokens, Tokens]:
    content: list[TokenLogprob] = []
    reasoning: list[TokenLogprob] = []
    waiting: list[TokenLogprob] = []  # parts of a character that is still to come
    for part in parts:
        tokens = (part.logprobs.content if part.logprobs is not None else None) or ()
        delta = part.delta
        if delta.content or delta.tool_calls or delta.reasoning_content:
            channel = reasoning if delta.reasoning_content and not delta.content else content
            channel += waiting
            channel += tokens
            waiting.clear()
        else:
            waiting += tokens
            if _is_text(_spelled(waiting)):
                waiting.clear()  # marks: they spell what no chunk has brought
    return tuple(content), tuple(reasoning)


def _is_text(spelled: bytes) -> bool:
    try:
        spelled.decode()
    except UnicodeDecodeError:
        return False
    return True


def _joined(parts: Iterable[Tokens | None]) -> Tokens | None:
    sent = [tokens for tokens in parts if tokens is not None]
    return tuple(chain.from_iterable(sent)) if sent else None


def _spelled(tokens: Iterable[TokenLogprob]) -> bytes:
    return b"".join(map(token_bytes, tokens))


def _bytes(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "replace")
