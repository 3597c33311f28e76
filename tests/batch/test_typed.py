"""Batches whose answers are values of a type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from deepseek_async import (
    AsyncClient,
    Failed,
    InvalidRequestError,
    MalformedResponseError,
    Succeeded,
    Usage,
    run_batch,
)
from deepseek_async.sandbox import SandboxServer

from ..wire import client_on, completion, whole

pytestmark = pytest.mark.anyio


@attrs.frozen
class City:
    name: str
    people: int = 0


AWAKE = {"type": "disabled"}
ROWS = [{"custom_id": "a", "prompt": "Which city?"}]
USAGE = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}


def said(content: str, finish_reason: str = "stop") -> Any:
    return whole({**completion(content, finish_reason), "usage": USAGE})


async def outcomes_of(*answers: Any, rows: Any = ROWS, **options: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    client, transport = client_on(*answers)
    async with client.batch(rows, **{"response_type": City, **options}) as batch:
        outcomes = [outcome async for outcome in batch]
    return outcomes, [json.loads(request.body or b"") for request in transport.requests]


async def test_the_value_is_in_the_outcome() -> None:
    """Asked for as by `parse`."""
    (outcome,), (body,) = await outcomes_of(said('{"name": "a"}'))
    assert isinstance(outcome, Succeeded)
    assert outcome.parsed == City("a")
    assert body["response_format"] == {"type": "json_object"}


async def test_what_does_not_fit_is_asked_for_again_within_the_attempts() -> None:
    """With what was wrong; tokens of all answers are counted."""
    (outcome,), bodies = await outcomes_of(said('{"name": 1}'), said('{"name": "a"}'))
    assert isinstance(outcome, Succeeded)
    assert (outcome.parsed, outcome.attempts, outcome.usage) == (City("a"), 2, Usage(8, 12, 20))
    assert "$.name: expected a string" in bodies[1]["messages"][-1]["content"]
    (outcome,), bodies = await outcomes_of(said("{}"), said("{}"), max_attempts=2)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, MalformedResponseError)
    assert (outcome.attempts, outcome.error.usage, len(bodies)) == (2, Usage(8, 12, 20), 2)
    assert "$.name: required field missing" in outcome.error.message


async def test_failed_sendings_count_with_the_answers() -> None:
    """A row is sent at most ``max_attempts`` times, whatever became of it."""
    (outcome,), bodies = await outcomes_of(whole({}, 500), said("{}"), said('{"name": "a"}'), max_attempts=2)
    assert isinstance(outcome, Failed)
    assert len(bodies) == 2
    assert "$.name: required" in outcome.error.message


async def test_a_cut_answer_is_the_end_of_its_row() -> None:
    """As with `parse`."""
    (outcome,), bodies = await outcomes_of(said('{"na', "length"))
    assert isinstance(outcome, Failed)
    assert "cut at the server's own limit" in outcome.error.message
    assert len(bodies) == 1


async def test_a_refused_function_is_no_attempt() -> None:
    """The row is asked for in JSON mode, and so are those after it."""
    rows = [{"custom_id": name, "prompt": "Which?", "thinking": AWAKE} for name in "ab"]
    answers = (whole({"error": {"message": "no"}}, 400), said('{"name": "a"}'), said('{"name": "b"}'))
    outcomes, bodies = await outcomes_of(*answers, rows=rows, max_concurrency=1)
    assert [outcome.parsed for outcome in outcomes] == [City("a"), City("b")]
    assert [outcome.attempts for outcome in outcomes] == [1, 1]
    assert ["tools" in body for body in bodies] == [True, False, False]


async def test_a_row_with_tools_of_its_own_is_refused_alone() -> None:
    """The others go on."""
    rows = [{"custom_id": "a", "prompt": "x", "tools": []}, {"custom_id": "b", "prompt": "x"}]
    outcomes, _ = await outcomes_of(said('{"name": "b"}'), rows=rows)
    by_id = {outcome.custom_id: outcome for outcome in outcomes}
    assert isinstance(by_id["a"], Failed)
    assert isinstance(by_id["a"].error, InvalidRequestError)
    assert by_id["a"].attempts == 0
    assert by_id["b"].parsed == City("b")


async def test_a_type_that_cannot_work_is_refused_before_the_first_row() -> None:
    """When the batch is made."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match="response_type"):
        client.batch(ROWS, response_type=complex)
    assert transport.requests == []


async def test_the_output_holds_the_value_as_json(tmp_path: Path) -> None:
    """And the report the tokens of every answer, also of a row that never fitted."""
    output = tmp_path / "out.jsonl"
    rows = [{"custom_id": "a", "prompt": "x"}, {"custom_id": "b", "prompt": "y"}]
    client, _ = client_on(said("{}"), said('{"name": "a", "people": 5}'), said("{}"), said("{}"))
    async with client:
        report = await run_batch(client, rows, output, response_type=City, max_attempts=2, max_concurrency=1)
    lines = {line["custom_id"]: line for line in map(json.loads, output.read_text().splitlines())}
    parsed = [line["x"]["parsed"] for line in lines.values() if "parsed" in line["x"]]
    assert parsed == [{"name": "a", "people": 5}]
    assert (report.succeeded, report.failed) == (1, 1)
    assert report.usage.total_tokens == 40


async def test_a_run_without_a_type_has_no_value(tmp_path: Path) -> None:
    """Its lines are what they were."""
    output = tmp_path / "out.jsonl"
    client, _ = client_on(said("Hello"))
    async with client:
        await run_batch(client, ROWS, output)
    assert "parsed" not in json.loads(output.read_text())["x"]


async def test_against_the_sandbox() -> None:
    """Fifty rows, each a value."""
    rows = [{"custom_id": str(number), "prompt": f"City {number}?", "thinking": AWAKE} for number in range(50)]
    async with (
        SandboxServer(seed=2) as server,
        AsyncClient(base_url=server.base_url) as client,
        client.batch(rows, response_type=City, max_concurrency=8) as outcomes,
    ):
        values = [outcome.parsed async for outcome in outcomes if isinstance(outcome, Succeeded)]
    assert len(values) == 50
    assert all(isinstance(value, City) for value in values)
