"""Log probabilities: text from bytes, spans, what is no probability, perplexity."""

from __future__ import annotations

import copy
import gc
import math
import pickle
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.types import (
    BELOW_TOP,
    ChoiceLogprobs,
    TokenLogprob,
    TopLogprob,
    perplexity_of,
    spans_of,
    text_of,
)


def token(data: bytes | None, logprob: float = -1.0, text: str = "") -> TokenLogprob:
    return TokenLogprob(text, logprob, None if data is None else tuple(data))


@given(st.text(max_size=30), st.lists(st.integers(0, 120), max_size=20))
def test_text_is_rebuilt_however_tokens_cut_it(text: str, places: list[int]) -> None:
    """Cut at any bytes, inside characters too, the tokens spell the text, and their spans cover it in order."""
    data = text.encode()
    cuts = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    tokens = [token(data[start:end]) for start, end in pairwise(cuts)]
    assert text_of(tokens) == text
    spans = spans_of(tokens)
    assert len(spans) == len(tokens)
    covered = [False] * len(text)
    for (start, end), one in zip(spans, tokens, strict=True):
        assert 0 <= start <= end <= len(text)
        assert (start == end) == (not one.bytes)
        covered[start:end] = [True] * (end - start)
    assert all(covered)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)


def test_a_token_of_half_a_character_spans_the_whole() -> None:
    """The tokens of 🦔 in four bytes each stand for it, and the next token begins after it."""
    tokens = [token(b"a\xf0"), token(b"\x9f\xa6"), token(b"\x94"), token(b"b"), token(b"")]
    assert text_of(tokens) == "a🦔b"
    assert spans_of(tokens) == ((0, 2), (1, 2), (1, 2), (2, 3), (3, 3))


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    """A stream that was cut inside a character ends with U+FFFD; no error, and the rest is as it was."""
    assert text_of([token(b"ab"), token(b"\xf0\x9f")]) == "ab\ufffd"
    assert spans_of([token(b"ab"), token(b"\xf0\x9f")])[0] == (0, 2)


def test_without_bytes_the_token_is_its_text() -> None:
    """`bytes` may be null, or be no bytes at all: then the token's own text counts."""
    assert text_of([token(None, text="Hé"), token(b"llo")]) == "Héllo"
    assert text_of([TokenLogprob("x", -1.0, (300,))]) == "x"
    assert text_of([TokenLogprob("x", -1.0, (-1,))]) == "x"
    assert spans_of([token(None, text="Hé"), token(b"llo")]) == ((0, 2), (2, 5))
    assert text_of([TokenLogprob("\ud83e", -1.0)]) == "?"


@pytest.mark.parametrize(
    ("logprob", "below", "probability"),
    [
        (0.0, False, 1.0),
        (-1.0, False, math.exp(-1)),
        (-9998.0, False, 0.0),
        (BELOW_TOP, True, None),
        (-math.inf, True, None),
    ],
)
def test_below_the_top_is_no_probability(logprob: float, below: bool, probability: float | None) -> None:
    """-9999.0 says "not among the 20 most likely", which is no number to compute with."""
    one = TopLogprob("x", logprob)
    assert one.is_below_top is below
    assert one.probability == probability


def test_perplexity_leaves_out_what_is_no_probability() -> None:
    """exp of the mean negative logprob over the tokens whose probability is known; of none there is none."""
    assert perplexity_of([token(b"a", -1.0), token(b"b", -3.0), token(b"c", BELOW_TOP)]) == pytest.approx(math.exp(2.0))
    assert perplexity_of([token(b"a", 0.0)]) == 1.0
    assert perplexity_of([token(b"a", BELOW_TOP)]) is None
    assert perplexity_of([]) is None
    assert perplexity_of([token(b"a", -5000.0)]) == math.inf


@given(st.lists(st.floats(-700, 0), min_size=1))
def test_perplexity_is_at_least_one(logprobs: list[float]) -> None:
    """Whatever the probabilities, and whatever their order."""
    tokens = [token(b"x", logprob) for logprob in logprobs]
    value = perplexity_of(tokens)
    assert value is not None
    assert value >= 1.0
    assert perplexity_of(reversed(tokens)) == value


