"""Stop sequences in text that comes in any pieces."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from deepseek_async.sandbox.answers.stops import StopGate

LETTERS = st.text("ab", max_size=12)


def naive(text: str, stops: list[str]) -> tuple[str, bool]:
    """The text up to the first sequence to be complete, and of those complete there the one that began first."""
    for end in range(len(text) + 1):
        begun = [end - len(stop) for stop in stops if stop and text[:end].endswith(stop)]
        if begun:
            return text[: min(begun)], True
    return text, False


@example(["abbb"], ["abbb", "b"])
@example(["a", "bbb"], ["abbb", "b"])
@given(st.lists(LETTERS, max_size=8), st.lists(st.text("ab", max_size=4), max_size=3))
def test_any_pieces(pieces: list[str], stops: list[str]) -> None:
    """Whatever the pieces: the text before the sequence, and never a character that is taken back."""
    gate, shown = StopGate(stops), ""
    expected, stopped = naive("".join(pieces), stops)
    for piece in pieces:
        shown += gate.receive_text(piece)
        assert expected.startswith(shown)
    shown += gate.receive_end()
    assert (shown, gate.stopped) == (expected, stopped)


def test_only_what_is_undecided_is_held() -> None:
    """Text is shown as soon as it cannot be the beginning of a sequence."""
    gate = StopGate(["END", "\n\n"])
    assert [gate.receive_text(text) for text in ("one E", "N", "X", "\n", "two", "EN", "D", "more")] == [
        "one ",
        "",
        "ENX",
        "",
        "\ntwo",
        "",
        "",
        "",
    ]
    assert gate.stopped
    assert gate.receive_end() == ""
