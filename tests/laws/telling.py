"""A true text, token by token, and how a server tells it: in parts, in chunks, with the tokens of half characters."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st

from ..wire import DONE, event, of_choices

# One token, or the tokens of one character, of which only the last brings text.
_PIECES = [
    (("ab", b"ab", "ab"),),
    ((" c", b" c", " c"),),
    (("\n", b"\n", "\n"),),
    (("\ufffd", b"\xf0\x9f", ""), ("\ufffd", b"\xa6\x94", "🦔")),
    (("\ufffd", b"\xe4", ""), ("\ufffd", b"\xb8", ""), ("\ufffd", b"\xad", "中")),
]
PROMPT_TOKENS = 10

Token = tuple[str, bytes, str]


@attrs.frozen
class Story:
    """What the model would say, in tokens."""

    tokens: tuple[Token, ...]

    def text(self, tokens: int | None = None) -> str:
        """The text of the first tokens."""
        return "".join(text for _, _, text in self.tokens[:tokens])

    def begin(self, position: int) -> int:
        """The first token of what comes after so many characters."""
        start, seen = 0, 0
        for number, (_, _, text) in enumerate(self.tokens, 1):
            if not text:
                continue
            if seen + len(text) > position:
                break
            seen += len(text)
            start = number
        return start

    def part(self, start: int, *, at_most: int, together: int, with_usage: bool) -> tuple[bytes, int, str]:
        """What the server sends of it.

        Args:
            start: The first token.
            at_most: How many tokens the part has at most.
            together: How many tokens come in one chunk.
            with_usage: Whether its end tells the counts.

        Returns:
            The body; how many tokens it has; its finish reason.
        """
        told = self.tokens[start : start + at_most]
        reason = "length" if start + len(told) < len(self.tokens) else "stop"
        chunks = [_chunk("", ())]
        chunks += [_chunk("".join(t[2] for t in some), some) for some in _groups(told, together)]
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": len(told)}
        chunks.append(_chunk("", (), reason, **({"usage": usage} if with_usage else {})))
        return b"".join(map(event, chunks)) + DONE, len(told), reason


def _groups(tokens: tuple[Token, ...], together: int) -> list[tuple[Token, ...]]:
    return [tokens[at : at + together] for at in range(0, len(tokens), together)]


def _chunk(content: str, tokens: tuple[Token, ...], reason: str | None = None, **fields: Any) -> dict[str, Any]:
    entries = [{"token": token, "logprob": -0.5, "bytes": list(raw), "top_logprobs": []} for token, raw, _ in tokens]
    return of_choices(
        {
            "index": 0,
            "delta": {"role": "assistant", "content": content},
            "logprobs": {"content": entries} if entries else None,
            "finish_reason": reason,
        },
        **fields,
    )


STORIES = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map(
    lambda pieces: Story(tuple(token for piece in pieces for token in piece))
)
