"""What outside systems did, as a table of system × case: printed when a run ends, and left for the docs.

A test says its place by the fixture `cell`, and may say what it saw; a test that says nothing of what it saw is "yes".
The figures of systems that this run left out stay as an earlier run had them, and those of cases if it was of a part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "measured"


class Cell:
    """The place of one test in the table, and what it saw there.

    Args:
        record: pytest's ``record_property``.
    """

    def __init__(self, record: Any) -> None:
        self._record = record

    def of(self, system: str, case: str) -> None:
        """Which row and column."""
        self._record("system", system)
        self._record("case", case)

    def says(self, words: str) -> None:
        """What was seen, in a few words; the last words count."""
        self._record("words", words)


class Table:
    """A pytest plugin that gathers cells.

    Args:
        name: Of the files in ``docs/measured``.
        title: What the table shows, in one sentence.
    """

    def __init__(self, name: str, title: str) -> None:
        self._path = FOLDER / f"{name}.json"
        self._title = title
        self._seen: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the cell of a test that has ended."""
        facts = dict(report.user_properties)
        if "case" not in facts or (report.when != "call" and report.passed) or (report.when == "teardown"):
            return
        words = str(facts.get("words", "yes"))
        if report.failed:
            words = "**fails**"
        elif report.skipped:
            words = "–"
        row = self._seen.setdefault(str(facts["system"]), {})
        case = str(facts["case"])
        # Several tests may share a cell: a failure counts, else what was said.
        if row.get(case) != "**fails**" and (case not in row or words not in ("yes", "–")):
            row[case] = words

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print the table, and leave it."""
        if not self._seen:
            return
        terminalreporter.section(self._title)
        terminalreporter.write_line(as_markdown(self._seen))
        known = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        is_whole = not config.option.keyword and all(Path(str(argument)).is_dir() for argument in config.args)
        for system, row in self._seen.items():
            known[system] = row if is_whole else {**known.get(system, {}), **row}
        FOLDER.mkdir(exist_ok=True)
        self._path.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")
        page = f"<!-- Written by a test run: see the Makefile. -->\n\n{self._title}\n\n{as_markdown(known)}\n"
        self._path.with_suffix(".md").write_text(page, "utf-8")


def as_markdown(rows: dict[str, dict[str, str]]) -> str:
    """A table for all systems that share a case."""
    groups: list[dict[str, dict[str, str]]] = []
    for system, row in rows.items():
        for group in groups:
            if any(row.keys() & other.keys() for other in group.values()):
                group[system] = row
                break
        else:
            groups.append({system: row})
    return "\n\n".join(map(_as_table, groups))


def _as_table(rows: dict[str, dict[str, str]]) -> str:
    """A line for each case, a column for each system, or the other way round where that is narrower."""
    cases = list(dict.fromkeys(case for row in rows.values() for case in row))
    if len(rows) <= len(cases):
        lines = [[case, *(row.get(case, "") for row in rows.values())] for case in cases]
        head = ["", *rows]
    else:
        lines = [[system, *(row.get(case, "") for case in cases)] for system, row in rows.items()]
        head = ["", *cases]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def cells(record_property: Any) -> Iterator[Cell]:
    """The body of a fixture `cell`."""
    yield Cell(record_property)
