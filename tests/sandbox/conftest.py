"""What the sandbox's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from deepseek_async.sandbox import SandboxServer
from deepseek_async.sandbox.model import load_model

from .talking import Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from deepseek_async.sandbox.model import LanguageModel


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """This Python's language model, trained once for all tests; the machine's cache is left alone."""
    return load_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def talk(session: aiohttp.ClientSession) -> AsyncIterator[Talk]:
    """A conversation with a server of its own, repeatable."""
    async with SandboxServer(seed=7) as server:
        yield Talk(server, session)
