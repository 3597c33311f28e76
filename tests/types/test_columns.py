"""Log probabilities as numpy arrays: one row a token, whatever its alternatives."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from deepseek_async import InvalidRequestError
from deepseek_async.types import BELOW_TOP, ChoiceLogprobs, TokenLogprob, TopLogprob


def token(text: str, logprob: float, *tops: tuple[str, float]) -> TokenLogprob:
    alternatives = tuple(TopLogprob(other, value) for other, value in tops)
    return TokenLogprob(text, logprob, tuple(text.encode()), top_logprobs=alternatives)


def test_each_token_is_a_row() -> None:
    """Texts, logprobs, places in the text; alternatives in a matrix; NaN where there are fewer or none was told."""
    logprobs = ChoiceLogprobs(
        (token("Hé", -0.5, ("Hé", -0.5), ("x", BELOW_TOP)), token("llo", BELOW_TOP), token("", -1.0))
    )
    columns = logprobs.array()
    assert columns.tokens.tolist() == ["Hé", "llo", ""]
    assert np.array_equal(columns.logprobs, [-0.5, np.nan, -1.0], equal_nan=True)
    assert columns.logprobs.dtype == np.float64
    assert columns.offsets.tolist() == [list(span) for span in logprobs.spans] == [[0, 2], [2, 5], [5, 5]]
    assert columns.top_tokens.tolist() == [["Hé", "x"], ["", ""], ["", ""]]
    assert np.array_equal(columns.top_logprobs, [[-0.5, np.nan], [np.nan] * 2, [np.nan] * 2], equal_nan=True)


def test_no_tokens_are_no_rows() -> None:
    """Null or empty, in either channel."""
    for columns in (ChoiceLogprobs().array(), ChoiceLogprobs(None, ()).array("reasoning_content")):
        assert (columns.tokens.shape, columns.logprobs.shape, columns.offsets.shape) == ((0,), (0,), (0, 2))
        assert columns.top_logprobs.shape == columns.top_tokens.shape == (0, 0)
    reasoning = ChoiceLogprobs(None, (token("Hm", -1.0),)).array("reasoning_content")
    assert reasoning.tokens.tolist() == ["Hm"]


def test_what_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No such channel; numpy is missing."""
    with pytest.raises(InvalidRequestError, match="content or reasoning_content"):
        ChoiceLogprobs().array("contents")
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match=r"deepseek_async\[numpy\]"):
        ChoiceLogprobs().array()
