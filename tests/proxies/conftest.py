"""What the suite against real proxies shares: a sandbox behind all, each proxy started once for each configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from deepseek_async.sandbox import SandboxServer, in_background

from ..grouping import scheduler_by_name
from ..tables import Cell, Table
from .forwarding import FORWARD_PROXIES
from .systems import PROXIES, Proxy, Running, running

INSTALLED = [proxy for proxy in PROXIES if proxy.path]


class Front(Protocol):
    """Starts a proxy, or hands out the one that runs so; options are those of `running`."""

    def __call__(self, proxy: Proxy, *, upstream: int | None = None, **options: Any) -> Running: ...


def pytest_configure(config: pytest.Config) -> None:
    """Gather a table if this folder is what is run."""
    if any("proxies" in str(argument) for argument in config.args):
        config.pluginmanager.register(Table("proxies", "What real proxies do, as `make test-proxies` saw it"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each proxy is started in one process."""
    return scheduler_by_name(config, log, (proxy.name for proxy in (*PROXIES, *FORWARD_PROXIES)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these run only where they are asked for."""
    for item in items:
        if "tests/proxies/" in item.path.as_posix():
            item.add_marker(pytest.mark.outside)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test is run for each proxy that is installed, as it comes and for streams."""
    if "proxy" in metafunc.fixturenames:
        ones = [pytest.param(proxy, id=proxy.name) for proxy in INSTALLED]
        metafunc.parametrize("proxy", ones, scope="session")
    if "streams" in metafunc.fixturenames:
        metafunc.parametrize("streams", [False, True], ids=["plain", "streams"], scope="session")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    """What stands behind every proxy."""
    with in_background(SandboxServer(seed=0, prefix_cache=False)) as server:
        yield server


@pytest.fixture(scope="session")
def front(sandbox: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Proxies in front of the sandbox, each started at its first use and stopped at the end."""
    with ExitStack() as stack:
        known: dict[Any, Running] = {}

        def start(proxy: Proxy, *, upstream: int | None = None, **options: Any) -> Running:
            port = int(sandbox.base_url.rpartition(":")[2]) if upstream is None else upstream
            key = (proxy.name, port, *sorted(options.items()))
            if key not in known:
                folder: Path = tmp_path_factory.mktemp(proxy.executable)
                known[key] = stack.enter_context(running(proxy, port, folder, **options))
            return known[key]

        yield start


@pytest.fixture
def case(record_property: Any) -> Callable[..., Cell]:
    """Say the test's place in the table: ``case(proxy, streams, "refused")``."""

    def begin(proxy: Proxy, streams: bool, name: str) -> Cell:
        cell = Cell(record_property)
        cell.of(f"{proxy.label}{', for streams' if streams else ''}", name)
        return cell

    return begin


@pytest.fixture(autouse=True)
def nothing_left(sandbox: SandboxServer) -> Iterator[None]:
    """A script that was not played must not reach the next test."""
    yield
    sandbox.scripts.clear()
