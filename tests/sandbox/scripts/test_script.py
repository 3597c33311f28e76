"""The vocabulary of scripts: what can be said, and what cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox import (
    BareError,
    BlankBody,
    Body,
    Bom,
    Call,
    Coalesce,
    Comment,
    ContentType,
    Cut,
    EarlyEnd,
    Garbage,
    InBandError,
    KeepAlives,
    LateHead,
    LineEnds,
    Refuse,
    Reset,
    Script,
    Split,
    Stall,
    WholeCompletion,
    WrongLength,
    read_script,
    write_script,
)

ONE_LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=9)
PLACES = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"before": st.sampled_from(["head", "first_chunk", "last_chunk", "done"])}),
    st.fixed_dictionaries({"after_chunk": st.integers(0, 99)}),
    st.fixed_dictionaries({"at_byte": st.integers(0, 99)}),
)
SECONDS = st.floats(0, 100)
FAULTS = st.one_of(
    st.builds(lambda place, seconds: Stall(seconds=seconds, **place), PLACES, SECONDS),
    *(
        st.builds(lambda place, kind=kind: kind(**place), PLACES)
        for kind in (Cut, Reset, EarlyEnd, Garbage, InBandError)
    ),
    st.builds(
        lambda place, count, every: KeepAlives(count=count, every=every, **place), PLACES, st.integers(0, 9), SECONDS
    ),
    st.builds(lambda place, text: Comment(text=text, **place), PLACES, st.text(max_size=9)),
    st.builds(Refuse, status=st.integers(400, 599), retry_after=st.one_of(st.none(), st.floats(0, 9), ONE_LINE)),
    st.builds(BlankBody, lines=st.integers(0, 9)),
    st.builds(Body, text=st.text(max_size=9)),
    st.builds(WrongLength, by=st.integers(-9, 9)),
    st.builds(Split, size=st.integers(1, 9)),
    st.builds(Coalesce, chunks=st.integers(0, 9)),
    st.builds(LineEnds, ends=st.sampled_from(["cr", "lf", "crlf", "mixed"])),
    st.builds(ContentType, value=ONE_LINE),
    *(st.just(kind()) for kind in (Bom, LateHead, WholeCompletion, BareError)),
)
TEXTS = st.one_of(st.none(), st.text(max_size=20), st.lists(st.text(max_size=9), max_size=3))
CALLS = st.builds(Call, name=st.text(max_size=9), arguments=st.one_of(st.text(max_size=9), st.just({"a": [1, None]})))
SCRIPTS = st.builds(
    Script,
    say=TEXTS,
    think=TEXTS,
    calls=st.lists(CALLS, max_size=2),
    interleave=st.booleans(),
    finish_reason=st.one_of(st.none(), st.just("content_filter")),
    usage=st.one_of(st.none(), st.just({"total_tokens": 0})),
    faults=st.lists(FAULTS, max_size=4),
    rate=st.one_of(st.none(), st.floats(0.1, 99)),
    latency=st.one_of(st.none(), SECONDS),
    headers=st.just({"X-A": "b"}),
)


@given(SCRIPTS)
def test_scripts_survive_json(script: Script) -> None:
    """Every script can be sent as a header: one line of ASCII that reads as the same script."""
    text = write_script(script)
    assert text.isascii()
    assert "\n" not in text
    assert read_script(text) == script


def test_json_as_people_write_it() -> None:
    """Names alone for faults without fields; what is left out has its default."""
    text = (
        '{"say": "Hi", "faults": [{"cut": {"at_byte": 9}}, "late_head", {"keep_alives": {"count": 1}}], "latency": 1}'
    )
    assert read_script(text) == Script(say="Hi", faults=(Cut(at_byte=9), LateHead(), KeepAlives(count=1)), latency=1.0)
    assert read_script("{}") == Script()
    assert json.loads(write_script(Script(say="Hi"))) == {"say": "Hi"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a script must be JSON"),
        ("[]", "script must be an object"),
        ('{"sya": "x"}', "script: there is no field 'sya'; there are say, think, calls"),
        ('{"say": 1}', "say: Expected `str | array | null`, got `int`"),
        ('{"faults": {}}', "faults must be a list"),
        ('{"faults": ["cutt"]}', "faults[0]: there is no fault 'cutt'; there are stall, cut, reset"),
        ('{"faults": [{"cut": {}, "bom": {}}]}', "faults[0] must be a name or an object with one key"),
        ('{"faults": [{"cut": {"at": 1}}]}', "faults[0].cut: there is no field 'at'; there are before, after_chunk"),
        ('{"faults": [{"cut": 3}]}', "faults[0].cut must be an object"),
        ('{"faults": [{"stall": {}}]}', "faults[0].stall: Object missing required field `seconds`"),
        ('{"faults": [{"cut": {"at_byte": -1}}]}', "faults[0].cut: at_byte must not be negative, got -1"),
        ('{"rate": 0}', "rate must be over 0, got 0"),
        ('{"calls": [{}]}', "calls: Object missing required field `name`"),
    ],
)
def test_bad_json_says_what_and_where(text: str, message: str) -> None:
    """The text names the field, what is wrong and what there is."""
    with pytest.raises(ValueError) as caught:
        read_script(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cut(at_byte=1, after_chunk=2), "Cut takes one place, got after_chunk and at_byte"),
        (lambda: Cut(before="lunch"), "before must be one of head, first_chunk, last_chunk, done, got 'lunch'"),
        (lambda: Stall(seconds=-1), "seconds must not be negative, got -1"),
        (lambda: Split(size=0), "size must be over 0, got 0"),
        (lambda: Refuse(status=200), "status must be an error's, 400 to 599, got 200"),
        (lambda: Refuse(status=600), "status must be an error's, 400 to 599, got 600"),
        (lambda: LineEnds(ends="tab"), "ends must be one of crlf, cr, lf, mixed, got 'tab'"),
        (lambda: Script(rate=0), "rate must be over 0, got 0"),
        (lambda: Script(latency=-1), "latency must not be negative"),
    ],
)
def test_bad_values_are_refused_where_they_are_made(make: Any, message: str) -> None:
    """Not when the request comes."""
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stall(seconds="5"), "seconds of Stall must be a number, got '5'"),
        (lambda: Refuse(status="429"), "status of Refuse must be a number, got '429'"),
        (lambda: Cut(after_chunk="2"), "after_chunk of Cut must be a number, got '2'"),
        (lambda: Split("3"), "size of Split must be a number, got '3'"),
        (lambda: Script(rate=True), "rate of Script must be a number, got True"),
    ],
)
def test_what_is_no_number_is_named(make: Any, message: str) -> None:
    """And whose it is."""
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value) == message


def test_all_but_places_goes_by_position() -> None:
    """As the page of the sandbox writes it."""
    assert Stall(5, before="head") == Stall(seconds=5, before="head")
    assert Refuse(429, "Slow down.", 2) == Refuse(status=429, message="Slow down.", retry_after=2)
    assert KeepAlives(3, 0.5, after_chunk=1) == KeepAlives(count=3, every=0.5, after_chunk=1)
    assert (LineEnds("cr"), Split(7), Body("x"), Comment("y")) == (
        LineEnds(ends="cr"),
        Split(size=7),
        Body(text="x"),
        Comment(text="y"),
    )
    assert Script("Hello.", faults=(Cut(),)) == Script(say="Hello.", faults=(Cut(),))
    with pytest.raises(TypeError):
        Cut(2)


def test_a_script_that_speaks() -> None:
    """Says whether it replaces the model."""
    assert Script(say="").speaks
    assert Script(think="x").speaks
    assert Script(calls=(Call("f"),)).speaks
    assert not Script(faults=(Cut(),), finish_reason="length").speaks
