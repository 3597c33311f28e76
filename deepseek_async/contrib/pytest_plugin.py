"""A pytest plugin: a DeepSeek server for tests, without a key and without a network.

    def test_answers(deepseek_sandbox):
        deepseek_sandbox.script(Script(say="Hello."))
        assert my_code() == "Hello."
        assert deepseek_sandbox.requests[-1].json["messages"]

    @pytest.mark.deepseek_sandbox(ceiling=2)
    @pytest.mark.deepseek_script(Script(faults=(Cut(at_byte=400),)))
    async def test_cut(deepseek_sandbox): ...

pytest finds it by itself where this package is installed. It imports nothing of the server before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..sandbox import SandboxServer

__all__ = ["deepseek_sandbox", "pytest_configure"]

_MARKERS = (
    "deepseek_sandbox(**options): options of the deepseek_sandbox fixture's server, as SandboxServer takes them",
    "deepseek_script(*scripts, times=1): scripts for the deepseek_sandbox fixture's server, played one a request",
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def deepseek_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A server of this test's own, on a free loopback port, repeatable (``seed=0``) unless the marker says otherwise.

    It runs in a thread, so it serves synchronous tests and every async framework alike. ``DEEPSEEK_BASE_URL`` and
    ``DEEPSEEK_API_KEY`` point to it for the length of the test, so code under test finds it without being told.
    """
    from ..sandbox import SandboxServer, in_background

    options: dict[str, Any] = {"seed": 0}
    for marker in _outermost_first(request, "deepseek_sandbox"):
        options.update(marker.kwargs)
    server = SandboxServer(**options)
    for marker in _outermost_first(request, "deepseek_script"):
        server.script(*marker.args, **marker.kwargs)
    with in_background(server):
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", server.api_key or "sk-sandbox")
        yield server


def _outermost_first(request: pytest.FixtureRequest, name: str) -> list[pytest.Mark]:
    """Markers as they are read: the module's, the class's, then the function's from top to bottom."""
    return list(request.node.iter_markers(name))[::-1]