def test_the_conveniences_read_the_content() -> None:
    """`text`, `spans` and `perplexity` are of the content channel; without it they are empty."""
    logprobs = ChoiceLogprobs((token(b"Hi", -1.0),), (token(b"Hm", -2.0),))
    assert (logprobs.text, logprobs.spans, logprobs.perplexity) == ("Hi", ((0, 2),), pytest.approx(math.e))
    assert (ChoiceLogprobs().text, ChoiceLogprobs().spans, ChoiceLogprobs().perplexity) == ("", (), None)


def test_deferred_logprobs_are_like_any_other() -> None:
    """Made when somebody looks, once; equal, hashable, shown, pickled and evolved as if they had always been there."""
    plain = ChoiceLogprobs((token(b"Hi"),), None, extra={"x": 1})
    calls = []

    def load() -> ChoiceLogprobs:
        calls.append(1)
        return ChoiceLogprobs((token(b"Hi"),), None, extra={"x": 1})

    def deferred() -> ChoiceLogprobs:
        return ChoiceLogprobs.deferred(load)

    one = deferred()
    assert calls == []
    assert one.content == plain.content
    assert one.reasoning_content is None
    assert one.text == "Hi"
    assert calls == [1]
    assert deferred() == plain
    assert plain == deferred()
    assert hash(deferred()) == hash(plain)
    assert repr(deferred()) == repr(plain)
    assert pickle.loads(pickle.dumps(deferred())) == plain  # noqa: S301
    assert attrs.evolve(deferred(), reasoning_content=()) == ChoiceLogprobs((token(b"Hi"),), (), extra={"x": 1})
    assert attrs.asdict(deferred()) == attrs.asdict(plain)
    assert deferred() != ChoiceLogprobs()
    with pytest.raises(AttributeError):
        deferred().tokens  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError):
        plain.tokens  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        deferred().content = None  # type: ignore[misc]


def test_a_token_whose_alternatives_are_deferred_is_like_any_other() -> None:
    """They are made when somebody looks at them, once; whatever is done with the token, it is as if they were there."""
    tops = (TopLogprob("Hi", -1.0, (72, 105)), TopLogprob("Ho", -2.0, extra={"id": 7}))
    plain = TokenLogprob("Hi", -1.0, (72, 105), top_logprobs=tops, extra={"id": 5})
    calls = []

    def load() -> TokenLogprob:
        calls.append(1)
        return TokenLogprob("", 0.0, top_logprobs=tops)

    def deferred() -> TokenLogprob:
        return TokenLogprob.partly_deferred(load, "Hi", -1.0, (72, 105), extra={"id": 5})

    one = deferred()
    assert (one.token, one.logprob, one.bytes, one.extra, one.probability) == (
        "Hi", -1.0, (72, 105), {"id": 5}, plain.probability,
    )  # fmt: skip
    assert text_of((one,)) == "Hi"
    assert calls == []
    assert one.top_logprobs is tops
    assert one.top_logprobs is tops
    assert calls == [1]
    assert deferred() == plain
    assert plain == deferred()
    assert deferred() == deferred()
    assert deferred() != TokenLogprob("Hi", -1.0, (72, 105), extra={"id": 5})
    assert deferred() != TopLogprob("Hi", -1.0, (72, 105), extra={"id": 5})
    assert hash(deferred()) == hash(plain)
    assert repr(deferred()) == repr(plain)
    assert copy.copy(deferred()) == copy.deepcopy(deferred()) == plain
    assert pickle.loads(pickle.dumps(deferred())) == plain  # noqa: S301
    assert attrs.evolve(deferred(), token="Ho").top_logprobs == tops
    assert attrs.asdict(deferred()) == attrs.asdict(plain)
    assert TokenLogprob.from_json(deferred().to_json()) == plain
    assert [field.name for field in attrs.fields(TokenLogprob)] == [
        "token",
        "logprob",
        "bytes",
        "extra",
        "top_logprobs",
    ]
    assert not gc.is_tracked(deferred())
    with pytest.raises(AttributeError):
        deferred().tokens  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        deferred().top_logprobs = ()  # type: ignore[misc]
