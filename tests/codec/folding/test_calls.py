"""Fragments → tool calls: what belongs together on servers that number, name and cut them in their own ways."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec import chunk_from_json, completion_from_json, fold

from ...wire import completion, of_choices, to_json

Call = tuple[str, str, str]


def piece(index: Any = 0, id: Any = None, name: Any = None, arguments: Any = None, **more: Any) -> dict[str, Any]:  # noqa: A002
    """A fragment; what is None is left out."""
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    said = {"index": index, "id": id, "type": "function" if id else None, "function": function or None, **more}
    return {k: v for k, v in said.items() if v is not None}


def calls_of(*pieces: dict[str, Any]) -> list[Call]:
    """What fragments, one a chunk, add up to."""
    chunks = [of_choices({"index": 0, "delta": {"tool_calls": [said]}, "finish_reason": None}) for said in pieces]
    calls = fold(chunk_from_json(to_json(chunk)) for chunk in chunks).message.tool_calls
    return [(call.id, call.function.name, call.function.arguments) for call in calls or ()]


ONE = [("a", "f", '{"x":1}')]
TWO = [("a", "f", '{"x":1}'), ("b", "f", '{"x":2}')]

FRAGMENTS: dict[str, tuple[list[dict[str, Any]], list[Call]]] = {
    # the id changes
    "another id in the second fragment": ([piece(0, "a", "f", ""), piece(0, "b", None, '{"x":1}')], ONE),
    "another id in every fragment, names empty": (
        [piece(0, "a", "f", '{"x'), piece(0, "b", "", '":'), piece(0, "c", "", "1}")],
        ONE,
    ),
    "another id in every fragment, the name repeated": (
        [piece(0, "a", "f", '{"x'), piece(0, "b", "f", '":'), piece(0, "c", "f", "1}")],
        ONE,
    ),
    "another id in every fragment, no index": (
        [piece(None, "a", "f", '{"x'), piece(None, "b", None, '":1}')],
        ONE,
    ),
    "the id comes late": ([piece(0, None, "f", '{"x":'), piece(0, "a", None, "1}")], ONE),
    "the index counts fragments, id and name repeated": (
        [piece(0, "a", "f", '{"x'), piece(1, "a", "f", '":'), piece(2, "a", "f", "1}")],
        ONE,
    ),
    "index and id count fragments, the name said once": (
        [piece(0, "a", "f", ""), piece(1, "b", None, '{"x":'), piece(2, "c", "", ""), piece(3, "d", "", "1}")],
        ONE,
    ),
    "the index counts fragments, the id said once, the name repeated": (
        [piece(0, "a", "f", ""), piece(1, None, "f", '{"x":'), piece(2, None, "f", "1}"), piece(3, None, "f", "")],
        ONE,
    ),
    "another id in every fragment, the name repeated, no arguments at first": (
        [piece(0, "a", "f", ""), piece(0, "b", "f", '{"x":'), piece(0, "c", "f", "1}")],
        ONE,
    ),
    "another id in every fragment, the name repeated, no index": (
        [piece(None, "a", "f", '{"x":'), piece(None, "b", "f", "1}")],
        ONE,
    ),
    "a fragment of nothing after the end": (
        [piece(0, "a", "f", '{"x":1}'), piece(1, "b", None, "")],
        ONE,
    ),
    # said again, or longer each time
    "arguments that grow": (
        [piece(0, "a", "f", '{"x'), piece(0, "a", "f", '{"x":'), piece(0, "a", "f", '{"x":1}')],
        ONE,
    ),
    "an object that holds the place, id and name repeated": (
        [piece(0, "a", "f", {}), piece(0, "a", "f", '{"x":1}')],
        ONE,
    ),
    "all calls again, without ids": (
        [piece(0, None, "f", '{"x":1}'), piece(1, None, "g", "{}"), piece(0, None, "f", '{"x":1}')],
        [("", "f", '{"x":1}'), ("", "g", "{}")],
    ),
    "two equal calls on one index": (
        [piece(0, None, "f", '{"x":1}'), piece(0, None, "f", '{"x":1}')],
        [("", "f", '{"x":1}')] * 2,
    ),
    "arguments that repeat a beginning in themselves": (
        [piece(0, "a", "f", '{"x":'), piece(0, None, None, '{"x":1}}')],
        [("a", "f", '{"x":{"x":1}}')],
    ),
    # several calls on one index
    "ids and names": ([piece(0, "a", "f", '{"x":1}'), piece(0, "b", "f", '{"x":2}')], TWO),
    "ids and names, arguments after": (
        [
            piece(0, "a", "f", ""),
            piece(0, None, None, '{"x":1}'),
            piece(0, "b", "f", ""),
            piece(0, None, None, '{"x":2}'),
        ],
        TWO,
    ),
    "names alone": (
        [piece(0, None, "f", '{"x":1}'), piece(0, None, "g", '{"x":2}')],
        [("", "f", '{"x":1}'), ("", "g", '{"x":2}')],
    ),
    "one name, finished arguments": (
        [piece(0, None, "f", '{"x":1}'), piece(0, None, "f", '{"x":2}')],
        [("", "f", '{"x":1}'), ("", "f", '{"x":2}')],
    ),
    "one name, arguments in pieces": (
        [
            piece(0, None, "f", '{"x":"}'),
            piece(0, None, None, '\\"{"}'),
            piece(0, None, "f", "{"),
            piece(0, None, None, '"x":2}'),
        ],
        [("", "f", '{"x":"}\\"{"}'), ("", "f", '{"x":2}')],
    ),
    "empty ids": (
        [piece(0, "", "f", "{}"), piece(0, "", "g", "{}")],
        [("", "f", "{}"), ("", "g", "{}")],
    ),
    # the name
    "in pieces": (
        [piece(0, "a", "get_", ""), piece(0, None, "weather", ""), piece(0, None, None, "{}")],
        [("a", "get_weather", "{}")],
    ),
    "in three pieces": ([piece(0, "a", "g"), piece(0, None, "et"), piece(0, None, "_x", "{}")], [("a", "get_x", "{}")]),
    "longer each time": (
        [piece(0, "a", "get_"), piece(0, "a", "get_x"), piece(0, "a", "get_x", "{}")],
        [("a", "get_x", "{}")],
    ),
    "whole in every fragment": ([piece(0, "a", "f", '{"x'), piece(0, "a", "f", '":1}'), piece(0, "a", "f", "")], ONE),
    "empty later": ([piece(0, "a", "f", '{"x":'), piece(0, "", "", "1}")], ONE),
    "in pieces without an index": ([piece(None, "a", "get_"), piece(None, None, "x", "{}")], [("a", "get_x", "{}")]),
    # the index
    "counts fragments": ([piece(0, "a", "f", '{"x'), piece(1, None, None, '":'), piece(2, None, None, "1}")], ONE),
    "counts fragments, the id repeated": ([piece(0, "a", "f", '{"x'), piece(1, "a", None, '":1}')], ONE),
    "as text": ([piece("0", "a", "f", '{"x":'), piece("0", None, None, "1}")], ONE),
    "null": ([{**piece(None, "a", "f", '{"x":'), "index": None}, piece(None, None, None, "1}")], ONE),
    # arguments
    "as an object": ([piece(0, "a", "f", {"x": 1})], [("a", "f", '{"x": 1}')]),
    "an empty object that holds the place": ([piece(0, "a", "f", {}), piece(0, None, None, '{"x":1}')], ONE),
    "as an object, twice": (
        [piece(0, "a", "f", {"x": 1}), piece(0, "b", "g", {})],
        [("a", "f", '{"x": 1}'), ("b", "g", "{}")],
    ),
    "the whole call once more": (
        [piece(0, "a", "f", '{"x":'), piece(0, None, None, "1}"), piece(0, "a", "f", '{"x":1}')],
        ONE,
    ),
    "without a function object": ([{"index": 0, "id": "a", "name": "f", "arguments": '{"x":1}'}], ONE),
    "an id first, everything else after": ([piece(0, "a"), piece(0, None, "f"), piece(0, None, None, '{"x":1}')], ONE),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_fragments_that_belong_together(name: str) -> None:
    """One call is one, two are two, and every character of the arguments is in one of them."""
    pieces, calls = FRAGMENTS[name]
    assert calls_of(*pieces) == calls


def test_a_call_that_stands_alone_is_a_list_of_one() -> None:
    """Streamed and whole."""
    call = {"id": "a", "function": {"name": "f", "arguments": {"x": [1, None]}}}
    whole = completion_from_json(to_json(completion(None, "tool_calls", tool_calls=call))).message
    chunk = of_choices({"index": 0, "delta": {"content": None, "tool_calls": call}, "finish_reason": "tool_calls"})
    assert fold([chunk_from_json(to_json(chunk))]).message == whole
    assert whole.tool_calls is not None
    assert json.loads(whole.tool_calls[0].function.arguments) == {"x": [1, None]}


@pytest.mark.parametrize("nothing", [None, [], {}, ""])
def test_calls_that_are_none(nothing: Any) -> None:
    """Whatever stands for null."""
    assert completion_from_json(to_json(completion("Hi", tool_calls=nothing))).message.tool_calls is None
    assert calls_of() == []


JSON = st.dictionaries(
    st.text(max_size=4), st.text(max_size=6) | st.integers() | st.lists(st.text(max_size=3)), max_size=3
)


@given(st.lists(st.tuples(st.sampled_from("fgh"), JSON.map(json.dumps)), min_size=1, max_size=4), st.data())
def test_calls_on_one_index_are_told_apart_by_finished_arguments(
    called: list[tuple[str, str]], data: st.DataObject
) -> None:
    """However the arguments are cut, and whatever braces and quotes stand in their texts."""
    pieces = []
    for name, arguments in called:
        places = sorted(set(data.draw(st.lists(st.integers(1, len(arguments)), max_size=3))) | {0, len(arguments)})
        first, *rest = [arguments[start:end] for start, end in pairwise(places)]
        pieces += [piece(0, None, name, first), *(piece(0, None, None, part) for part in rest)]
    assert calls_of(*pieces) == [("", name, arguments) for name, arguments in called]
