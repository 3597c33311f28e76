"""Words and what their tokens say of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async import InvalidRequestError
from deepseek_async.types import ChoiceLogprobs, TokenLogprob, text_of
from deepseek_async.types.tokens.words import Word, words_of


def token(text: str, logprob: float = -0.5, data: bytes | None = None) -> TokenLogprob:
    return TokenLogprob(text, logprob, tuple(text.encode() if data is None else data))


def test_a_word_has_the_tokens_that_spell_it() -> None:
    """A token that brings the blank before it counts for the word; one of several words counts for each."""
    tokens = [token("The"), token(" har", -1.0), token("bour", -0.25), token(". It"), token(" is")]
    words = words_of(tokens)
    assert [word.text for word in words] == ["The", "harbour.", "It", "is"]
    assert [len(word.tokens) for word in words] == [1, 3, 1, 1]
    harbour = words[1]
    assert harbour.logprob == pytest.approx(-1.75)
    assert harbour.probability == pytest.approx(math.exp(-1.75))
    assert harbour.least_likely == tokens[1]
    assert (harbour.start, harbour.end) == (4, 12)


def test_chinese_has_a_word_a_character_over_token_borders() -> None:
    """Bytes of one character in two tokens make one word of two tokens."""
    data = "雨".encode()
    words = words_of([token("\ufffd", -0.5, data[:2]), token("\ufffd", -0.25, data[2:]), token("天")])
    assert [(word.text, len(word.tokens)) for word in words] == [("雨", 2), ("天", 1)]


def test_what_the_server_did_not_tell_is_not_made_up() -> None:
    """One token below the top 20 leaves its word without probability, and no other."""
    words = words_of([token("a"), token(" b", -9999.0), token(" c")])
    assert [word.probability is None for word in words] == [False, True, False]
    assert Word("x", 0, 1, ()).probability is None
    assert Word("x", 0, 1, ()).least_likely is None


@given(st.lists(st.text(max_size=4), max_size=12))
def test_every_character_but_blanks_is_in_one_word(texts: list[str]) -> None:
    """In order, and each word's tokens reach over it."""
    tokens = [token(text) for text in texts if text.isprintable()]
    text = text_of(tokens)
    words = words_of(tokens)
    assert "".join(word.text for word in words) == "".join(text.split())
    for word in words:
        assert text[word.start : word.end] == word.text
        assert word.text in text_of(word.tokens)


def test_words_of_either_channel() -> None:
    """A method of the logprobs; a channel that is null has none, and one that is not there is refused."""
    logprobs = ChoiceLogprobs((token("So"), token(" it")), None)
    assert [word.text for word in logprobs.words()] == ["So", "it"]
    assert logprobs.words("reasoning_content") == ()
    with pytest.raises(InvalidRequestError, match="content or reasoning_content"):
        logprobs.words("reasoning")
