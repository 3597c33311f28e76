"""Text to tokens and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.corpus import documents
from deepseek_async.sandbox.model.tokenizer import (
    BYTES,
    EOS,
    FIRST_OPEN,
    FIRST_PIECE,
    MAX_PIECE,
    THINK,
    Tokenizer,
    learn_pieces,
)

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel

SMALL = Tokenizer([" the", "the", " cat", "\n\n", "at", "()"])
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY_TEXT | st.text(" \n\tthecat()0123456789é法👍🏽", max_size=40))
def test_encoding_loses_nothing(text: str) -> None:
    """Every text that UTF-8 can carry comes back as it was, and its tokens' bytes are its bytes."""
    tokens = SMALL.encode(text)
    assert SMALL.decode(tokens) == text
    assert SMALL.decode_bytes(tokens) == text.encode()
    assert SMALL.count(text) == len(tokens)


@given(ANY_TEXT)
def test_the_trained_inventory_loses_nothing(model: LanguageModel, text: str) -> None:
    """The same for the pieces that the model really uses."""
    assert model.tokenizer.decode(model.tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("the cat", ["the", " cat"]),
        ("  the\n\ncat", [" ", " the", "\n\n", "cat"]),
        ("Cat() 1234", ["Cat", "()", " ", "123", "4"]),
        ("getUserNAME snake_case", ["get", "User", "NAME", " snake", "_", "case"]),
        ("HTTPServer aB", ["HTTP", "Server", " a", "B"]),
        ("internationalisation", ["inter", "natio", "nalis", "ation"]),
        ('{"a": [1],\n    "b"', ['{"', "a", '":', " [", "1", "],\n", "   ", ' "', "b", '"']),
        ("-2.5 x", ["-", "2", ".", "5", " x"]),
        (" " * 20 + "x", [" " * 19, " x"]),
        ("=" * 30, ["=" * 30]),
        ("é", ["bytes:\\xc3", "bytes:\\xa9"]),
        ("法国人!", ["法国", "人", "!"]),
        ("東京です。", ["東京", "です", "。"]),
        ("Привет, мир", ["Прив", "ет", ",", " мир"]),
        ("鱻法", ["bytes:\\xe9", "bytes:\\xb1", "bytes:\\xbb", "法"]),
        ("👍", ["bytes:\\xf0", "bytes:\\x9f", "bytes:\\x91", "bytes:\\x8d"]),
        ("\u3000the", ["bytes:\\xe3", "bytes:\\x80", "bytes:\\x80", "the"]),
        ("", []),
    ],
)
def test_words_are_cut_where_such_a_vocabulary_would_cut_them(text: str, tokens: list[str]) -> None:
    """A space belongs to the word after it; what the vocabulary may not have is spelled byte by byte."""
    assert [SMALL.token_text(token) for token in SMALL.encode(text)] == tokens


def test_a_lone_surrogate_is_refused() -> None:
    """Half a surrogate pair is no text that could be sent."""
    with pytest.raises(UnicodeEncodeError):
        SMALL.encode("a\ud800b")


def test_special_tokens_have_a_name_and_no_bytes() -> None:
    """They stand for no text: `bytes` is null, and decoding skips them."""
    assert SMALL.token_bytes(EOS) is None
    assert SMALL.token_text(EOS) == "<｜end▁of▁sentence｜>"
    assert SMALL.decode([EOS, *SMALL.encode("the"), THINK]) == "the"
    assert SMALL.eos == EOS


def test_text_cannot_name_a_special_token() -> None:
    """A prompt that spells one gets ordinary tokens."""
    tokens = SMALL.encode("<think></think><｜end▁of▁sentence｜>")
    assert not [token for token in tokens if BYTES <= token < FIRST_PIECE]


def test_every_id_has_a_text_and_half_characters_decode_to_a_replacement(model: LanguageModel) -> None:
    """No id of the vocabulary fails to be shown; a part of a character is U+FFFD in text."""
    tokenizer = model.tokenizer
    assert all(tokenizer.token_text(token) for token in range(1, len(tokenizer)))
    assert tokenizer.decode("é".encode()[:1]) == "\ufffd"


def test_the_inventory_depends_on_the_text_alone() -> None:
    """Words that come more than once, the frequent ones first, ties in alphabetical order; nothing is too long."""
    pieces = learn_pieces(["two one"] * 5 + ["-" * 30] * 5 + ["Banana bread"])
    assert pieces == [" one", "two"]
    assert all(1 < len(piece) <= MAX_PIECE for piece in learn_pieces(documents()))


def test_an_open_token_is_its_bytes(model: LanguageModel) -> None:
    """Its id does not depend on what was encoded before, and no piece of the inventory has one as large."""
    (token,) = model.tokenizer.encode("zzyzx")
    assert token == int.from_bytes(b"\1zzyzx", "big") >= FIRST_OPEN > len(model.tokenizer)
