"""What is written to a console that does not know every character: signs of ours in ASCII, others as their numbers.

JSON stays JSON: there a character that ASCII has not is written as JSON escapes it.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from typing import TextIO

HANDLER = "deepseek_async.console"
"""The name of the error handler that `prepare` has streams use."""

# Of a width each, so that columns and bars stay as they are; but for the last row.
_PLAIN = dict(zip("·–—−×»«•■█━╸╺─│┃▌‘’“”", "|---x><*##=---|||''\"\"", strict=True))
_PLAIN |= {"…": "...", "≥": ">=", "≤": "<=", "→": "->"}
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = (_PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode() for char in _bad(error))
    return "".join(plain), error.end


def _bad(error: UnicodeEncodeError) -> str:
    return error.object[error.start : error.end]


def prepare() -> None:
    """Have stdout and stderr take every text, whatever their encoding."""
    codecs.register_error(HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def knows(stream: TextIO, text: str) -> bool:
    """Whether a stream can write a text as it is."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_json(text: str, file: TextIO | None = None) -> None:
    """Print JSON at once: as it is on a stream of UTF-8, in ASCII elsewhere, which is JSON as well."""
    stream = sys.stdout if file is None else file
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
    if encoding not in ("utf-8", "utf8", "utf-8-sig"):
        text = _BEYOND_ASCII.sub(_escaped, text)  # JSON has such characters in its strings and nowhere else
    print(text, file=stream, flush=True)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def argument(text: str) -> str:
    """An argument of the command as its user wrote it: where the locale is not UTF-8, it arrives in pieces."""
    try:
        return text.encode(sys.getfilesystemencoding(), "surrogateescape").decode()
    except UnicodeError:
        return text
