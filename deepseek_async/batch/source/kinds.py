"""What a file's rows are written as, told by its name, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, get_args

from ...errors import InvalidRequestError
from .blocks import Items, Made, name_of
from .encodings import utf8_of
from .lines import lines_of
from .records import records_of
from .tables import rows_of_parquet
from .template import Template

Kind = Literal["jsonl", "csv", "tsv", "parquet"]

_ENDINGS: Final[dict[str, Kind]] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def kind_of(path: Path | str, given: str | None = None) -> Kind:
    """What a file holds: what is said, else as its name ends (``.gz`` left aside), else JSON lines.

    Raises:
        InvalidRequestError: There is no such kind.
    """
    if given is not None:
        for kind in get_args(Kind):
            if given == kind:
                return kind  # type: ignore[no-any-return]
        raise InvalidRequestError("format", given, " or ".join(get_args(Kind)))
    name = Path(path).name.lower().removesuffix(".gz")
    return _ENDINGS.get(Path(name).suffix, "jsonl")


def made_of(path: Path | str, template: Template, given: str | None = None) -> Made:
    """What makes the items of a file.

    Raises:
        InvalidRequestError: There is no such kind; Parquet from a pipe.
    """
    kind, name = kind_of(path, given), name_of(path)
    if kind == "parquet":
        if path == "-":
            raise InvalidRequestError("source", "-", message="Parquet is read from a file, not from standard input")
        return lambda _: rows_of_parquet(str(path), template)
    makers: dict[Kind, Callable[[Iterator[bytes]], Iterator[Items]]] = {
        "jsonl": lambda pieces: lines_of(utf8_of(pieces, name), name, template),
        "csv": lambda pieces: records_of(utf8_of(pieces, name), name, template),
        "tsv": lambda pieces: records_of(utf8_of(pieces, name), name, template, separator="\t"),
    }
    return makers[kind]
