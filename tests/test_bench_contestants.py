"""The contestants read what the server sends, all of it, and whoever is not there is left out."""

from __future__ import annotations

import pytest

pytest.importorskip("orjson")

from benchmarks.axes import Axis
from benchmarks.contestants import Tally, contestant
from benchmarks.measuring import measured
from benchmarks.processes import server
from benchmarks.wire import Spec
from benchmarks.worker import check

pytestmark = pytest.mark.anyio

_STREAM, _WHOLE = Spec("top5", 40, 3, 0.0), Spec("top5", 40, 0)


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("bare socket", [_STREAM]),
        ("aiohttp + orjson", [_STREAM, _WHOLE]),
        ("aiohttp + json", [_STREAM, _WHOLE]),
        ("ours", [_STREAM, _WHOLE]),
        ("ours, fold", [_STREAM]),
        ("ours, fold and read logprobs", [_STREAM, _WHOLE]),
        ("ours, text only", [_STREAM]),
    ],
)
async def test_everybody_reads_everything(name: str, answers: list[Spec]) -> None:
    """One after the other on one connection: every character, chunk and alternative that the way tells of."""
    with server() as replaying:
        async with contestant(name)(replaying.root) as session:
            for spec in (*answers, *answers):
                check(await (session.stream if spec.burst else session.whole)(spec), spec)


@pytest.mark.parametrize("name", ["aiohttp + orjson", "ours"])
async def test_every_row_of_a_batch_is_answered(name: str) -> None:
    with server() as replaying:
        async with contestant(name)(replaying.root) as session:
            assert await session.rows(Spec("plain", 4, 0), 20, 3) == 20


@pytest.mark.parametrize("what", ["characters", "chunks", "alternatives"])
async def test_a_tally_that_is_short_is_no_figure(what: str) -> None:
    """A contestant that saw less than was sent has not done the work."""
    sent = {"characters": _STREAM.characters, "chunks": 42, "alternatives": 200}
    check(Tally(**sent), _STREAM)
    with pytest.raises(AssertionError, match=f"{sent[what] - 1} {what}"):
        check(Tally(**{**sent, what: sent[what] - 1}), _STREAM)


async def test_whoever_is_not_installed_is_left_out() -> None:
    """With a line that says so; the others are measured."""
    imports = Axis("import", "Import", "import", "ms", None, {"json.loads": 1, "no_such_package.Client": 1}, rounds=1)
    told: list[str] = []
    with server() as replaying:
        figures = measured(imports, replaying, told.append)
    assert set(figures) == {"json.loads"}
    assert told == ["no_such_package.Client: left out, No module named 'no_such_package'"]


async def test_a_round_tells_how_busy_both_sides_were() -> None:
    """CPU over the time that passed, of the contestant's core and of the server's."""
    axis = Axis("unary", "Unary", "streams", "µs per request", _WHOLE, {"aiohttp + orjson": 2}, rounds=2)
    told: list[str] = []
    with server() as replaying:
        figures = measured(axis, replaying, told.append)["aiohttp + orjson"]
    assert len(figures.rounds) == 2
    assert figures.median > 1
    assert all(0 < (turn.busy or 0) < 1.2 and 0 < (turn.server or 0) < 1.2 for turn in figures.rounds)
