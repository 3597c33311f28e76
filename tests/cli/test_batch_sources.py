"""``batch run`` on tables: from a file and a prompt to answers; what cannot be is one sentence and no output."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from deepseek_async.sandbox import SandboxServer

from .conftest import Run

ROWS = [("7", "Hallo"), ("8", "zwei\nZeilen"), ("9", "雨")]
PROMPT = "Translate {{it}}: {text}"

Send = Callable[..., Result]


def _parquet() -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    data = io.BytesIO()
    pq.write_table(pa.table({"id": [int(name) for name, _ in ROWS], "text": [text for _, text in ROWS]}), data)
    return data.getvalue()


def _separated(mark: str) -> str:
    return f"id{mark}text\n" + "".join(f'{name}{mark}"{text}"\n' for name, text in ROWS)


WRITTEN: dict[str, Callable[[], bytes]] = {
    "in.csv": lambda: _separated(",").encode(),
    "semicolons.csv": lambda: _separated(";").encode("utf-8-sig"),
    "in.tsv": lambda: _separated("\t").encode("utf-16"),
    "in.csv.gz": lambda: gzip.compress(_separated(",").encode(), mtime=0),
    "in.parquet": _parquet,
    "in.jsonl": lambda: "".join(f"{json.dumps({'id': int(name), 'text': text})}\n" for name, text in ROWS).encode(),
    "in.json": lambda: json.dumps([{"id": int(name), "text": text} for name, text in ROWS], indent=1).encode(),
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def send(run: Run, server: SandboxServer, output: Path) -> Send:
    def sent(source: Path | str, *options: str, stdin: bytes | None = None) -> Result:
        given = ("-o", str(output), "--base-url", server.base_url, "--max-tokens", "3", *options)
        return run("batch", "run", str(source), *given, stdin=stdin)

    return sent


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", WRITTEN)
def test_every_kind_of_source(send: Send, server: SandboxServer, tmp_path: Path, output: Path, name: str) -> None:
    """Each row is asked the prompt with its own words; numbers are ids; a second run sends nothing."""
    source = tmp_path / name
    source.write_bytes(WRITTEN[name]())
    before = len(server.requests)
    options = ("--prompt", PROMPT, "--system", "Be {brief}.", "--model", "deepseek-v4-pro")
    result = send(source, *options)
    assert result.exit_code == 0, result.stderr
    bodies = [request.json for request in server.requests[before:]]
    asked = {tuple(message["content"] for message in body["messages"]) for body in bodies}
    assert asked == {("Be {brief}.", f"Translate {{it}}: {text}") for _, text in ROWS}
    assert {(body["model"], body["max_tokens"]) for body in bodies} == {("deepseek-v4-pro", 3)}
    assert sorted(line["custom_id"] for line in lines(output)) == ["7", "8", "9"]
    again = send(source, *options)
    assert "3 done before" in again.stdout
    assert len(server.requests) == before + 3
    changed = send(source, *options[2:], "--prompt", "Other: {text}")
    assert changed.exit_code == 2
    assert "is taken by a row with another body" in changed.stderr


def test_more_rows_are_sent_alone(send: Send, server: SandboxServer, tmp_path: Path) -> None:
    """A table that has grown: those that are done are passed over."""
    source = tmp_path / "in.csv"
    source.write_text("custom_id,text\na,x\n")
    send(source, "--prompt", "{text}")
    source.write_text("custom_id,text\na,x\nb,y\n")
    before = len(server.requests)
    assert send(source, "--prompt", "{text}").exit_code == 0
    assert len(server.requests) == before + 1


def test_a_table_of_requests(send: Send, server: SandboxServer, tmp_path: Path) -> None:
    """Without a prompt, columns are the request's own members."""
    source = tmp_path / "in.csv"
    source.write_text("custom_id,prompt,max_tokens,temperature\na,Why?,2,0.5\nb,How?,,\n")
    before = len(server.requests)
    assert send(source).exit_code == 0
    bodies = [request.json for request in server.requests[before:]]
    assert sorted((body["max_tokens"], body.get("temperature")) for body in bodies) == [(2, 0.5), (3, None)]


