"""A pytest plugin: a DeepSeek server for tests, without a key and without a network.

    def test_answers(deepseek_sandbox):
        deepseek_sandbox.script(Script(say="Hello."))
        assert my_code() == "Hello."
        assert deepseek_sandbox.requests[-1].json["messages"]

    @pytest.mark.deepseek_sandbox(ceiling=2)
    @pytest.mark.deepseek_script(Script(faults=(Cut(at_byte=400),)))
    async def test_cut(deepseek_sandbox): ...

``deepseek_sandbox`` is a server for one test; ``deepseek_sandbox_module`` and ``deepseek_sandbox_session`` are one for
a module and for the whole run. A script that a test gave and that was never played fails the test, unless it was given
with ``optional=True``, or ``deepseek_unplayed = ignore`` stands in the configuration of pytest.

pytest finds the plugin by itself where this package is installed. It imports nothing of the server before a test asks
for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..sandbox import SandboxServer

__all__ = [
    "deepseek_sandbox",
    "deepseek_sandbox_module",
    "deepseek_sandbox_options",
    "deepseek_sandbox_session",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
]

_MARKERS = (
    "deepseek_sandbox(**options): options of the deepseek_sandbox fixture's server, as SandboxServer takes them",
    "deepseek_script(*scripts, times=1): scripts for the deepseek_sandbox fixture's server, played one a request",
)
_UNPLAYED = "deepseek_unplayed"
_SERVERS: pytest.StashKey[list[SandboxServer]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting for scripts that were never played."""
    parser.addini(
        _UNPLAYED, "fail or ignore: what a deepseek script that was never played does to its test", default="fail"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getini(_UNPLAYED) not in ("fail", "ignore"):
        raise pytest.UsageError(f"{_UNPLAYED} must be fail or ignore, got {config.getini(_UNPLAYED)!r}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that would pass, if a script that it gave was never played."""
    shared = {entry for server in _servers_of(item, shared=True) for entry in server.scripts.unplayed}
    outcome = yield
    if item.config.getini(_UNPLAYED) == "fail":
        for server in _servers_of(item, shared=False):
            unplayed = [entry for entry in server.scripts.unplayed if entry not in shared]
            if unplayed:
                server.scripts.waiting = [entry for entry in server.scripts.waiting if entry not in unplayed]
                pytest.fail(_complaint(server, unplayed), pytrace=False)
    return outcome


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pytest passes arguments by name
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say which fixture fits where pytest says only that the scopes do not."""
    report = yield
    if call.excinfo is not None and "ScopeMismatch" in (text := str(call.excinfo.value)) and "deepseek_sandbox" in text:
        advice = (
            "deepseek_sandbox is a server for one test. A fixture of a wider scope takes deepseek_sandbox_module or "
        )
        report.sections.append(("deepseek_async", advice + "deepseek_sandbox_session."))
    return report


@pytest.fixture(scope="session")
def deepseek_sandbox_options() -> dict[str, Any]:
    """Options of every server that the fixtures make, as SandboxServer takes them; override it in ``conftest.py``.

    Repeatable (``seed=0``) unless told otherwise.
    """
    return {"seed": 0}


@pytest.fixture
def deepseek_sandbox(
    request: pytest.FixtureRequest, deepseek_sandbox_options: dict[str, Any]
) -> Iterator[SandboxServer]:
    """A server of this test's own, on a free loopback port, repeatable (``seed=0``) unless the marker says otherwise.

    It runs in a thread, so it serves synchronous tests and every async framework alike. ``DEEPSEEK_BASE_URL`` and
    ``DEEPSEEK_API_KEY`` point to it for the length of the test, so code under test finds it without being told.
    """
    options = dict(deepseek_sandbox_options)
    for marker in _outermost_first(request, "deepseek_sandbox"):
        options.update(marker.kwargs)
    with _serving(request, options) as server:
        for marker in _outermost_first(request, "deepseek_script"):
            server.script(*marker.args, **marker.kwargs)
        yield server


@pytest.fixture(scope="module")
def deepseek_sandbox_module(
    request: pytest.FixtureRequest, deepseek_sandbox_options: dict[str, Any]
) -> Iterator[SandboxServer]:
    """One server for all tests of a module, otherwise as deepseek_sandbox; ``server.reset()`` makes it forget."""
    options = dict(deepseek_sandbox_options)
    for marker in _outermost_first(request, "deepseek_sandbox"):
        options.update(marker.kwargs)
    with _serving(request, options) as server:
        yield server


@pytest.fixture(scope="session")
def deepseek_sandbox_session(
    request: pytest.FixtureRequest, deepseek_sandbox_options: dict[str, Any]
) -> Iterator[SandboxServer]:
    """One server for the whole run, otherwise as deepseek_sandbox; ``server.reset()`` makes it forget."""
    with _serving(request, deepseek_sandbox_options) as server:
        yield server


@contextmanager
def _serving(request: pytest.FixtureRequest, options: dict[str, Any]) -> Iterator[SandboxServer]:
    from ..sandbox import SandboxServer, in_background

    with in_background(SandboxServer(**options)) as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("DEEPSEEK_BASE_URL", server.base_url)
        environment.setenv("DEEPSEEK_API_KEY", server.api_key or "sk-sandbox")
        servers = request.node.stash.setdefault(_SERVERS, [])
        servers.append(server)
        try:
            yield server
        finally:
            servers.remove(server)


def _servers_of(item: pytest.Item, *, shared: bool) -> list[SandboxServer]:
    """The servers that a test can see: all of them, or those that it shares with other tests."""
    nodes = item.listchain()[: -1 if shared else None]
    return [server for node in nodes for server in node.stash.get(_SERVERS, [])]


def _complaint(server: SandboxServer, unplayed: list[Any]) -> str:
    which = ", ".join(f"{entry.script!r}" for entry in unplayed)
    seen = ", ".join(f"{request.method} {request.path}" for request in server.requests[-5:]) or "none"
    return (
        f"{len(unplayed)} script{'s were' if len(unplayed) > 1 else ' was'} never played: {which}. "
        f"The sandbox's last requests: {seen}. Where that is meant, give the script with optional=True, "
        f"or set {_UNPLAYED} = ignore in pytest's configuration."
    )


def _outermost_first(request: pytest.FixtureRequest, name: str) -> list[pytest.Mark]:
    """Markers as they are read: the module's, the class's, then the function's from top to bottom."""
    return list(request.node.iter_markers(name))[::-1]
