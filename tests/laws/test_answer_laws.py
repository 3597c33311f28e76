"""The laws of `StreamedAnswer`, whatever happens to it: data cut anywhere, ends, breaks, attempts, seams, a closing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deepseek_async.codec import fold
from deepseek_async.codec.answer import Complete, Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT
from deepseek_async.errors import APIConnectionError, DeepSeekError, ServiceUnavailableError
from deepseek_async.types import ChatCompletion, ChatCompletionChunk

from .telling import PROMPT_TOKENS, STORIES, Story

SCHEDULES = settings(
    max_examples=500, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


class AnswerLaws(RuleBasedStateMachine):
    """One answer, and beside it what is true of it."""

    @initialize(story=STORIES, is_continuable=st.booleans(), data=st.data())
    def begin(self, story: Story, is_continuable: bool, data: st.DataObject) -> None:
        self.story = story
        self.is_continuable = is_continuable
        self.answer: StreamedAnswer[ChatCompletionChunk, ChatCompletion] = StreamedAnswer(
            CHAT, choices=1, is_continuable=is_continuable
        )
        self.taken: list[ChatCompletionChunk] = []
        self.is_drained = self.is_concluded = False
        self.raised: DeepSeekError | None = None
        self.usage_before = 0
        self.start = 0
        self._send(data)

    def _send(self, data: st.DataObject | None) -> None:
        """The server tells a part from where the text stands."""
        at_most, together, self.with_usage = 20, 1, True
        if data is not None:
            at_most, together = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 3))
            self.with_usage = data.draw(st.booleans())
        self.body, self.count, self.reason = self.story.part(
            self.start, at_most=at_most, together=together, with_usage=self.with_usage
        )
        self.fed = 0

    def teardown(self) -> None:
        """Every schedule is played to its end."""
        turns = 0
        while hasattr(self, "answer") and not self.is_concluded:
            turns += 1
            if self.answer.end is None:
                self.answer.receive_data(self.body[self.fed :])
            self._go_on(None, patient=turns < 20)
            self.take(len(self.answer.ready))
            self.what_is_told_is_true()
        self.an_end_stands()

    # -- what comes in -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.answer.end is None)
    @rule(counts=st.lists(st.sampled_from([1, 40, 300, 700, 5000]), min_size=1, max_size=6))
    def feed(self, counts: list[int]) -> None:
        for count in counts:
            self.answer.receive_data(self.body[self.fed : self.fed + count])
            self.fed += count

    @precondition(lambda self: self.answer.end is None)
    @rule(events=st.integers(1, 4))
    def feed_events(self, events: int) -> None:
        for _ in range(events):
            end = self.body.find(b"\n\n", self.fed) + 2
            if end > 1:
                self.answer.receive_data(self.body[self.fed : end])
                self.fed = end

    @precondition(lambda self: self.answer.end is None and self.fed > 20)
    @rule()
    def end_of_bytes(self) -> None:
        self.answer.receive_eof()

    @precondition(lambda self: self.answer.end is None)
    @rule(refused=st.booleans())
    def break_off(self, refused: bool) -> None:
        if refused and self.fed == 0:
            self.answer.receive_refusal(ServiceUnavailableError("busy", status=503))
        else:
            self.answer.receive_break(APIConnectionError("reset"))

    @rule()
    def what_comes_after_the_end_is_ignored(self) -> None:
        if self.answer.end is not None:
            before = self.answer.end, self.answer.snapshot()
            self.answer.receive_data(self.body)
            self.answer.receive_eof()
            self.answer.receive_break(APIConnectionError("later"))
            assert (self.answer.end, self.answer.snapshot()) == before

    # -- what goes out -----------------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 5))
    def take(self, count: int) -> None:
        for _ in range(count):
            if (chunk := self.answer.next_chunk()) is not None:
                self.taken.append(chunk)

    @precondition(lambda self: not self.is_drained)
    @rule(in_earnest=st.integers(0, 4))
    def drain(self, in_earnest: int) -> None:
        if in_earnest:
            return
        self.answer.drain()
        self.is_drained = True

    # -- what is decided ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.answer.end is not None and not self.is_concluded)
    @rule(data=st.data(), patient=st.sampled_from([True, True, True, False]))
    def go_on(self, data: st.DataObject, patient: bool) -> None:
        self._go_on(data, patient=patient)

    def _go_on(self, data: st.DataObject | None, *, patient: bool) -> None:
        answer = self.answer
        self.take(len(answer.ready))
        end = answer.end
        may_continue = self.is_continuable and answer.has_text and len(answer.seams) < 3
        if patient and may_continue and (isinstance(end, Interrupted) or answer.finish_reason == "length"):
            if answer.finish_reason is not None and self.with_usage:
                self.usage_before += PROMPT_TOKENS
            answer.reopen("length" if isinstance(end, Complete) else end.error)  # type: ignore[union-attr]
            self.start = self.story.begin(answer.seams[-1].position)
            self._send(data)
        elif patient and isinstance(end, Interrupted) and not answer.has_shown:
            answer.begin_attempt()
            self._send(data)
        else:
            self.is_concluded = not answer.conclude() or True

    @precondition(lambda self: self.answer.end is None)
    @rule(in_earnest=st.integers(0, 9))
    def close(self, in_earnest: int) -> None:
        if in_earnest:
            return  # it would be the end of most schedules
        self.answer.close(1)
        assert isinstance(self.answer.end, Interrupted)
        self.is_concluded = True
        assert self.answer.next_chunk() is None

    # -- the laws ----------------------------------------------------------------------------------------------------

    @invariant()
    def what_is_told_is_true(self) -> None:
        """What is delivered, and what is seen, is a prefix of the true text; nothing comes twice."""
        if not hasattr(self, "answer"):
            return
        for seen in (fold(self.taken), self.answer.snapshot()):
            if not seen.choices:
                continue
            assert self.story.text().startswith(seen.text), (seen.text, self.story.text())
            tokens = _tokens(seen)
            true = [(token, raw) for token, raw, _ in self.story.tokens]
            assert tokens == true[: len(tokens)]
            assert len(self.story.text(len(tokens))) >= len(seen.text), "text without its tokens"

    @invariant()
    def an_end_stands(self) -> None:
        """A good end is the fold of what was delivered; an error is raised again, with all that arrived."""
        answer = getattr(self, "answer", None)
        if answer is None or not self.is_concluded or answer.ready:
            return
        if isinstance(answer.end, Interrupted):
            with pytest.raises(DeepSeekError) as raised:
                answer.completion()
            assert self.raised in (None, raised.value)
            self.raised = raised.value
            if self.raised.partial is not None:
                assert self.raised.partial == answer.snapshot()
            assert not answer.snapshot().complete
            return
        completion = answer.completion()
        assert completion == answer.snapshot()
        assert completion.complete
        told = self.start + self.count
        assert completion.text == self.story.text(told)
        assert completion.finish_reason == self.reason
        assert _tokens(completion) == [(token, raw) for token, raw, _ in self.story.tokens[:told]]
        usage = self.usage_before + PROMPT_TOKENS * self.with_usage
        assert (completion.usage.prompt_tokens if completion.usage else 0) == usage
        if not self.is_drained:
            assert fold(self.taken).text == completion.text
            assert _tokens(fold(self.taken)) == _tokens(completion)
            silent = [c for c in _choices(self.taken) if not c.delta.content and not c.logprobs and not c.finish_reason]
            assert len(silent) == 1, "the role is told once"


def _tokens(completion: ChatCompletion) -> list[tuple[str, bytes]]:
    logprobs = completion.logprobs
    if logprobs is None:
        return []
    return [(token.token, bytes(token.bytes or ())) for token in logprobs.content or ()]


def _choices(chunks: list[ChatCompletionChunk]) -> list[Any]:
    return [choice for chunk in chunks for choice in chunk.choices]


def test_laws() -> None:
    """Five hundred schedules."""
    run_state_machine_as_test(AnswerLaws, settings=SCHEDULES)


@pytest.mark.soak
def test_laws_for_long() -> None:
    """Twenty thousand."""
    run_state_machine_as_test(AnswerLaws, settings=settings(SCHEDULES, max_examples=20_000))
