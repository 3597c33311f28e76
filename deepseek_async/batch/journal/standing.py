"""An output as its readers see it: of several lines with one id, the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ...errors import InvalidRequestError
from ..report import clipped
from .fingerprints import Fingerprints
from .journal import side_file_of
from .lines import Line, finished_decoder, line_decoder, side_decoder
from .scan import Scan
from .unfinished import Marks


class _Details(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = None


class LineUsage(msgspec.Struct, gc=False):
    """Token counts of an answer, as far as they are summed; the wire's names."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_cache_hit_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _CompletionDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens that the context cache had."""
        if self.prompt_cache_hit_tokens is not None:
            return self.prompt_cache_hit_tokens
        return (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0


class _Body(msgspec.Struct, gc=False):
    usage: LineUsage | None = None


_body_decoder = msgspec.json.Decoder(_Body)


@attrs.frozen(kw_only=True)
class Standing:
    """How an output stands, all its runs together: one attribute for each figure.

    Attributes:
        output: The output file.
        runs: How many runs wrote to it.
        succeeded, failed: Rows by how their last line ended.
        reasons: Failed rows by the class of their error.
        examples: For each of these the first row that failed so, and its error, in words.
        permanent: Of the failed: those that a resumed run does not send again.
        unfinished: Ids that were sent and never finished: they may have been billed.
        prompt_tokens, cached_tokens, completion_tokens: Sums over the answers.
        cost: What the answers cost, in the runs' currency.
        unpriced: Answers whose cost is not known.
        last_report: The closing report of the latest run; ``None``: it has not ended, or was killed.
    """

    output: Path
    runs: int
    succeeded: int
    failed: int
    reasons: Mapping[str, int]
    examples: Mapping[str, str]
    permanent: int
    unfinished: tuple[str, ...]
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: Decimal
    unpriced: int
    last_report: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**attrs.asdict(self, recurse=False), "output": str(self.output), "cost": str(self.cost)}


def standing_of(output: Path | str) -> Standing:
    """How an output stands. A run may be writing to it.

    Raises:
        InvalidRequestError: There is no such file, or it is no output.
    """
    path = _existing(output)
    side = side_file_of(path)
    marks = Marks(Scan(path, finished_decoder), Scan(side, side_decoder))
    tokens = [0, 0, 0]
    succeeded = permanent = unpriced = 0
    cost, reasons, examples = Decimal(0), Counter[str](), dict[str, str]()
    for line in last_lines(path):
        if line.error is not None:
            reasons[line.error.type] += 1
            examples.setdefault(line.error.type, f"{line.custom_id}: {clipped(line.error.message)}")
            permanent += line.x.is_permanent
            continue
        succeeded += 1
        if line.x.cost is None:
            unpriced += 1
        else:
            cost += Decimal(line.x.cost)
        if (usage := usage_of(line)) is not None:
            tokens[0] += usage.prompt_tokens or 0
            tokens[1] += usage.cached_tokens
            tokens[2] += usage.completion_tokens or 0
    if not marks.runs and path.stat().st_size:
        raise InvalidRequestError("output", str(path), message=f"{path} is no output of a batch")
    return Standing(
        output=path,
        runs=marks.runs,
        succeeded=succeeded,
        failed=reasons.total(),
        reasons=dict(reasons),
        examples=examples,
        permanent=permanent,
        unfinished=tuple(sorted(marks.unfinished)),
        prompt_tokens=tokens[0],
        cached_tokens=tokens[1],
        completion_tokens=tokens[2],
        cost=cost,
        unpriced=unpriced,
        last_report=marks.report,
    )


def last_lines(output: Path | str) -> Iterator[Line]:
    """The line of each row that holds, in the order in which they were written. Reads the file twice.

    Raises:
        InvalidRequestError: There is no such file, or a line that is not at its end cannot be read.
    """
    path = _existing(output)
    seen, count = Fingerprints(), 0
    last: dict[str, int] = {}  # of ids with several lines; one whose fingerprint is another's has its own line here
    for line in _lines_in(path):
        if seen.has(line.custom_id):
            last[line.custom_id] = count
        else:
            seen.add(line.custom_id)
        count += 1
    for number, line in enumerate(islice(_lines_in(path), count)):  # a run may be writing to it
        if last.get(line.custom_id, number) == number:
            yield line


def _lines_in(path: Path) -> Iterator[Line]:
    return chain.from_iterable(Scan(path, line_decoder))


def usage_of(line: Line) -> LineUsage | None:
    """The token counts of an answer; ``None`` where it has none that can be read."""
    try:
        return None if line.response is None else _body_decoder.decode(line.response.body).usage
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _existing(output: Path | str) -> Path:
    path = Path(output)
    if not path.is_file():
        raise InvalidRequestError("output", None, message=f"{path}: no such file")
    return path
