"""What the suite against real servers shares: one engine a run, started once for each set of options."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from deepseek_async import AsyncClient

from ..tables import Cell, Table
from .engines import ENGINES, Engine, RealServer, running

ENGINE = ENGINES[os.environ.get("SERVER", "llama")]


class Serve(Protocol):
    """Starts a server with these options, or hands out the one that runs with them."""

    def __call__(self, **options: str) -> RealServer: ...


def pytest_configure(config: pytest.Config) -> None:
    """Gather a table if this folder is what is run."""
    if any("servers" in str(argument) for argument in config.args):
        config.pluginmanager.register(Table("servers", "What real servers do, as `make test-servers` saw it"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these run only where they are asked for."""
    for item in items:
        if "tests/servers/" in item.path.as_posix():
            item.add_marker(pytest.mark.outside)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The kind of server of this run: the environment variable SERVER."""
    return ENGINE


@pytest.fixture(scope="session")
def serve(engine: Engine) -> Iterator[Serve]:
    """Servers, each started at its first use and stopped at the end."""
    with ExitStack() as stack:
        known: dict[tuple[tuple[str, str], ...], RealServer] = {}

        def start(**options: str) -> RealServer:
            key = tuple(sorted(options.items()))
            if key not in known:
                known[key] = stack.enter_context(running(engine, **options))
            return known[key]

        yield start


@pytest.fixture(scope="session")
def server(serve: Serve) -> RealServer:
    """The usual one, with a template that knows tools."""
    return serve(template="tools.jinja")


@pytest.fixture
async def client(server: RealServer) -> AsyncIterator[AsyncClient]:
    """A client of the usual server."""
    async with server.client() as client:
        yield client


@pytest.fixture
def cell(record_property: object, engine: Engine) -> Cell:
    """The test's place in the table; its case is said by `of_case`."""
    return Cell(record_property)


@pytest.fixture
def case(cell: Cell, engine: Engine) -> Callable[..., Cell]:
    """Say the test's case, and what the server needs for it: ``case("FIM", needs="completions")``."""

    def begin(name: str, *, needs: str = "") -> Cell:
        cell.of(engine.label, name)
        lacking = set(needs.split()) & engine.lacks
        if lacking:
            pytest.skip(f"{engine.label} lacks {', '.join(sorted(lacking))}")
        return cell

    return begin
