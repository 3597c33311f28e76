"""Cross-origin requests: a page in a browser may call the API, as it may call DeepSeek's.

The sandbox's own paths are left out: what tests have asked is nothing for a page of another origin to read.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["answer_headers", "preflight_headers"]

_KEPT_SECONDS = "600"


def answer_headers(asked: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What an answer says to a browser; nothing to a request that names no origin."""
    if "Origin" not in asked:
        return ()
    return (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "*"))


def preflight_headers(asked: Mapping[str, str], method: str) -> tuple[tuple[str, str], ...]:
    """What the answer to a preflight says.

    Args:
        asked: The preflight's headers.
        method: The one that the path takes.
    """
    return (
        *answer_headers(asked),
        ("Access-Control-Allow-Methods", method),
        ("Access-Control-Allow-Headers", asked.get("Access-Control-Request-Headers", "*")),
        ("Access-Control-Allow-Private-Network", "true"),
        ("Access-Control-Max-Age", _KEPT_SECONDS),
    )
