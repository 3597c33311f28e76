"""Pieces of a fill-in-the-middle answer → the whole one, by the rules of the chat fold."""

from __future__ import annotations

from deepseek_async.codec.folding.text_fold import TextFold
from deepseek_async.types import TextChoice, TextCompletion, TextLogprobs, Usage


def folded(*pieces: TextCompletion, done: bool = True) -> TextCompletion:
    folding = TextFold()
    for piece in pieces:
        folding.add(piece)
    return folding.completion(done=done)


def test_texts_are_joined_by_index() -> None:
    """Each index is one choice; its text is all that came for it, its end the last that was said."""
    answer = folded(
        TextCompletion("1", created=5, model="m", choices=(TextChoice("b", 1), TextChoice("a", 0))),
        TextCompletion("1", choices=(TextChoice("A", 0, finish_reason="stop"),)),
        TextCompletion("1", choices=(TextChoice("B", 1, finish_reason="length"),), usage=Usage(1, 2, 3)),
    )
    assert answer == TextCompletion(
        "1",
        created=5,
        model="m",
        choices=(TextChoice("aA", 0, finish_reason="stop"), TextChoice("bB", 1, finish_reason="length")),
        usage=Usage(1, 2, 3),
    )
    assert answer.text == "aA"


def test_the_head_is_the_first_that_is_not_empty() -> None:
    """A blank first piece does not blank the answer."""
    answer = folded(
        TextCompletion(), TextCompletion("1", created=5, model="m", system_fingerprint="fp"), TextCompletion("2")
    )
    assert (answer.id, answer.created, answer.model, answer.system_fingerprint) == ("1", 5, "m", "fp")
    assert folded(TextCompletion(system_fingerprint="")).system_fingerprint == ""
    assert folded() == TextCompletion()


def test_logprobs_extend_list_by_list() -> None:
    """The four lists grow side by side; one that never came stays null, and unknown fields stay."""
    answer = folded(
        TextCompletion(
            choices=(TextChoice("a", logprobs=TextLogprobs((0,), (-1.0,), ("a",), ({"a": -1.0},), extra={"x": 1})),)
        ),
        TextCompletion(choices=(TextChoice(""),)),
        TextCompletion(choices=(TextChoice("b", logprobs=TextLogprobs((1,), (None,), ("b",), (None,))),)),
    )
    assert answer.choices[0].logprobs == TextLogprobs(
        (0, 1), (-1.0, None), ("a", "b"), ({"a": -1.0}, None), extra={"x": 1}
    )
    assert (
        folded(TextCompletion(choices=(TextChoice("a", logprobs=TextLogprobs()),))).choices[0].logprobs
        == TextLogprobs()
    )


def test_unknown_fields_are_kept() -> None:
    """In the answer and in the choice: the last that is not null."""
    answer = folded(
        TextCompletion(choices=(TextChoice(extra={"x": 1}),), extra={"y": None}),
        TextCompletion(choices=(TextChoice(extra={"x": None}),), extra={"y": 2}),
    )
    assert answer.extra == {"y": 2}
    assert answer.choices[0].extra == {"x": 1}


def test_an_answer_that_was_broken_off_is_not_complete() -> None:
    """By its end, or by the server's own word."""
    assert not folded(TextCompletion(choices=(TextChoice("a"),)), done=False).complete
    assert not folded(TextCompletion(choices=(TextChoice("a", finish_reason="aborted"),))).complete
    assert folded(TextCompletion(choices=(TextChoice("a"),))).complete
