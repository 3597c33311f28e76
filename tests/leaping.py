"""An event loop whose clock leaps to the next timer instead of waiting for it: minutes pass in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


# However little there is to wait for, time passes: whoever looks again and again until it has must not look for ever.
_A_TURN = 1e-6


class _Leaping(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits for what no timer brings"
        self.now += max(timeout, _A_TURN)
        return super().select(0)


class LeapingLoop(asyncio.SelectorEventLoop):
    """Nothing outside of it may take part: no socket, and what is meant for a thread runs in its place."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


in_leaping_time = pytest.mark.parametrize(
    "anyio_backend", [pytest.param(("asyncio", {"loop_factory": LeapingLoop}), id="leaping")]
)
"""A test that is a coroutine runs on such a loop."""


def leap(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on such a loop."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(main)
