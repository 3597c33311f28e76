"""The entry point: what has to hold before the first command is known."""

from __future__ import annotations

import gc
import os
import sys
from importlib.util import find_spec

from .encoding import prepare

_EXTRA = ("typer", "rich")


def main() -> None:
    """Run ``deepseek-async`` with the arguments of the process, and exit with its code."""
    # A tenth of a start would go into looking through the modules' objects, which stay anyway, for cycles.
    gc.set_threshold(100_000, 50, 100)
    prepare()
    for name in _EXTRA:
        if find_spec(name) is None:
            print(f"error: deepseek-async needs {name}: pip install 'deepseek_async[cli]'", file=sys.stderr)
            sys.exit(2)
    try:
        from .app import app

        app(prog_name="deepseek-async")
    except KeyboardInterrupt:  # before a command began, or after it ended
        sys.exit(130)
    except BrokenPipeError:
        # The reader left while the last lines were flushed. Nothing more may be written, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
