"""What is shown of a batch's progress."""

from __future__ import annotations

import json
import logging

import pytest

from deepseek_async.cli.batch_figures import Throughput
from deepseek_async.cli.batch_progress import watch_for


def test_what_the_library_warns_of_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """With --log-json nothing else is on stderr."""
    with watch_for(Throughput(), currency="USD", as_json=True):
        logging.getLogger("deepseek_async").warning("the balance %s", "runs out")
    assert json.loads(capsys.readouterr().err) == {"event": "notice", "text": "the balance runs out"}
