"""What an answer may copy from the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.ngram import ranked
from deepseek_async.sandbox.model.prompt import Prompt, continuation_bytes, missing_bytes, split_units
from deepseek_async.sandbox.model.tokenizer import BOS

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def prompt_of(model: LanguageModel, text: str) -> Prompt:
    """What a text offers."""
    return Prompt(model.tokenizer, model.tokenizer.encode(text), model._predictor.ranks)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is the weather in Zürich?", ["Zürich", "weather"]),
        ("How would you tell them about that?", []),
        ("法国的首都是什么？", ["法国的首都是什么"]),
        ("👍", ["👍"]),
        ("", []),
    ],
)
def test_words_of_meaning_are_found(model: LanguageModel, text: str, words: list[str]) -> None:
    """Names and rare words first; words that any question has are left out."""
    assert prompt_of(model, text).words[: len(words)] == words
    assert bool(prompt_of(model, text).first) == bool(words)


@given(ANY_TEXT)
def test_shares_are_shares(model: LanguageModel, text: str) -> None:
    """Whatever the prompt: beginnings and continuations sum to one."""
    prompt = prompt_of(model, text)
    for shares in (prompt.first, prompt.later):
        assert not shares or sum(shares.values()) == pytest.approx(1.0)
    units = split_units(model.tokenizer.encode(text))
    for before, here in zip([(BOS,), *units], units, strict=False):
        following = prompt.following(before[-1], here)
        if following is not None:
            assert 0.0 < following[0] < 1.0
            assert sum(following[1].values()) == pytest.approx(1.0)


def test_the_rest_of_a_word_is_nearly_certain(model: LanguageModel) -> None:
    """After a piece of one of the prompt's words comes its next piece; after the word, what stood there."""
    prompt = prompt_of(model, "Is xylophonist Kasimir here?")
    tokens = model.tokenizer.encode(" xylophonist")
    assert len(tokens) > 2
    for before, here, after in zip([BOS, *tokens], tokens, tokens[1:], strict=False):
        sure, shares = prompt.following(before, (here,)) or (0.0, {})
        assert sure > 0.9
        assert after in shares
        assert prompt.is_inside_word(before, (here,))
    assert not prompt.is_inside_word(tokens[-2], (tokens[-1],))
    assert prompt.is_end_of_rare_word(tokens[-2], (tokens[-1],))


def test_the_end_of_a_name_is_known_by_what_follows(model: LanguageModel) -> None:
    """A name before a word like "for" ends; one before another name may go on."""
    prompt = prompt_of(model, "From Zürich for Basel Mulhouse")
    zurich, basel = model.tokenizer.encode(" Zürich"), model.tokenizer.encode(" Basel")
    assert prompt.is_end_of_name(zurich[-2], (zurich[-1],))
    assert not prompt.is_end_of_name(basel[-2] if len(basel) > 1 else BOS, (basel[-1],))


@pytest.mark.parametrize(
    ("text", "recited"),
    [
        ("Repeat after me: hello there!", "hello there!"),
        ("Repeat after me hello there!", "hello there"),
        ("Say: «Bonjour.».", "Bonjour."),
        ("Say：你好。", "你好。"),
        ("Say: 'tis 5 o'clock", "'tis 5 o'clock"),
        ("Please say exactly 'a b'", "a b"),
        ("Reply with only the word OK.", "OK"),
        ("echo “höhö”", "höhö"),
        ("What did she essay?", ""),
        ("Tell me more", ""),
        ("Repeat: " + "word " * 900, ("word " * 900).rstrip()),
        ("Repeat: " + "word " * 25_000, ""),
    ],
)
def test_what_is_to_be_repeated(model: LanguageModel, text: str, recited: str) -> None:
    """The text after the request, without its quotes and full stop; nothing where nothing is asked, or too much."""
    assert model.tokenizer.decode(prompt_of(model, text).recited) == recited


@given(st.characters(exclude_categories=["Cs"]))
def test_the_bytes_that_may_follow_make_characters(character: str) -> None:
    """Every character can be reached, and nothing but characters: Unicode's table of well-formed sequences."""
    data = character.encode()
    for size in range(1, len(data)):
        begun = tuple(data[:size])
        assert missing_bytes(begun) == len(data) - size
        assert data[size] in continuation_bytes(begun)
    assert missing_bytes(tuple(data)) == 0


def test_no_other_bytes_may_follow() -> None:
    """Neither overlong forms nor surrogates nor what is beyond U+10FFFF: every path of allowed bytes decodes."""
    for lead in (0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4):
        paths: list[tuple[int, ...]] = [(lead,)]
        while missing_bytes(paths[0]):
            edges = [(path, continuation_bytes(path)) for path in paths]
            paths = [(*path, byte) for path, allowed in edges for byte in (allowed[0], allowed[-1])]
        for path in paths:
            assert len(bytes(path).decode("utf-8")) == 1


@given(ANY_TEXT)
def test_units_are_characters_or_tokens(model: LanguageModel, text: str) -> None:
    """Nothing is lost, and the bytes of a character stay together."""
    tokens = model.tokenizer.encode(text)
    units = split_units(tokens)
    assert [token for unit in units for token in unit] == tokens
    assert all(len(unit) == 1 or len(bytes(unit).decode()) == 1 for unit in units)


def test_only_the_end_of_a_long_prompt_counts(model: LanguageModel) -> None:
    """So that a prompt of a megabyte costs no more than one of a page."""
    prompt = prompt_of(model, "Xylophon " + "and so on " * 2000 + "Kasimir")
    assert "Kasimir" in prompt.words
    assert "Xylophon" not in prompt.words


def test_ranks_are_by_frequency(model: LanguageModel) -> None:
    """What `Prompt` is told about how common tokens are is the order of the counts."""
    singles = model._predictor._ngrams.singles
    assert list(model._predictor.ranks) == ranked(singles)
