"""What a docstring says: of the function, and of each argument."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class Described:
    """``summary``: all that stands before the sections. ``arguments``: the description of each, by name."""

    summary: str
    arguments: Mapping[str, str]


def described(docstring: str) -> Described:
    """Read a docstring in Google, NumPy or Sphinx style.

    By the library ``docstring-parser`` (extra ``tools``). Without it the first paragraph is the summary, and nothing
    is known of the arguments.
    """
    if not docstring.strip():
        return Described("", {})
    try:
        import docstring_parser
    except ImportError:
        return Described(docstring.strip().split("\n\n")[0], {})
    parsed = docstring_parser.parse(docstring)
    parts = (parsed.short_description, parsed.long_description)
    summary = "\n\n".join(part.strip() for part in parts if part)
    return Described(summary, {each.arg_name: each.description for each in parsed.params if each.description})
