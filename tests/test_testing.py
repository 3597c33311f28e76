"""`deepseek_async.testing` has everything for tests, and loads nothing before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deepseek_async import sandbox, testing, transport


def test_it_has_what_its_two_homes_have() -> None:
    """Each name is the one of its home; what is no tool of tests is left out."""
    for name in testing.__all__:
        assert getattr(testing, name) is (getattr(transport, name, None) or getattr(sandbox, name))
    assert set(sandbox.__all__) - set(testing.__all__) == {"serve"}
    with pytest.raises(AttributeError, match="has no attribute 'Sandwich'"):
        _ = testing.Sandwich


def test_importing_it_loads_no_server() -> None:
    """Only what is asked for."""
    code = "import sys, deepseek_async.testing; print('aiohttp' in sys.modules, 'msgspec' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )
