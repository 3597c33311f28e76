"""What the sandbox's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepseek_async.sandbox.model import load_model

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """This Python's language model, trained once for all tests; the machine's cache is left alone."""
    return load_model(tmp_path_factory.mktemp("model"))
