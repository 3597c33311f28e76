"""A streamed answer that is cut is continued, or honestly refused; never joined to a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import DeepSeekError, Resume, RetryPolicy

from ..tables import Cell
from .engines import Engine, RealServer
from .relay import Relay

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
QUESTION = [{"role": "user", "content": "Describe the sea in two sentences."}]
PLACES = range(1, 21)


def common(first: str, second: str) -> str:
    """What both begin with."""
    length = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return first[:length]


async def test_cut_at_twenty_places(server: RealServer, engine: Engine, case: Case) -> None:
    """At temperature 0 the continued answer is the uncut one, wherever it was cut; or both parts are in the error."""
    cell = case("resume after a cut, 20 places")
    ask: dict[str, Any] = {
        "model": engine.model,
        "messages": QUESTION,
        "max_tokens": 40,
        "temperature": 0.0,
        "extra_body": engine.steady,
    }
    ends = {"continued": 0, "refused": 0}
    drifted = 0
    async with Relay(server.base_url) as relay, server.client(base_url=f"{relay.base_url}/v1") as client:
        async with client.chat.completions.stream(**ask) as stream:
            uncut = (await stream.completion()).text or ""
        for place in PLACES:
            relay.cut_after = place
            pieces: list[str] = []
            try:
                async with client.chat.completions.stream(
                    **ask, resume=Resume(attempts=1), retry=RetryPolicy(attempts=2, wait_initial=0.0)
                ) as stream:
                    async for piece in stream.text_deltas():
                        pieces.append(piece)  # noqa: PERF401 - what came before an error counts
                    text = (await stream.completion()).text or ""
            except DeepSeekError as error:
                ends["refused"] += 1
                begun = "" if error.partial is None else error.partial.text or ""
                assert uncut.startswith("".join(pieces)) or begun.startswith("".join(pieces))
                continue
            finally:
                relay.cut_after = None
            ends["continued"] += 1
            assert "".join(pieces) == text
            begun = common(uncut, text)
            # A continuation may be tokenised otherwise at the seam, and then drift; but it must go on, not begin anew.
            drifted += text != uncut
            assert text == uncut or not text[len(begun) :].startswith(uncut[:12])
    assert sum(ends.values()) == len(PLACES)
    words = f"{ends['continued']} continued" if ends["continued"] else "refused, told with both parts"
    cell.says(words + (f", {drifted} of them in other words after the seam" if drifted else ""))