@pytest.mark.parametrize(
    ("name", "data", "options", "words"),
    [
        ("in.csv", b"id,text\n1,x\n", ("--prompt", "{titel}"), "has no column 'titel'; it has id, text"),
        ("in.jsonl", b'{"text": "x"}\n', ("--prompt", "{titel}"), "has no column 'titel'; it has text"),
        ("in.csv", b"id,text\n1,x\n", ("--prompt", '{"a": {text}}'), "is no column; write a column in braces"),
        ("in.csv", b"id,text\n1,x\n", ("--prompt", "{text}", "--id", "key"), "has no column 'key'"),
        ("in.csv", b"id,text\n1,x\n", (), "none of them prompt or messages"),
        ("in.csv", b"id,text\n1,caf\xe9\n", ("--prompt", "{text}"), "is no UTF-8; write the file as such: iconv"),
        ("in.csv", b"PK\x03\x04 and so on", ("--prompt", "{text}"), "save a spreadsheet as CSV"),
        ("in.json", b'{\n "rows": []\n}', (), "one JSON document over many lines"),
        ("in.json", b"[1, 2]", (), "an element of its array is no object"),
        ("in.jsonl", b"id,text\n1,x\n", (), "its first lines are no JSON; a source is JSON lines"),
        ("in.parquet", b"no", ("--prompt", "{text}"), "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be(
    send: Send, tmp_path: Path, output: Path, name: str, data: bytes, options: tuple[str, ...], words: str
) -> None:
    """It is refused in one sentence before anything is written; `--dry-run` says the same."""
    source = tmp_path / name
    source.write_bytes(data)
    for more in ((), ("--dry-run",)):
        result = send(source, *options, *more)
        assert result.exit_code == 2
        assert words in " ".join(result.stderr.split())
        assert result.stderr.count("error:") == 1
        assert list(tmp_path.iterdir()) == [source]


def test_standard_input_is_what_is_said(spawn_with_input: Callable[..., tuple[int, str]], output: Path) -> None:
    """JSON lines, unless `--format` says CSV; what is neither leaves no output."""
    data = b"id,text\n1,x\n"
    code, told = spawn_with_input(data, "--prompt", "{text}")
    assert (code, output.exists()) == (2, False)
    assert "<stdin> has no rows" in told
    code, told = spawn_with_input(data, "--prompt", "{text}", "--format", "csv")
    assert code == 0, told
    assert [line["custom_id"] for line in lines(output)] == ["1"]


@pytest.fixture
def spawn_with_input(spawn: Any, server: SandboxServer, output: Path) -> Callable[..., tuple[int, str]]:
    """A process of its own: a run reads the descriptor of standard input."""

    def ran(data: bytes, *options: str) -> tuple[int, str]:
        given = ("-o", str(output), "--base-url", server.base_url, "--max-tokens", "3")
        process = spawn("batch", "run", "-", *given, *options)
        _, told = process.communicate(data, timeout=20)
        return process.returncode, told.decode()

    return ran


def test_rows_without_a_value(send: Send, tmp_path: Path, output: Path) -> None:
    """They fail, with line and column; the others are answered."""
    source = tmp_path / "in.csv"
    source.write_text("id,text\n1,\n2,x\n3,x,y\n")
    result = send(source, "--prompt", "{text}")
    assert result.exit_code == 1
    errors = {line["custom_id"]: line["error"] and line["error"]["message"] for line in lines(output)}
    assert errors["1"].endswith("in.csv:2: the row has no value for 'text', which the prompt asks for")
    assert errors["2"] is None
    assert "the record has 3 cells" in errors["row-3"]


def test_the_price_of_a_table(send: Send, tmp_path: Path, output: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,text\n1,x\n2,y\n")
    result = send(source, "--prompt", "{text}", "--dry-run")
    assert "2 rows to send: 2 × deepseek-flash" in result.stdout
    assert "at most 6 tokens" in result.stdout
