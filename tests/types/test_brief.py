"""A repr is a line that can be read, whatever the value holds, and it never fails."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepseek_async
import deepseek_async.batch.estimate
import deepseek_async.calls.tools.events
import deepseek_async.types.tokens.columns
import deepseek_async.types.tokens.words
from deepseek_async import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    ChatRequest,
    Choice,
    ChoiceLogprobs,
    DeepSeekError,
    Delta,
    StreamInterruptedError,
    TokenLogprob,
    ToolCall,
    TopLogprob,
    Usage,
    UserMessage,
)
from deepseek_async.codec.reading.responses import completion_from_json
from deepseek_async.types import ChunkChoice, FunctionCall
from deepseek_async.types.secrecy import Secret
from deepseek_async.types.structs.deferring import Deferrable
from deepseek_async.types.values import NO_EXTRA, Brief

for _name in deepseek_async.__all__:
    getattr(deepseek_async, _name)


def _kinds(cls: type) -> list[type]:
    return [kind for one in cls.__subclasses__() for kind in (one, *_kinds(one))]


KINDS = sorted(
    {kind for kind in _kinds(Brief) if kind.__module__.startswith("deepseek_async.") and attrs.has(kind)},
    key=lambda kind: (kind.__module__, kind.__name__),
)


class Broken:
    """Something of the caller's whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Lengthy:
    """Something of the caller's whose repr is long."""

    def __repr__(self) -> str:
        return "x" * 100_000


def put(value: Any, name: str, item: Any) -> None:
    if isinstance(value, msgspec.Struct):
        msgspec.structs.force_setattr(value, name, item)
    else:
        object.__setattr__(value, name, item)


def anything(random: Random, depth: int = 0) -> Any:
    """What may stand in a field, in an ``extra``, or in a caller's schema."""
    some = random.choices("ab \n\0'\"\\é雨🌍\ud800\u202e", k=random.randint(0, 9))
    text = "".join(some) * random.choice((1, 1, 9, 5000))
    match random.randint(0, 9 if depth < 3 else 5):
        case 0 | 1 | 2:
            return text
        case 3:
            return random.choice((None, True, 0, -1.5, float("nan"), 2**70, 10**5000))
        case 4:
            return random.choice((b"\0" * 9000, Usage, Broken(), Lengthy(), Secret("s" * 5000)))
        case 5:
            return random.choice(((), [], {}, NO_EXTRA))
        case 6:
            return value_of(random, random.choice(KINDS), depth + 1)
        case 7:
            return {f"{text}{number}": anything(random, depth + 1) for number in range(random.randint(1, 3))}
        case kind:
            items = [anything(random, depth + 1) for _ in range(random.randint(1, 3))] * random.choice((1, 300))
            return tuple(items) if kind == 8 else items


def value_of(random: Random, kind: type, depth: int = 0) -> Any:
    """A value with anything in any of its fields; of some, nothing is there yet."""
    value = kind.__new__(kind)
    for field in attrs.fields(kind):  # type: ignore[arg-type]
        if random.random() < 0.7:
            put(value, field.name, anything(random, depth))
    return value


def test_there_are_values_to_look_at() -> None:
    """What a user meets is among them, the values in msgspec's layout too."""
    met = {
        ChatCompletion,
        ChatCompletionChunk,
        Delta,
        TokenLogprob,
        ChatRequest,
        UserMessage,
        deepseek_async.BatchReport,
    }
    assert met | {deepseek_async.Succeeded, deepseek_async.ParsedChatCompletion} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_class_has_a_repr_of_its_own(kind: type) -> None:
    """Whoever adds a class says ``repr=False``; else attrs writes a repr without a limit."""
    assert kind.__repr__ is Brief.__repr__
    assert repr(kind.__new__(kind)).startswith(f"{kind.__name__}(")


@pytest.mark.parametrize("name", deepseek_async.__all__)
def test_what_is_half_made_has_a_repr(name: str) -> None:
    """A debugger that stops inside ``__init__`` shows it."""
    kind = getattr(deepseek_async, name)
    if isinstance(kind, type) and not getattr(kind, "_is_protocol", False):
        assert name in repr(kind.__new__(kind))


