"""What an answer is so far."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.draft import Draft
from deepseek_async.sandbox.model.tokenizer import BOS, FIRST_PIECE, THINK

A, B, C = FIRST_PIECE, FIRST_PIECE + 1, FIRST_PIECE + 2
TOKENS = st.lists(st.sampled_from([A, B, C, *"é法👍".encode(), ord("x")]), max_size=20)


@given(TOKENS, TOKENS)
def test_the_state_follows_from_the_tokens_alone(context: list[int], written: list[int]) -> None:
    """Pushed one by one or given at once, at any division: the same."""
    grown = Draft(context)
    for token in written:
        grown.push(token)
    given_ = Draft(context, written)
    for name in ("third", "before", "unit", "length", "counts"):
        assert getattr(grown, name) == getattr(given_, name)
    assert grown.followers() == given_.followers()


def test_a_character_is_one_unit() -> None:
    """Its bytes gather; the token before the unit is the last byte of the character before."""
    answer = Draft((), "a法é".encode())
    assert answer.unit == tuple("é".encode())
    assert answer.before == "法".encode()[-1]
    assert answer.third == ord("a")


def test_a_special_token_opens_a_new_text() -> None:
    """What stood before it is forgotten; what stands after it is not."""
    assert Draft([A, B, THINK]).unit == (BOS,)
    answer = Draft([A, THINK, B])
    assert (answer.unit, answer.before) == ((B,), BOS)


def test_what_followed_the_last_three_tokens_is_remembered() -> None:
    """All of it, in order."""
    answer = Draft((), [A, B, C, A, B, C, B, A, B, C])
    assert answer.followers() == (A, B)
    assert Draft((), [A, B, C]).followers() == ()


def test_reciting_ends_with_the_first_other_token_or_with_the_text() -> None:
    """And what was recited whole is known to be whole, until something follows."""
    assert Draft((), [A], (A, B)).is_reciting
    assert not Draft((), [B], (A, B)).is_reciting
    assert not Draft((), [A], (A, B)).has_recited
    assert Draft((), [A, B], (A, B)).has_recited
    assert not Draft((), [A, B, C], (A, B)).has_recited
    assert not Draft((), [A, B, C], (A, B)).is_reciting
    assert not Draft((), ()).is_reciting
