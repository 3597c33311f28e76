"""``chat --html FILE``: the answer's log probabilities as a page."""

from __future__ import annotations

from pathlib import Path

from ..errors import InvalidRequestError
from ..types import ChatCompletion, ChoiceLogprobs
from .endings import remark

_START = b"<!doctype html>"


def check_is_page(file: Path) -> None:
    """Look whether a page may be written, before anybody pays for an answer.

    Raises:
        InvalidRequestError: The file holds something else than a page, or its folder is missing.
    """
    if not file.parent.is_dir():
        raise InvalidRequestError("html", str(file), message=f"{file.parent}: no such folder")
    if file.exists():
        with file.open("rb") as there:
            start = there.read(len(_START))
        if start and start.lower() != _START:
            raise InvalidRequestError("html", str(file), message=f"{file} is no page; choose another name")


def write_heat_map(completion: ChatCompletion, file: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    logprobs = completion.logprobs or ChoiceLogprobs()
    part = file.with_name(f"{file.name}.part")
    part.write_text(logprobs.to_html(f"Log probabilities of {completion.model}"), encoding="utf-8", errors="replace")
    part.replace(file)
    remark(f"{file}: open it in a browser")
