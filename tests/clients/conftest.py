"""The table of other people's clients."""

from __future__ import annotations

from typing import Any

import pytest

from ..grouping import scheduler_by_name
from ..tables import Table


def pytest_configure(config: pytest.Config) -> None:
    """Gather a table if this folder is what is run."""
    if any("clients" in str(argument) for argument in config.args):
        title = "What other people's clients make of the sandbox, as `make test-clients` saw it"
        config.pluginmanager.register(Table("clients", title))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each client is installed once."""
    from .test_clients import CLIENTS

    return scheduler_by_name(config, log, (client.name for client in CLIENTS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these run only where they are asked for."""
    for item in items:
        if "tests/clients/" in item.path.as_posix():
            item.add_marker(pytest.mark.outside)
