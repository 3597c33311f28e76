"""The laws of the stream around `StreamedAnswer`: tasks that read, cancel, close and come late, beside a server that
answers, stumbles and falls silent, in any order.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    ChatCompletion,
    ChatCompletionStream,
    DeepSeekError,
    Resume,
    RetryPolicy,
    Timeouts,
)
from deepseek_async.codec import fold
from deepseek_async.hooks import AttemptStarted, Ended, FirstChunk, Record
from deepseek_async.transport import HTTPRequest
from deepseek_async.types import ChatCompletionChunk

from ..leaping import LeapingLoop
from ..wire import HELLO
from .telling import STORIES, Story

SCHEDULES = settings(
    max_examples=500, stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
ENDS = (DeepSeekError, StopAsyncIteration, asyncio.CancelledError, RuntimeError)


class Said:
    """A response, as far as the server has got."""

    def __init__(self, status: int, number: int) -> None:
        self.status = status
        self.headers = {"content-type": "text/event-stream", "x-ds-trace-id": f"trace-{number}"}
        self.is_closed = self.is_at_end = False
        self._steps: deque[bytes | DeepSeekError] = deque()
        self._changed = asyncio.Event()

    def say(self, step: bytes | DeepSeekError) -> None:
        self._steps.append(step)
        self._changed.set()

    async def receive(self) -> bytes:
        while not self._steps:
            if self.is_closed:
                raise APIConnectionError("closed")
            self._changed.clear()
            await self._changed.wait()
        step = self._steps[0]
        if isinstance(step, DeepSeekError):
            raise step
        if step:
            self._steps.popleft()
        else:
            self.is_at_end = True
        return step

    def close(self) -> None:
        self.is_closed = True
        self._changed.set()


class Server:
    """A transport whose server does what the rules say."""

    def __init__(self) -> None:
        self.requests: list[HTTPRequest] = []
        self.responses: list[Said] = []
        self.waiting: asyncio.Future[int | DeepSeekError] | None = None
        self.is_quick = False

    async def send(self, request: HTTPRequest, progress: Any) -> Said:
        assert all(response.is_closed for response in self.responses), "two requests at once"
        assert self.waiting is None or self.waiting.done(), "two requests at once"
        self.requests.append(request)
        progress.connected(reused=False)
        self.waiting = asyncio.get_running_loop().create_future()
        if self.is_quick:
            self.waiting.set_result(200)
        outcome = await self.waiting
        if isinstance(outcome, DeepSeekError):
            raise outcome
        response = Said(outcome, len(self.requests))
        if outcome != 200:
            response.say(b'{"error": {"message": "no"}}')
            response.say(b"")
        self.responses.append(response)
        return response

    async def aclose(self) -> None:
        pass


class StreamLaws(RuleBasedStateMachine):
    """One stream, and beside it what is true of it."""

    @initialize(
        story=STORIES,
        resumes=st.integers(0, 3),
        total=st.sampled_from([None, None, 30.0]),
        at_most=st.integers(1, 8),
        way_out=st.sampled_from(["read", "read", "drop", "close"]),
        is_quick=st.sampled_from([True, True, False]),
    )
    def begin(
        self, story: Story, resumes: int, total: float | None, at_most: int, way_out: str, is_quick: bool
    ) -> None:
        self.loop = LeapingLoop()
        self.story, self.at_most, self.resumes = story, at_most, resumes
        self.server = Server()
        self.server.is_quick = is_quick
        self.records: list[Record] = []
        self.client = AsyncClient(
            base_url="http://localhost:1",
            transport=self.server,
            retry=RetryPolicy(attempts=3, wait_initial=4.0),
            timeouts=Timeouts(first_chunk=100.0, idle=50.0, total=total),
            hooks=[self.records.append],
        )
        resume = Resume(on={"interrupted", "length"}, attempts=resumes) if resumes else None  # type: ignore[arg-type]
        self.stream: ChatCompletionStream | None = self.client.chat.completions.stream(
            model="m", messages=HELLO, resume=resume
        )
        self.tasks: list[asyncio.Task[Any]] = []
        self.chunks: list[ChatCompletionChunk] = []
        self.texts: list[str] = []
        self.error: DeepSeekError | None = None
        self.answer: ChatCompletion | None = None
        self.bodies: dict[int, bytes] = {}
        self.way_out = way_out
        self.is_drained = False  # a `completion()` has begun to read
        self.is_by_chunks = True
        if is_quick:
            self._start(self._next)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    # -- what callers do ---------------------------------------------------------------------------------------------

    def _start(self, ask: Callable[[ChatCompletionStream], Coroutine[Any, Any, Any]]) -> None:
        stream = self.stream
        assert stream is not None
        coroutine = ask(stream)

        async def begin() -> None:
            self.tasks.append(asyncio.ensure_future(coroutine))
            await self._settle()

        self.run(begin())
        self._collect()

    @precondition(lambda self: self.stream is not None and not self.tasks)
    @rule()
    def begin_to_read(self) -> None:
        for _ in range(3):
            if not self.tasks:
                self._start(self._next)

    @precondition(lambda self: self.stream is not None and len(self.tasks) < 3)
    @rule(ways=st.lists(st.sampled_from(["next", "next", "next", "text", "delta", "open", "all"]), max_size=4))
    def read(self, ways: list[str]) -> None:
        for way in ways:
            self.is_by_chunks &= way in ("next", "open", "all")
            self._start(
                {
                    "next": self._next,
                    "text": self._text,
                    "delta": self._delta,
                    "open": self._open,
                    "all": self._all,
                }[way]
            )

    async def _next(self, stream: ChatCompletionStream) -> None:
        chunk = await anext(stream)
        self.chunks.append(chunk)
        self.texts.append(chunk.choices[0].delta.content or "" if chunk.choices else "")

    async def _text(self, stream: ChatCompletionStream) -> None:
        self.texts.append(await anext(stream.text_deltas()))

    async def _delta(self, stream: ChatCompletionStream) -> None:
        self.texts.append((await anext(stream.deltas())).content or "")

    async def _open(self, stream: ChatCompletionStream) -> None:
        await stream.open()

    async def _all(self, stream: ChatCompletionStream) -> None:
        before = self.is_drained
        self.is_drained = True
        try:
            answer = await stream.completion()
        except RuntimeError:
            self.is_drained = before  # refused: it takes nothing from the first reader
            raise
        assert self.answer in (None, answer)
        self.answer = answer

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, 2), in_earnest=st.integers(0, 5))
    def cancel(self, which: int, in_earnest: int) -> None:
        if in_earnest:
            return  # it would be the end of most schedules
        task = self.tasks[which % len(self.tasks)]
        task.cancel()
        self.run(self._settle())
        assert task.done(), "the cancellation was swallowed"
        self._collect()

    @precondition(lambda self: self.stream is not None)
    @rule(in_earnest=st.integers(0, 7))
    def close(self, in_earnest: int) -> None:
        if in_earnest == 0:
            self.run(self.stream.aclose())  # type: ignore[union-attr]
            self._collect()

    @precondition(lambda self: self.stream is not None)
    @rule()
    def look(self) -> None:
        assert self.stream is not None
        seen = self.stream.snapshot()
        assert self.story.text().startswith(seen.text)
        repr(self.stream)

    def _drop(self) -> None:
        """Nobody holds the stream any more: without the collector's help nothing is open, and the hooks know."""
        gc.disable()
        try:
            before = self.stream.request_id if self.stream is not None else None
            self.error = None
            self.stream = None
            self.run(self._settle())
            assert all(response.is_closed for response in self.server.responses)
            assert self.client.statistics().in_flight == 0
            if self.records:
                ended = [record for record in self.records if isinstance(record, Ended)]
                assert len(ended) == 1
                assert ended[0].request_id == before
        finally:
            gc.enable()

    # -- what the server does ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.server.waiting is not None and not self.server.waiting.done())
    @rule(outcome=st.sampled_from([200, 200, 200, 200, 200, 200, 503, 400, "refused"]))
    def answer_the_request(self, outcome: int | str) -> None:
        waiting = self.server.waiting
        if waiting is not None and not waiting.done():
            waiting.set_result(APIConnectionError("refused", during="connect") if isinstance(outcome, str) else outcome)
            self.run(self._settle())
            self._collect()

    @precondition(lambda self: self._response() is not None)
    @rule(counts=st.lists(st.sampled_from([1, 60, 330, 700, 5000]), min_size=1, max_size=4), apart=st.booleans())
    def say_some(self, counts: list[int], apart: bool) -> None:
        self._say(counts, apart=apart)

    def _say(self, counts: list[int], *, apart: bool = False) -> None:
        response = self.server.responses[-1] if self.server.responses else None
        if response is None or response.is_closed or response.status != 200:
            return
        number = len(self.server.requests)
        if number not in self.bodies:
            asked = json.loads(self.server.requests[-1].body or b"{}")["messages"][-1]
            position = len(asked["content"]) if asked.get("prefix") else 0
            start = self.story.begin(position)
            self.bodies[number] = self.story.part(start, at_most=self.at_most, together=2, with_usage=True)[0]
        for count in counts:
            data, self.bodies[number] = self.bodies[number][:count], self.bodies[number][count:]
            if data:
                response.say(data)
            if apart:
                self.run(self._settle())
        self.run(self._settle())
        self._collect()

    def _response(self) -> Said | None:
        response = self.server.responses[-1] if self.server.responses else None
        return response if response is not None and not response.is_closed and response.status == 200 else None

    @precondition(lambda self: self._response() is not None)
    @rule(how=st.sampled_from(["eof", "break"]), in_earnest=st.integers(0, 2))
    def end(self, how: str, in_earnest: int) -> None:
        if in_earnest:
            return
        response = self.server.responses[-1] if self.server.responses else None
        if response is not None and not response.is_closed:
            response.say(b"" if how == "eof" else APIConnectionError("reset"))
            self.run(self._settle())
            self._collect()

    @rule(seconds=st.sampled_from([0.1, 0.1, 5.0, 5.0, 20.0, 70.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))
        self.run(self._settle())
        self._collect()

    # -- the laws ----------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.remove(task)
            if task.cancelled() or (error := task.exception()) is None:
                continue
            assert isinstance(error, ENDS), error
            if isinstance(error, DeepSeekError):
                assert self.error in (None, error), "an error, once raised, is raised again"
                self.error = error
                if isinstance(error.partial, ChatCompletion):
                    assert self.story.text().startswith(error.partial.text)
        assert self.story.text().startswith("".join(self.texts)), "what is delivered is true, and comes once"
        firsts = [record.attempt for record in self.records if isinstance(record, FirstChunk)]
        assert len(set(firsts)) == len(firsts), "one first chunk an attempt"
        started = [record for record in self.records if isinstance(record, AttemptStarted)]
        assert len(started) >= len(self.server.requests)

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            if self.way_out == "drop" and not self.tasks:
                self._drop()
            elif self.way_out == "close" and self.stream is not None:
                self.run(self.stream.aclose())
                self.run(asyncio.sleep(1.0))  # the end of the body behind a whole answer is worth a moment
                self._collect()
                assert not self.tasks, "a reader waits for ever"
            for _ in range(40 if self.stream is not None else 0):
                if not self.tasks:
                    break
                self._serve()
            assert not self.tasks, "a reader is stuck"
            if self.stream is not None:
                self._collect()
                if not self.records:
                    self._at_the_end(self.stream)
                else:
                    self._finish(self.stream)
            if self.records:
                assert sum(isinstance(record, Ended) for record in self.records) == 1, "hooks hear of one end"
            assert self.client.statistics().in_flight == 0
            assert all(response.is_closed for response in self.server.responses)
        finally:
            self.stream = self.error = None
            for task in self.tasks:
                task.cancel()
            self.run(self._settle())
            self.loop.close()

    def _finish(self, stream: ChatCompletionStream) -> None:
        """Tell the rest to whoever is still reading."""
        task = self.loop.create_task(self._read_to_the_end(stream))
        for _ in range(40):
            self.run(self._settle())
            if task.done():
                break
            self._serve()
        assert task.done(), "stuck"
        error = task.exception()
        if error is None:
            self._at_the_end(stream)
        else:
            assert isinstance(error, DeepSeekError), error
            assert self.error in (None, error)
            for again in (stream.open, stream.completion, stream.__anext__):
                with pytest.raises(DeepSeekError) as raised:
                    self.run(again())
                assert raised.value is error

    async def _read_to_the_end(self, stream: ChatCompletionStream) -> None:
        async for chunk in stream:
            self.chunks.append(chunk)
            self.texts.append(chunk.choices[0].delta.content or "" if chunk.choices else "")

    def _serve(self) -> None:
        """Answer, and tell all that is left."""
        if self.server.waiting is not None and not self.server.waiting.done():
            self.server.waiting.set_result(200)
            self.run(self._settle())
        self._say([5000])
        self.run(asyncio.sleep(1.0))
        self._collect()

    def _at_the_end(self, stream: ChatCompletionStream) -> None:
        if not self.records:
            self.run(stream.aclose())
            return
        completion = self.run(stream.completion())
        assert completion == stream.snapshot()
        assert self.answer in (None, completion)
        assert completion.complete
        assert self.story.text().startswith(completion.text)
        tokens = completion.logprobs.content if completion.logprobs else ()
        count = len(tokens or ())
        assert completion.text == self.story.text(count), "as many tokens as there are"
        parts = 1 + len(stream.seams)
        assert completion.usage is None or completion.usage.prompt_tokens <= 10 * parts
        if not self.is_drained:
            assert "".join(self.texts) == completion.text, "nothing is lost"
        if not self.is_drained and self.is_by_chunks:
            delivered = fold(self.chunks)
            assert (delivered.text, delivered.finish_reason) == (completion.text, completion.finish_reason)
            assert len((delivered.logprobs and delivered.logprobs.content) or ()) == count


def test_laws() -> None:
    """Five hundred schedules."""
    run_state_machine_as_test(StreamLaws, settings=SCHEDULES)


def test_closed_while_another_attempt_is_made() -> None:
    """The id that the hooks were told last is the stream's: a schedule in twenty thousand."""
    state = StreamLaws()
    try:
        state.begin(Story((("ab", b"ab", "ab"),)), resumes=1, total=None, at_most=1, way_out="drop", is_quick=False)
        state.begin_to_read()
        state.answer_the_request(outcome=200)
        state.say_some(apart=False, counts=[700])
        state.begin_to_read()
        state.end(how="eof", in_earnest=0)
        state.close(in_earnest=0)
    finally:
        state.teardown()


@pytest.mark.soak
def test_laws_for_long() -> None:
    """Twenty thousand."""
    run_state_machine_as_test(StreamLaws, settings=settings(SCHEDULES, max_examples=20_000))
