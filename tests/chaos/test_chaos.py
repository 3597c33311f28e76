"""Whatever a network does, the caller has the exact completion, or a typed error with a true prefix of it.

``CHAOS_SEED`` draws others; ``CHAOS_EXAMPLES`` more of them.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random

import attrs
import pytest
from hypothesis import HealthCheck, example, given, note, seed, settings
from hypothesis import strategies as st

from deepseek_async import AsyncClient
from deepseek_async.sandbox import SandboxServer

from ..byte_server import open_files
from ..driving import settled
from ..examples import examples
from .asking import WAYS, Question, Truth, Verdict, Way, ask, draw_question
from .faults import End, Ending, Framed, Plan, Wait, Write, draw_plan, played
from .proxy import Proxy

SEED = int(os.environ.get("CHAOS_SEED", "20261123"))
EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "200"))


@attrs.frozen
class Place:
    """Where the examples take place: one loop, server, proxy and client for them all, so that what one leaves in the
    pool meets the next."""

    runner: asyncio.Runner
    client: AsyncClient
    proxy: Proxy
    truth: Truth
    plans: deque[Plan]
    verdicts: Counter[str] = attrs.field(factory=Counter)

    def ask(self, question: Question, plans: list[Plan], *, is_quiet: bool = True) -> Verdict:
        """Ask once, and see that nothing untrue came, that nothing is left open, and that no error came for nothing.

        Args:
            is_quiet: Whether the machine does nothing else, so that a deadline tells of a fault.
        """

        async def run() -> Verdict:
            self.plans.clear()
            self.plans.extend(plans)
            verdict = await ask(self.client, question, await self.truth.of(question))
            self.verdicts[verdict] += 1
            await settled()
            figures = self.client.statistics()
            assert (figures.in_flight, figures.waiting_for_connection) == (0, 0)
            if all(plan.is_harmless for plan in plans) and question.way != "closed":
                assert verdict in ("exact", "given up") or (verdict == "late" and not is_quiet)
            return verdict

        return self.runner.run(run())


@asynccontextmanager
async def opened(runner: asyncio.Runner) -> AsyncIterator[Place]:
    plans: deque[Plan] = deque()
    async with (
        SandboxServer(prefix_cache=False, keep_requests=1) as server,
        Proxy(server.base_url, lambda: plans.popleft() if plans else Plan()) as proxy,
    ):
        async with AsyncClient(base_url=server.base_url) as direct, AsyncClient(base_url=proxy.base_url) as client:
            yield Place(runner, client, proxy, Truth(direct), plans)
        await proxy.all_closed()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """After all the examples, as many files and tasks are open as before."""
    files = open_files()
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))  # the loop's own files
        opening = opened(runner)
        place = runner.run(opening.__aenter__())
        yield place
        runner.run(opening.__aexit__(None, None, None))
        runner.run(settled())
        assert not asyncio.all_tasks(runner.get_loop())
    print(f"chaos: seed {SEED}, {dict(place.verdicts)}, {place.proxy.requests} requests")
    assert open_files() == files


EVERYWHERE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


PLANS = st.builds(
    Plan,
    refuse=st.sampled_from(["none", "none", "none", "close", "reset"]),
    ending=st.sampled_from(["none", "none", "close", "reset", "stall"]),
    ends_at=st.floats(0, 1),
    ends_in_form=st.one_of(st.none(), st.none(), st.integers(0, 8)),
    lie=st.sampled_from([0, 0, 0, -9, -1, 1, 40]),
    lies_about=st.integers(0, 5),
    comments=st.lists(st.integers(0, 20), max_size=4).map(tuple),
    cuts=st.integers(0, 300),
    pauses=st.integers(0, 1),
    pause=st.sampled_from([0.002, 0.04]),
    seed=st.integers(0, 1000),
)


@settings(EVERYWHERE, max_examples=examples(50), derandomize=True)
@given(
    number=st.integers(0, 20),
    way=st.sampled_from(WAYS),
    at=st.integers(0, 12),
    plans=st.lists(PLANS, min_size=1, max_size=2),
)
def test_exact_or_honest(place: Place, number: int, way: Way, at: int, plans: list[Plan]) -> None:
    """No fault and no pair of faults yields a wrong answer, a lost prefix, or an error of another library."""
    place.ask(Question(number, way, at, attempts=len(plans)), plans, is_quiet=False)


@pytest.mark.parametrize("way", ["chunks", "drained", "whole"])
@pytest.mark.parametrize("ending", ["close", "reset"])
def test_a_break_at_every_kind_of_place(place: Place, ending: Ending, way: Way) -> None:
    """In the head, between head and body, in and between events, in the last: both attempts break there."""
    for share in (0.0, 0.0005, 0.02, 0.04, 0.06, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99):
        place.ask(Question(0, way, attempts=2), [Plan(ending=ending, ends_at=share)] * 2, is_quiet=False)


def test_the_faults_bite(place: Place) -> None:
    """The proxy is no bystander: what it does to an answer is what the caller sees."""
    assert place.ask(Question(0, "chunks"), [Plan(ending="close", ends_at=0.5)]) == "error"
    assert place.ask(Question(0, "chunks"), [Plan(ending="stall", ends_at=0.5)]) == "late"
    assert place.ask(Question(0, "chunks"), [Plan(ends_in_form=1)]) == "error"
    assert place.ask(Question(0, "whole", attempts=2), [Plan(lie=-9)] * 2) == "error"
    assert place.ask(Question(0, "chunks", attempts=2), [Plan(refuse="reset")], is_quiet=False) in ("exact", "late")


@pytest.mark.soak  # a quarter of a second is patience on a quiet machine only
@seed(SEED)
@EVERYWHERE
@given(randomness=st.randoms(use_true_random=True))
def test_nothing_untrue_is_ever_told(place: Place, randomness: Random) -> None:
    """Any plan for each attempt, any way of reading."""
    question = draw_question(randomness, variety=40)
    plans = [draw_plan(randomness, stalls=randomness.random() < 0.1) for _ in range(question.attempts)]
    note(repr((question, plans)))
    place.ask(question, plans)


@pytest.mark.soak  # a quarter of a second is patience on a quiet machine only
@seed(SEED)
@settings(EVERYWHERE, max_examples=max(40, EXAMPLES // 4))
@given(st.data())
def test_any_one_fault(place: Place, data: st.DataObject) -> None:
    """Drawn field by field, so that what fails shrinks to the least that does."""
    question = Question(data.draw(st.integers(0, 20)), data.draw(st.sampled_from(WAYS)), data.draw(st.integers(0, 12)))
    plan = Plan(
        ending=data.draw(st.sampled_from(["none", "close", "reset"])),
        ends_at=data.draw(st.floats(0, 1)),
        lie=data.draw(st.sampled_from([0, 0, -1, 1, 2, 50])),
        lies_about=data.draw(st.integers(0, 5)),
        comments=tuple(data.draw(st.lists(st.integers(0, 20), max_size=4))),
        cuts=data.draw(st.integers(0, 300)),
        seed=data.draw(st.integers(0, 1000)),
    )
    place.ask(question, [plan])


@pytest.mark.soak  # a quarter of a second is patience on a quiet machine only
@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("ending", ["close", "reset"])
def test_any_byte(place: Place, number: int, ending: Ending) -> None:
    """One short answer, cut off again and again, a prime number of bytes later: in the head, the framing, the text."""
    short = next(n for n in range(number * 50, 10_000) if Question(n, "chunks").parameters["max_tokens"] == 1)
    length = place.runner.run(_length(place, short))
    for at in range(number, length, 13):
        place.ask(Question(short, "chunks"), [Plan(ending=ending, ends_at=at / length)])
    assert length > 500


async def _length(place: Place, number: int) -> int:
    """How many bytes an answer takes on the wire."""
    seen: list[int] = []
    ask_server = place.proxy._ask

    async def watched(request: bytes) -> Framed:
        answer = await ask_server(request)
        seen.append(sum(len(step.data) for step in played(answer, Plan()) if isinstance(step, Write)))
        return answer

    place.proxy._ask = watched  # type: ignore[method-assign]
    question = Question(number, "chunks")
    await ask(place.client, question, await place.truth.of(question))
    place.proxy._ask = ask_server  # type: ignore[method-assign]
    return seen[0]


# -- the proxy itself --------------------------------------------------------------------------------------------------

ANSWER = Framed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", (b"data: 1\n\n", b"data: 2\n\n"), True)
WHOLE = Framed(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", (b"hello",), False)


def wire(answer: Framed, plan: Plan) -> bytes:
    return b"".join(step.data for step in played(answer, plan) if isinstance(step, Write))


def test_without_a_plan_nothing_is_changed() -> None:
    """The bytes are those of the server."""
    assert wire(ANSWER, Plan()) == ANSWER.head + b"9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"
    assert wire(WHOLE, Plan()) == WHOLE.head + b"hello"


@given(cuts=st.integers(0, 50), pauses=st.integers(0, 3), place=st.integers(0, 99))
def test_cuts_and_pauses_change_no_byte(cuts: int, pauses: int, place: int) -> None:
    """Only the writes are others."""
    steps = list(played(ANSWER, Plan(cuts=cuts, pauses=pauses, seed=place)))
    assert b"".join(step.data for step in steps if isinstance(step, Write)) == wire(ANSWER, Plan())
    assert sum(isinstance(step, Wait) for step in steps) <= pauses


def test_each_fault_does_what_it_says() -> None:
    """Else the chaos would be calm."""
    assert list(played(ANSWER, Plan(ending="reset", ends_at=0.0))) == [End("reset")]
    half = list(played(ANSWER, Plan(ending="close", ends_at=0.5)))
    assert half[-1] == End("close")
    assert wire(ANSWER, Plan()).startswith(wire(ANSWER, Plan(ending="close", ends_at=0.5)))
    assert wire(ANSWER, Plan(ends_in_form=1)) == ANSWER.head + b"9\r\ndata: 1\n\n\r\n0\r\n\r\n"
    assert b"b\r\ndata: 2\n\n\r\n" in wire(ANSWER, Plan(lie=2, lies_about=1))
    assert b"content-length: 4" in wire(WHOLE, Plan(lie=-1))
    assert b":\n" in wire(ANSWER, Plan(comments=(1,)))
    assert list(played(ANSWER, Plan(lie=1)))[-1] == End("close")


def test_the_same_seed_draws_the_same() -> None:
    """What failed once can be looked at again; and half of the plans harm nothing."""
    plans = [draw_plan(Random(number)) for number in range(400)]
    assert plans == [draw_plan(Random(number)) for number in range(400)]
    assert 100 < sum(plan.is_harmless for plan in plans) < 250
    assert {plan.refuse for plan in plans} == {plan.ending for plan in plans} == {"none", "close", "reset", "stall"}


@example(Random(1))
@given(st.randoms(use_true_random=True))
def test_every_way_is_drawn(random: Random) -> None:
    """A question is one of the ways, and the same each time it is looked at."""
    question = draw_question(random, variety=10)
    assert question.way in WAYS
    assert question.parameters == question.parameters
