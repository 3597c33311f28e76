"""What every test shares: asyncio only, and no surprise from the machine's environment."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine makes an example slow, not wrong.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


_LONG = {"soak", "bench", "distributed", "outside"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs long on purpose runs as long as it must."""
    for item in items:
        if not _LONG.isdisjoint(mark.name for mark in item.iter_markers()):
            item.add_marker(pytest.mark.timeout(0))


def pytest_collection_finish() -> None:
    """What is loaded now stays: whoever collects in a test need not look through thousands of tests again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    """The project is asyncio only."""
    return "asyncio"


@pytest.fixture
def light_heap() -> None:
    """For tests that have the garbage collected many times: what is there already is not looked through each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A key, a base URL or a proxy of the machine must not reach a test, nor the collector's settings leave one."""
    thresholds = gc.get_threshold()
    for name in (
        "DEEPSEEK_API_KEY",
        "DEEPSEEK_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    gc.set_threshold(*thresholds)


@pytest.fixture
def untraced() -> Iterator[None]:
    """Run without the coverage tracer, for tests that feed millions of reads, simulate hours or take the time.

    It would make them five times slower and measure itself. Each module so tested has other tests for its branches.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)
