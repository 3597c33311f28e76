"""Whatever the network does, the caller sees the exact completion, or a typed error with a true prefix of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async import APITimeoutError, AsyncClient, ChatCompletion, DeepSeekError, StreamInterruptedError

from .asking import QUESTIONS, ask, check_partial, make_client, make_server
from .proxy import ChaosProxy, Fault

KINDS = ("none", "cut", "reset", "stall", "delay", "split", "comments", "longer", "shorter")
FAULTS = st.builds(
    Fault,
    st.sampled_from(KINDS),
    at=st.one_of(st.integers(0, 400), st.integers(0, 12_000)),
    size=st.integers(1, 40),
)


class Stage:
    """A sandbox, a proxy before it and a client, in one loop that outlives the examples."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._faults: list[Fault] = []
        runner.run(self._start())

    async def _start(self) -> None:
        self._server = await make_server().__aenter__()
        self._proxy = await ChaosProxy(self._server.base_url, self._next_fault).__aenter__()
        self._client: AsyncClient = make_client(self._proxy.base_url)
        self.expected: list[ChatCompletion] = [
            await self._client.chat.completions.create(**question) for question in QUESTIONS
        ]

    def _next_fault(self) -> Fault:
        return self._faults.pop(0) if self._faults else Fault()

    def play(self, number: int, way: str, faults: list[Fault]) -> ChatCompletion | DeepSeekError:
        self._faults = list(faults)
        return self._runner.run(self._play(QUESTIONS[number], way))

    async def _play(self, question: dict[str, Any], way: str) -> ChatCompletion | DeepSeekError:
        try:
            return await ask(self._client, question, way)
        except DeepSeekError as error:
            return error
        finally:
            assert self._client.statistics().in_flight == 0

    def close(self) -> None:
        async def close() -> None:
            await self._client.aclose()
            await self._proxy.__aexit__(None, None, None)
            await self._server.__aexit__(None, None, None)

        self._runner.run(close())


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Everything on loopback, once for the module."""
    with asyncio.Runner() as runner:
        stage = Stage(runner)
        yield stage
        stage.close()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    number=st.integers(0, len(QUESTIONS) - 1),
    way=st.sampled_from(("whole", "iterated", "drained")),
    faults=st.lists(FAULTS, min_size=1, max_size=2),
)
def test_exact_or_honest(stage: Stage, number: int, way: str, faults: list[Fault]) -> None:
    """No fault and no pair of faults yields a wrong answer, a lost prefix, or an error of another library."""
    outcome = stage.play(number, way, faults)
    expected = stage.expected[number]
    if isinstance(outcome, DeepSeekError):
        is_spoilt = any(fault.kind not in ("none", "split", "comments") for fault in faults)
        assert is_spoilt or isinstance(outcome, APITimeoutError)  # a busy machine may be slower than the deadline
        check_partial(outcome, expected)
    else:
        assert outcome == expected
        assert outcome.complete


@pytest.mark.parametrize("way", ["iterated", "drained", "whole"])
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_break_at_every_kind_of_place(stage: Stage, kind: str, way: str) -> None:
    """In the head, between head and body, in and between events, in the last: both attempts break there."""
    expected = stage.expected[0]
    for at in (0, 1, 50, 170, 200, 230, 300, 400, 555, 800, 1500, 3000, 6000):
        outcome = stage.play(0, way, [Fault(kind, at)] * 2)
        if isinstance(outcome, DeepSeekError):
            check_partial(outcome, expected)
        else:
            assert outcome == expected


def test_the_faults_bite(stage: Stage) -> None:
    """The proxy is no bystander: a cut inside the text ends in the error, with some of the text and not all of it."""
    outcome = stage.play(0, "iterated", [Fault("cut", 3000)])
    assert isinstance(outcome, StreamInterruptedError)
    assert outcome.partial is not None
    assert 0 < len(outcome.partial.text) < len(stage.expected[0].text)
    assert isinstance(stage.play(0, "iterated", [Fault("stall", 3000)]), APITimeoutError)
    assert isinstance(stage.play(0, "whole", [Fault("shorter", 0, 9)] * 2), DeepSeekError)
    assert stage.play(0, "iterated", [Fault("reset", 0), Fault("comments")]) == stage.expected[0]
