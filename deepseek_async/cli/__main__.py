"""``python -m deepseek_async.cli``: the same command where the script is not on the path."""

from __future__ import annotations

from .main import main

if __name__ == "__main__":
    main()
