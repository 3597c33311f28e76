"""``--dry-run``: what a source would cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from ..batch.estimate import estimate_of, prompts_told_by
from ..batch.journal.index import index_of
from ..batch.journal.journal import side_file_of
from ..batch.journal.known_rows import Done
from ..batch.source.shards import shard_of
from ..batch.source.template import Template
from .encoding import print_json


def print_price(
    source: str,
    output: Path,
    *,
    asking: Mapping[str, Any],
    source_format: str | None,
    shard: str | None,
    currency: str,
    as_json: bool,
    retry_permanent: bool,
) -> None:
    """Price what a run would send now, what the output holds already not counted.

    Args:
        asking: Of `Template`.
        retry_permanent: Whether rows that failed for good would be sent again.

    Raises:
        InvalidRequestError: The source or the output cannot be read, or the shard is none.
    """
    done = Done(output, index_of(output, side_file_of(output), retry_permanent=retry_permanent))
    part, told = shard_of(shard), prompts_told_by(output)
    template = Template(**asking)
    estimate = asyncio.run(
        estimate_of(source, done=done, told=told, shard=part, currency=currency, template=template, kind=source_format)
    )
    if as_json:
        print_json(msgspec.json.encode({"event": "estimate", "currency": currency, **estimate.to_json()}).decode())
        return
    models = ", ".join(f"{count:,} × {model}" for model, count in estimate.models.most_common())
    typer.echo(f"{estimate.rows:,} rows to send" + (f": {models}" if models else ""))
    if estimate.skipped:
        typer.echo(f"  {estimate.skipped:,} rows are done")
    if estimate.bad:
        typer.echo(f"  {estimate.bad:,} rows cannot be sent; the first of them:")
        for problem in estimate.problems:
            typer.echo(f"    {problem}")
    typer.echo(
        f"  prompts: about {estimate.prompt_tokens:,} tokens, {estimate.prompt_cost:.4f} {currency} off-peak if none "
        "is in the cache"
    )
    if estimate.output_tokens:
        typer.echo(
            f"  answers: at most {estimate.output_tokens:,} tokens, {estimate.output_cost:.4f} {currency} off-peak"
        )
    if estimate.unbounded:
        typer.echo(f"  {estimate.unbounded:,} rows without max_tokens: what their answers cost is not known")
    if estimate.unpriced:
        typer.echo(f"  {estimate.unpriced:,} rows of models whose price is not known")
    total = estimate.prompt_cost + estimate.output_cost
    typer.echo(f"  together: {total:.4f} {currency} off-peak, {total * 2:.4f} {currency} in peak hours")
