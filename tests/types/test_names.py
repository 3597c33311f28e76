"""Constructors that tell what there is: of settings, requests, messages, scripts, and what stands in for a network."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import attrs
import msgspec
import pytest

from deepseek_async import (
    AssistantMessage,
    AsyncClient,
    Budget,
    ChatRequest,
    FilePart,
    FunctionDefinition,
    ImagePart,
    InvalidRequestError,
    Price,
    Resume,
    RetryPolicy,
    SystemMessage,
    TextPart,
    Timeouts,
    Tool,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from deepseek_async import testing as for_tests
from deepseek_async.testing import (
    Answer,
    Call,
    Cut,
    Recorder,
    RecordOnce,
    Replayer,
    SandboxServer,
    Script,
    ScriptedTransport,
    Stall,
    read_script,
)
from deepseek_async.types import FunctionCall, ImageURL, TextRequest

FAULTS = [
    found for name in for_tests.__all__ if isinstance(found := getattr(for_tests, name), type(Script))
]  # and Call, and Script
CLASSES = [
    *(Timeouts, RetryPolicy, Resume, Budget, Price, ChatRequest, TextRequest, SystemMessage, UserMessage),
    *(AssistantMessage, ToolMessage, TextPart, ImagePart, ImageURL, FilePart, Tool, FunctionDefinition, ToolCall),
    *(FunctionCall, Usage, SandboxServer, Answer, ScriptedTransport, Recorder, RecordOnce, Replayer, *FAULTS),
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(cls: Any) -> None:
    """And with the one that is near, if one is; what stands first is what was meant by it."""
    names = [name for name in inspect.signature(cls).parameters if not name.startswith("_")]
    with pytest.raises(TypeError) as caught:
        cls(no_such_thing=1)
    wanted = ", ".join(names)
    assert str(caught.value) == f"{cls.__name__} has no 'no_such_thing'; it has {wanted}"
    for name in names:
        with pytest.raises(TypeError) as caught:
            cls(**{f"{name}s": 1}) if f"{name}s" not in names else cls(**{f"{name}_": 1})
        assert "(did you mean" in str(caught.value)
    with pytest.raises(TypeError, match=rf"^{cls.__name__} takes "):
        cls(*range(len(names) + 1))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Timeouts(5), "Timeouts takes nothing without a name; by name: connect, first_chunk, idle, total"),
        (lambda: Budget(5), "Budget takes nothing without a name; by name: max_cost, max_tokens, "),
        (lambda: Resume(3), "Resume takes nothing without a name; by name: on, attempts"),
        (lambda: Cut(400), "Cut takes nothing without a name; by name: before, after_chunk, at_byte"),
        (lambda: SandboxServer(8000), "SandboxServer takes nothing without a name; by name: host, port, "),
        (lambda: UserMessage("a", "b", "c"), "UserMessage takes content, name without a name; by name: role"),
        (lambda: Price(1, 2, 3, 4), "Price takes at most 3 values: cache_hit, cache_miss, output"),
        (lambda: Timeouts(conect=5), "Timeouts has no 'conect' (did you mean connect?); it has connect, "),
        (lambda: Script(sey="x"), "Script has no 'sey' (did you mean say?); it has say, think, calls, "),
        (lambda: Script(text="x"), "Script has no 'text'; it has say, think, calls, "),
        (lambda: Call(nam="x"), "Call has no 'nam' (did you mean name?); it has name, arguments, id"),
        (lambda: Stall(1, after_chunks=2), "Stall has no 'after_chunks' (did you mean after_chunk?); "),
    ],
)
def test_what_is_told(make: Any, told: str) -> None:
    """One number without a name could be any of several: which one is meant must be said."""
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value).startswith(told)


def test_settings_as_mappings_tell_the_same() -> None:
    """Of a client, and of a call; with where the name stands."""
    client = AsyncClient("k")
    for given, told in (
        ({"timeouts": {"conect": 5}}, "timeouts: conect is unknown (did you mean connect?); allowed: connect, "),
        ({"retry": {"attempt": 5}}, "retry: attempt is unknown (did you mean attempts?); allowed: attempts, "),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            client.with_options(**given)
        assert caught.value.message.startswith(told)
        assert caught.value.parameter in ("timeouts.conect", "retry.attempt")
    with pytest.raises(InvalidRequestError, match=r"^ChatRequest: modell is unknown \(did you mean model\?\)"):
        ChatRequest.from_dict({"modell": "m", "messages": [{"role": "user", "content": "Hi"}]})
    with pytest.raises(ValueError, match=r"^script: there is no field 'sey'; there are say, .*did you mean say\?"):
        read_script('{"sey": "x"}')


def test_the_constructors_are_what_they_were() -> None:
    """Their signatures, their values, copies, pickles, and JSON that is decoded into them."""
    assert str(inspect.signature(UserMessage)).startswith("(content: 'Content', name: 'str | None' = None, *, role")
    message = UserMessage("a", name="b")
    assert attrs.evolve(message, content="c") == UserMessage("c", "b") != message
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message  # noqa: S301
    timeouts = attrs.evolve(Timeouts(total=3), idle=2)
    assert (timeouts.total, timeouts.idle) == (3, 2)
    assert msgspec.json.decode(b'{"seconds": 2}', type=Stall) == Stall(2) == copy.copy(Stall(2))
    with pytest.raises(TypeError, match="content"):
        UserMessage()
