"""``batch export``: a table by the file's ending, answers beside questions, and nothing a spreadsheet computes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from deepseek_async.cli.batch_export_files import harmless
from deepseek_async.sandbox import SandboxServer, Script

from .conftest import Run

ANSWERS = ["=1+1", 'two\nlines, and "quotes"', "- a list", "雨\t🌧"]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def source(run: Run, server: SandboxServer, tmp_path: Path, output: Path) -> Path:
    """A table that was asked about: four rows with answers, one without a value."""
    source = tmp_path / "in.csv"
    source.write_text("id,text\n" + "".join(f"{number},=q{number}\n" for number in range(4)) + "4,\n")
    for number, answer in enumerate(ANSWERS):
        server.script(Script(say=answer), when=lambda seen, number=number: f"=q{number}" in str(seen.json["messages"]))
    given = ("--prompt", "{text}", "--base-url", server.base_url, "--no-thinking")
    assert run("batch", "run", str(source), "-o", str(output), *given).exit_code == 1
    return source


Export = Callable[..., tuple[Result, Path]]


@pytest.fixture
def export(run: Run, output: Path, source: Path) -> Export:
    def exported(name: str, *options: str) -> tuple[Result, Path]:
        file = output.with_name(name)
        return run("batch", "export", str(output), str(file), *options), file

    return exported


def rows_of(file: Path) -> dict[str, Any]:
    if file.suffix == ".parquet":
        rows = pytest.importorskip("pyarrow.parquet").read_table(file).to_pylist()
    elif file.suffix == ".jsonl":
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    else:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t" if file.suffix == ".tsv" else ","))
    return {row["custom_id"]: row for row in rows}


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "answers.jsonl", "out.parquet"])
def test_every_ending(export: Export, name: str) -> None:
    """The same rows and columns, questions beside answers; formulas only where nothing computes them."""
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow.parquet")
    result, file = export(name)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"5 rows in {file}\n", "")
    rows = rows_of(file)
    is_sheet = file.suffix in (".csv", ".tsv")
    for number, answer in enumerate(ANSWERS):
        row = rows[str(number)]
        assert list(row)[:3] == ["custom_id", "question", "text"]
        assert row["question"] == (f"'=q{number}" if is_sheet else f"=q{number}")
        assert row["text"] == (harmless(answer) if is_sheet else answer)
        assert row["finish_reason"] == "stop"
        assert float(row["cost"]) > 0
        assert str(row["sent_at"]).startswith("20")
    assert "no value for 'text'" in rows["4"]["error"]
    assert rows["4"]["text"] in ("", None)


@pytest.mark.parametrize("text", ["=1", "+1+1", "-a", "@x", " =1", "\n=1", "\t=1", "\uff1d1", "-1-1", "=", "-"])
def test_formulas(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "5", "-5", "+5.5", "-1,5", "-1e9", "x", "'=", "雨", "1-1"])
def test_what_is_none(text: str) -> None:
    assert harmless(text) == text


def test_the_body(export: Export) -> None:
    _, file = export("b.jsonl", "--body")
    assert json.loads(rows_of(file)["0"]["body"])["choices"][0]["message"]["content"] == "=1+1"


def test_a_source_that_moved(export: Export, source: Path, tmp_path: Path) -> None:
    """It is told, the answers are there; `--source` says where it is."""
    moved = source.rename(tmp_path / "elsewhere.csv")
    result, file = export("out.csv")
    assert result.exit_code == 0
    told = " ".join(result.stderr.split())
    assert "4 rows without their question" in told
    assert told.count("No such file or directory") == 1
    assert rows_of(file)["0"]["question"] == ""
    result, file = export("out.csv", "--source", str(moved))
    assert result.stderr == ""
    assert rows_of(file)["0"]["question"] == "'=q0"


def test_a_source_that_changed(export: Export, source: Path) -> None:
    """What a row asks now is not what it was asked."""
    source.write_text(source.read_text().replace("=q1", "other"))
    result, file = export("answers.jsonl")
    assert "1 rows without their question" in " ".join(result.stderr.split())
    assert rows_of(file)["1"]["question"] is None
    assert rows_of(file)["2"]["question"] == "=q2"


@pytest.mark.parametrize(("name", "words"), [("out.xlsx", "ends with .xlsx; export writes .csv"), ("out", "no ending")])
def test_other_endings(export: Export, name: str, words: str) -> None:
    result, file = export(name)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not file.exists()


@pytest.mark.parametrize("name", ["out.csv", "out.tsv"])
def test_a_table_for_excel_begins_with_its_mark(export: Export, name: str) -> None:
    """And is the same table otherwise; other readers are not given a mark that they did not ask for."""
    result, file = export(name)
    plain = file.read_bytes()
    result, file = export(name, "--excel")
    assert result.exit_code == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + plain
    assert plain.startswith(b"custom_id")


@pytest.mark.parametrize("name", ["out.jsonl2.jsonl", "out.parquet", "out.xlsx"])
def test_the_mark_is_for_tables_of_text_alone(export: Export, name: str) -> None:
    """Said before anything is written."""
    result, file = export(name, "--excel")
    assert result.exit_code == 2
    assert "--excel is for .csv and .tsv" in " ".join(result.stderr.split())
    assert not file.exists()


def test_the_source_is_not_written_over(export: Export, source: Path) -> None:
    before = source.read_bytes()
    result, _ = export("in.csv", "--source", str(source))
    assert (result.exit_code, source.read_bytes()) == (2, before)
    result, _ = export("in.csv")
    assert (result.exit_code, source.read_bytes()) == (2, before)