def test_settings_and_figures_show_all() -> None:
    """What somebody left as it was is a setting, too."""
    assert "attempts=3" in repr(deepseek_async.RetryPolicy())
    assert "idle=120.0" in repr(deepseek_async.Timeouts(total=9))
    assert "in_flight=0" in repr(deepseek_async.Statistics())
    assert repr(AssistantMessage()) == "AssistantMessage()"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_whatever_it_holds(kind: type, seed: int) -> None:
    """Under 1,000 characters, on one line, and no exception."""
    text = repr(value_of(Random(seed), kind))
    assert len(text) < 1000
    assert text.startswith(f"{kind.__name__}(")
    assert "\n" not in text
    assert "sss" not in text


def answer() -> ChatCompletion:
    call = ToolCall("call-1", function=FunctionCall("look_up", '{"place": "' + "x" * 5000 + '"}'))
    tokens = tuple(TokenLogprob(" sky", -0.1, top_logprobs=(TopLogprob(" sea", -1.0),) * 20) for _ in range(16_000))
    message = AssistantMessage("The sky is blue. " * 5000, "Why is it blue? " * 5000, (call,) * 128)
    choice = Choice(
        0, message, ChoiceLogprobs(tokens, tokens), "tool_calls", extra={f"field {n}": n for n in range(10_000)}
    )
    return ChatCompletion(
        "id", 1, "deepseek-flash", (choice,) * 8, Usage(10, 20, 30), "fp", extra={"y" * 9000: "z" * 10**6}
    )


def test_an_answer_is_read_at_a_glance() -> None:
    """Who answered, how it begins, why it ended, what it cost; how much there is of the rest."""
    text = repr(answer())
    assert len(text) < 1000
    for shown in (
        "'deepseek-flash'",
        "'The sky is blue.",
        "'Why is it blue?",
        "look_up",
        "16,000 tokens",
        "tool_calls",
        "7 more",
    ):
        assert shown in text, shown
    assert "total_tokens=30" in text
    short = ChatCompletion("1", 2, "m", (Choice(0, AssistantMessage("Yes."), None, "stop"),))
    assert repr(short) == (
        "ChatCompletion(id='1', created=2, model='m', "
        "choices=(Choice(message=AssistantMessage(content='Yes.'), finish_reason='stop'),))"
    )


def test_chunks_and_what_errors_carry() -> None:
    """They hold the same values."""
    error = StreamInterruptedError("cut", partial=answer())
    assert len(repr(error.partial)) < 1000
    delta = Delta(content="x" * 100_000, logprobs=answer().logprobs)
    chunk = ChatCompletionChunk(choices=(ChunkChoice(delta=delta),) * 500)
    assert len(repr(chunk)) < 1000
    assert "<100,000 characters: 'xxx" in repr(chunk)
    assert len(repr(deepseek_async.Failed("row-1", None, DeepSeekError("m" * 9000)))) < 1000


def test_a_report_of_a_long_run(tmp_path: Any) -> None:
    """Thousands of ids are counted."""
    report = deepseek_async.BatchReport(output=tmp_path / "out.jsonl", unfinished=tuple(map(str, range(5000))))
    assert len(repr(report)) < 1000
    assert "more" in repr(report)


def test_values_that_fail_when_they_are_looked_at() -> None:
    """Deferred ones are made by the first look."""

    def fail() -> ChoiceLogprobs:
        raise DeepSeekError("not what it seemed")

    assert issubclass(ChoiceLogprobs, Deferrable)
    assert repr(ChoiceLogprobs.deferred(fail)).startswith("ChoiceLogprobs(content=…")


def test_data_that_holds_itself() -> None:
    """A schema or an ``extra`` of the caller's may be anything."""
    schema: dict[str, Any] = {}
    schema["itself"] = schema
    request = ChatRequest(
        model="m", messages=[UserMessage("Hi")], response_format={"type": "json_schema", "schema": schema}
    )
    assert len(repr(request)) < 1000


def test_prompts_show_by_their_size() -> None:
    """What an assistant said shows how it begins; what was asked does not show."""
    assert (
        repr(AssistantMessage("Blue, because air scatters it."))
        == "AssistantMessage(content='Blue, because air scatters it.')"
    )
    assert repr(UserMessage("Why is the sky blue?")) == "UserMessage(content=<20 characters>)"
    read = completion_from_json(b'{"choices": [{"message": {"content": "Blue."}}], "secret_field": "prompt"}')
    assert "'secret_field': …" in repr(read)
