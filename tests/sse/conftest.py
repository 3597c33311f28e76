"""What the tests of `deepseek_async.sse` share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def untraced() -> Iterator[None]:
    """Run without the coverage tracer, for the tests that feed millions of reads or take the time.

    It would make them five times slower and measure itself. `test_decoder.py` alone covers each line and branch.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)
