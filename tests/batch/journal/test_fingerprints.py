"""Sets of ids in a few bytes each, against Python's own."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.batch.journal import fingerprints
from deepseek_async.batch.journal.fingerprints import Fingerprints

NAMES = st.one_of(st.sampled_from(["a", "b", "c", "row-1", "row-2"]), st.text(max_size=8))
DIGESTS = st.one_of(st.sampled_from(["0", "1"]), st.text("0123456789abcdef", min_size=16, max_size=16))
STEPS = st.lists(st.tuples(st.sampled_from(["add", "add", "add", "discard"]), NAMES, DIGESTS), max_size=60)


@given(STEPS)
def test_a_set_of_names(steps: list[tuple[str, str, str]]) -> None:
    """Whatever is added and discarded, it knows what a set of the names would."""
    ours, model = Fingerprints(), list[str]()
    for step, name, _ in steps:
        if step == "add":
            ours.add(name)
            model.append(name)
        else:
            ours.discard(name)
            model = [other for other in model if other != name]
        assert len(ours) == len(model)
        for _, other, _ in steps:
            assert ours.has(other) == (other in model)


@given(STEPS)
def test_a_set_of_pairs(steps: list[tuple[str, str, str]]) -> None:
    """A name is known with its digests and no others; by itself, if it has any; discarded, with none."""
    ours, model = Fingerprints(with_digests=True), list[tuple[str, str]]()
    for step, name, digest in steps:
        if step == "add":
            ours.add(name, digest)
            model.append((name, digest))
        else:
            ours.discard(name)
            model = [pair for pair in model if pair[0] != name]
        assert len(ours) == len(model)
        for _, one, other in steps:
            assert ours.has(one, other) == ((one, other) in model)
            assert ours.has(one) == any(name == one for name, _ in model)


def _in_one_bucket(name: str) -> int:
    """A hash that is the same in all bits of the bucket, and holds bytes that are found across borders, too."""
    return int.from_bytes(name.encode()) << fingerprints._BUCKET_BITS


@given(st.lists(st.text("\x00\x01", min_size=5, max_size=5), max_size=20), st.data())
def test_what_stands_across_the_border_of_entries_is_not_found(names: list[str], data: st.DataObject) -> None:
    """The bytes of an id may end one entry and begin the next; that makes no id."""
    one = data.draw(st.text("\x00\x01", min_size=5, max_size=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprints, "_hash", _in_one_bucket)
        ours = Fingerprints()
        for name in names:
            ours.add(name)
        assert ours.has(one) == (one in names)
        ours.discard(one)
        assert not ours.has(one)
        assert all(ours.has(name) for name in names if name != one)
        assert len(ours) == len([name for name in names if name != one])


@given(STEPS)
def test_ids_that_collide_are_never_missed(steps: list[tuple[str, str, str]]) -> None:
    """With two bits of hash all is known that was added; only then may more seem to be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprints, "_hash", lambda name: hash(name) & 1 << fingerprints._BUCKET_BITS)
        ours = Fingerprints(with_digests=True)
        for _, name, digest in steps:
            ours.add(name, digest)
        assert all(ours.has(name, digest) and ours.has(name) for _, name, digest in steps)


@pytest.mark.parametrize("text", ["", "雨", "a\ud800", "x" * 100_000])
def test_any_name(text: str) -> None:
    """Empty, in any script, half a surrogate, long."""
    ours = Fingerprints(with_digests=True)
    assert not ours.has(text)
    ours.add(text, text)
    assert ours.has(text, text)
    assert not ours.has(text, text + "0")


def _bytes_each(add: Callable[[int], None], count: int) -> float:
    tracemalloc.start()
    try:
        for number in range(count):
            add(number)
        return tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("fewer", [4, pytest.param(0, marks=pytest.mark.soak)])
def test_bytes_a_name(fewer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id costs less than 9 bytes where there are 200,000 of them; with a digest, of 100,000, less than 16.

    The buckets have a cost of their own: usually there is a sixteenth of the ids in a sixteenth of the buckets.
    """
    monkeypatch.setattr(fingerprints, "_BUCKET_BITS", fingerprints._BUCKET_BITS - fewer)
    monkeypatch.setattr(fingerprints, "_BUCKET_MASK", fingerprints._BUCKET_MASK >> fewer)
    names, pairs = Fingerprints(), Fingerprints(with_digests=True)
    assert _bytes_each(lambda number: names.add(f"row-{number}"), 200_000 >> fewer) < 9
    assert _bytes_each(lambda number: pairs.add(f"row-{number}", f"{number:016x}"), 100_000 >> fewer) < 16
