"""The text that the model learns from."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from deepseek_async.sandbox.model.corpus import documents

if TYPE_CHECKING:
    from pathlib import Path

MODULE = '''# A comment first.
"""Read and write things.

    >>> left_out()

Options:  none

A paragraph that
spans two lines.
"""

raise SystemExit("a source is read, never imported")

class Thing:
    r"""Hold one thing and its (name)."""

    def method(self):  # with a remark
        """Return the thing that is held."""

    def again(self):
        """Return the thing that is held."""

    def foreign(self):
        """Gib das Ding zurück, das gehalten wird."""
'''


def test_prose_is_kept_and_the_rest_left_out(tmp_path: Path) -> None:
    """Paragraphs come as one line each, once; doctests, headings and other alphabets do not come at all."""
    (tmp_path / "things.py").write_text(MODULE, "utf-8")
    (tmp_path / "latin.py").write_bytes(b'"""Caf\xe9 owners read this sentence."""')
    found = documents(tmp_path)
    assert found[:2] == [
        "Read and write things.\n\nA paragraph that spans two lines.",
        "Return the thing that is held.",
    ]
    assert "Gib das Ding" not in "".join(found)


def test_a_python_without_sources_still_has_something_to_say(tmp_path: Path) -> None:
    """A frozen Python has the docstrings that are compiled into it."""
    found = documents(tmp_path / "nowhere")
    assert sum(map(len, found)) > 10_000


def test_the_text_does_not_depend_on_what_was_imported(tmp_path: Path) -> None:
    """Another process, with another hash seed, collects the same."""
    (tmp_path / "things.py").write_text(MODULE, "utf-8")
    program = (
        "import sys, zlib, pathlib; from deepseek_async.sandbox.model.corpus import documents;"
        "print(zlib.crc32('\\0'.join(documents(pathlib.Path(sys.argv[1]))).encode()))"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1
