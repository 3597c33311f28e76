"""Tables as sources: their rows are sent, not the names of their columns."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import Succeeded
from deepseek_async.batch.run import _length_of
from deepseek_async.batch.source.frames import rows_of_table
from deepseek_async.errors import InvalidRequestError

from ..account import Account, client_of

pytestmark = pytest.mark.anyio

COLUMNS: dict[str, list[Any]] = {
    "custom_id": ["a", "b", "c"],
    "prompt": ["one", None, "three"],
    "messages": [None, [{"role": "user", "content": "two", "name": None}], None],
    "max_tokens": [5, None, 7],
    "logprobs": [True, None, False],
}
SENT = [
    {"messages": [{"role": "user", "content": "one"}], "max_tokens": 5, "logprobs": True},
    {"messages": [{"role": "user", "content": "two"}]},
    {"messages": [{"role": "user", "content": "three"}], "max_tokens": 7, "logprobs": False},
]


def pandas_frame() -> Any:
    return pytest.importorskip("pandas").DataFrame(COLUMNS)  # whole numbers with one missing are floats to it


def pandas_of_parquet() -> Any:
    """Lists in it are numpy's arrays."""
    pytest.importorskip("pandas")
    return pytest.importorskip("pyarrow").table(COLUMNS).to_pandas()


def polars_frame() -> Any:
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def arrow_table() -> Any:
    return pytest.importorskip("pyarrow").table(COLUMNS)


def record_batch() -> Any:
    return pytest.importorskip("pyarrow").record_batch(COLUMNS)


def reader() -> Any:
    return arrow_table().to_reader(max_chunksize=2)


class Streaming:
    """A table of a library that nobody knows, which offers an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return arrow_table().__arrow_c_stream__(requested_schema)


TABLES: list[Callable[[], Any]] = [
    pandas_frame, pandas_of_parquet, polars_frame, arrow_table, record_batch, reader, Streaming,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
async def test_rows_are_sent(table: Callable[[], Any]) -> None:
    """Each row as a mapping would be, without what it has no value for."""
    account = Account()
    async with client_of(account).batch(table(), max_concurrency=1) as outcomes:
        seen = [(outcome.custom_id, type(outcome)) async for outcome in outcomes]
    assert seen == [("a", Succeeded), ("b", Succeeded), ("c", Succeeded)]
    assert [{name: body[name] for name in body if name != "model"} for body in account.bodies] == SENT


@pytest.mark.parametrize("table", TABLES[:5], ids=lambda table: table.__name__)
def test_their_length_is_their_rows(table: Callable[[], Any]) -> None:
    """For how much of a run is ahead."""
    made = table()
    assert _length_of(made) == 3 or hasattr(made, "schema")


async def test_numbers_of_numpy() -> None:
    """Columns of numbers alone, with one that is missing: whole numbers stay whole where pandas keeps them so."""
    pandas = pytest.importorskip("pandas")
    account = Account()
    frame = pandas.DataFrame({"prompt": ["x", "y"], "temperature": [0.5, float("nan")], "top_logprobs": [1, 2]})
    frame["logprobs"] = True
    async with client_of(account).batch(frame, max_concurrency=1) as outcomes:
        assert [type(outcome) async for outcome in outcomes] == [Succeeded, Succeeded]
    assert [body.get("temperature") for body in account.bodies] == [0.5, None]
    assert [body["top_logprobs"] for body in account.bodies] == [1, 2]


def test_what_computes_when_asked() -> None:
    """polars' LazyFrame: told what to do."""
    lazy = pytest.importorskip("polars").DataFrame(COLUMNS).lazy()
    with pytest.raises(InvalidRequestError, match="collect"):
        rows_of_table(lazy)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that only pyarrow could read: said."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidRequestError, match="pip install pyarrow"):
        next(rows_of_table(Streaming()) or iter(()))


@pytest.mark.parametrize("source", [[], (), {}, "in.jsonl", iter(()), [{"prompt": "x"}], object()])
def test_what_is_no_table(source: Any) -> None:
    """Everything else is what it was."""
    assert rows_of_table(source) is None
