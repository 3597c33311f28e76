"""An output back as outcomes: what was answered, what failed and as what, of several lines the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from deepseek_async import (
    APITimeoutError,
    AsyncClient,
    BadRequestError,
    DeepSeekError,
    Failed,
    InvalidRequestError,
    RetryPolicy,
    StreamInterruptedError,
    Succeeded,
    read_outcomes,
    run_batch,
)
from deepseek_async.sandbox import Refuse, SandboxServer, Script

pytestmark = pytest.mark.anyio


@attrs.frozen
class Harbour:
    name: str


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with (
        SandboxServer(seed=1) as server,
        AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as c,
    ):
        server.script(Script(faults=(Refuse(status=400),)))
        yield c


async def test_what_a_run_has_finished(client: AsyncClient, tmp_path: Path) -> None:
    """Answers, refusals, rows that could not be sent."""
    output = tmp_path / "out.jsonl"
    rows: list[Any] = [{"custom_id": f"r{number}", "prompt": f"Say: {number}"} for number in range(4)]
    rows.append({"custom_id": "bad", "prompt": "x", "temperature": 9})
    await run_batch(client, rows, output, max_concurrency=1)
    outcomes = {outcome.custom_id: outcome for outcome in read_outcomes(output)}
    assert set(outcomes) == {"r0", "r1", "r2", "r3", "bad"}
    refused, bad = outcomes.pop("r0"), outcomes.pop("bad")
    assert isinstance(refused, Failed)
    assert isinstance(refused.error, BadRequestError)
    assert (refused.error.status, refused.error.retryable, refused.request, refused.attempts) == (400, False, None, 1)
    assert isinstance(bad, Failed)
    assert isinstance(bad.error, InvalidRequestError)
    assert "temperature" in str(bad.error)
    for number in (1, 2, 3):
        outcome = outcomes[f"r{number}"]
        assert isinstance(outcome, Succeeded)
        assert (outcome.completion.text, outcome.attempts, outcome.latency > 0) == (str(number), 1, True)


async def test_parsed_values_come_back_as_json(tmp_path: Path) -> None:
    """The file holds no classes."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        server.script(Script(say='{"name": "Sund"}'))
        output = tmp_path / "out.jsonl"
        await run_batch(client, [{"custom_id": "a", "prompt": "x"}], output, response_type=Harbour, mode="json")
    (outcome,) = read_outcomes(output)
    assert isinstance(outcome, Succeeded)
    assert outcome.parsed == {"name": "Sund"}


LINE = '{"id":"b","custom_id":"a","response":%s,"error":%s,"x":{"body_hash":"h","attempts":2}}\n'
ERROR = '{"code":"c","type":"%s","message":"%s"}'


@pytest.mark.parametrize(
    ("response", "error", "cls", "retryable"),
    [
        ("null", ERROR % ("APITimeoutError", "connect timeout of 3 s passed"), APITimeoutError, True),
        ("null", ERROR % ("APITimeoutError", "idle timeout of 3 s passed"), APITimeoutError, False),
        ("null", ERROR % ("StreamInterruptedError", "cut"), StreamInterruptedError, True),
        ("null", ERROR % ("ResponseTooLargeError", "large"), DeepSeekError, False),
        ("null", ERROR % ("AnErrorOfTomorrow", "x"), DeepSeekError, False),
        ("null", ERROR % ("Mapping", "x"), DeepSeekError, False),
        ("null", "null", DeepSeekError, False),
        ('{"status_code":503,"body":null}', ERROR % ("ServiceUnavailableError", "x"), DeepSeekError, True),
        ('{"status_code":200,"body":{"choices":[]}}', "null", DeepSeekError, True),
    ],
)
def test_any_line_has_an_outcome(tmp_path: Path, response: str, error: str, cls: type, retryable: bool) -> None:
    """Also of a version that had other errors; each error can be asked what errors are asked."""
    output = tmp_path / "out.jsonl"
    output.write_text(LINE % (response, error))
    (outcome,) = read_outcomes(output)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, cls)
    assert outcome.error.retryable is retryable
    assert isinstance(outcome.error.may_be_billed, bool)


def test_of_several_lines_the_last_holds(tmp_path: Path) -> None:
    """As for every reader of an output."""
    output = tmp_path / "out.jsonl"
    answer = '{"status_code":200,"body":{"choices":[{"message":{"content":"Yes."},"finish_reason":"stop"}]}}'
    output.write_text(LINE % ("null", ERROR % ("StreamInterruptedError", "cut")) + LINE % (answer, "null"))
    (outcome,) = read_outcomes(output)
    assert isinstance(outcome, Succeeded)


def test_what_is_no_output_is_refused(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(InvalidRequestError, match=r"none\.jsonl"):
        list(read_outcomes(tmp_path / "none.jsonl"))
