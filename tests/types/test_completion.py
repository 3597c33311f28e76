"""Whole answers and their chunks: conveniences, equality, what is frozen, what pickles."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async import types
from deepseek_async.types import (
    AssistantMessage,
    Balance,
    BalanceInfo,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    FinishReason,
    Model,
    ModelList,
    ParsedChatCompletion,
    TextChoice,
    TextCompletion,
    TokenLogprob,
    ToolCall,
    Usage,
)
from deepseek_async.types.values import NO_EXTRA

ANSWER = ChatCompletion(
    "1",
    5,
    "m",
    (
        Choice(0, AssistantMessage("Hi", "Hm", (ToolCall("c"),)), ChoiceLogprobs((TokenLogprob("Hi", -1.0),)), "stop"),
        Choice(1, AssistantMessage("Ho"), None, "length"),
    ),
    Usage(1, 2, 3),
    extra={"x": 1},
)


def test_the_conveniences_read_choice_0() -> None:
    """Text, reasoning, message, end and logprobs of the first choice."""
    assert (ANSWER.text, ANSWER.reasoning, ANSWER.finish_reason) == ("Hi", "Hm", FinishReason.STOP)
    assert ANSWER.message is ANSWER.choices[0].message
    assert ANSWER.logprobs is ANSWER.choices[0].logprobs


def test_an_answer_without_choices_is_empty_and_no_error() -> None:
    """The conveniences never raise: an answer may be a partial one."""
    empty = ChatCompletion()
    assert (empty.text, empty.reasoning, empty.finish_reason, empty.logprobs) == ("", "", None, None)
    assert empty.message == AssistantMessage()
    assert ChatCompletion(choices=(Choice(),)).text == ""
    assert (TextCompletion().text, TextCompletion().finish_reason) == ("", None)
    assert TextCompletion(choices=(TextChoice("a", finish_reason="stop"),)).finish_reason == "stop"


def test_the_request_id_is_not_compared() -> None:
    """It belongs to the transfer, not to the answer: the law of reassembly holds without it. `complete` is compared."""
    assert attrs.evolve(ANSWER, request_id="a") == attrs.evolve(ANSWER, request_id="b")
    assert attrs.evolve(ANSWER, complete=False) != ANSWER
    assert attrs.evolve(ANSWER, extra={"x": 2}) != ANSWER


@pytest.mark.parametrize("name", [name for name in types.__all__ if isinstance(getattr(types, name), type)])
def test_every_value_is_frozen_and_slotted(name: str) -> None:
    """No value of the package can be changed after it was made, and none has room for names it does not know."""
    cls = getattr(types, name)
    if not attrs.has(cls):
        return  # the constants
    assert cls.__setattr__ is not object.__setattr__
    assert "__dict__" not in dir(cls) or not hasattr(cls.__new__(cls), "__dict__")


VALUES: list[Any] = [
    ANSWER,
    ChatCompletionChunk("1", choices=(ChunkChoice(0, Delta("assistant", "Hi"), None, None),), extra={"x": [1]}),
    TextCompletion("1", choices=(TextChoice("a"),)),
    ModelList(data=(Model("m", effort={"default_level": "high"}),)),
    Balance(True, (BalanceInfo("USD", Decimal("1.50")),)),
    ParsedChatCompletion({"a": 1}, ANSWER, 2, Usage(1, 2, 3)),
    ChatCompletion(),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_pickle_and_copy(value: Any) -> None:
    """A value survives a process border, and the shared empty mapping stays one object."""
    for again in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value), copy.copy(value)):  # noqa: S301
        assert again == value
        if getattr(value, "extra", None) is NO_EXTRA:
            assert again.extra is NO_EXTRA
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.extra = {}


def test_equal_values_hash_alike() -> None:
    """Values can be keys; mappings in them are left out of the hash, not of the comparison."""
    assert hash(ANSWER) == hash(copy.deepcopy(ANSWER))
    assert hash(attrs.evolve(ANSWER, extra={"y": {}})) == hash(ANSWER)
    assert len({ANSWER, copy.deepcopy(ANSWER)}) == 1


def test_the_shared_empty_mapping_cannot_be_filled() -> None:
    """Every value without unknown fields shares it; a write would be seen by all."""
    extra: Any = ChatCompletion().extra
    assert extra == {}
    for write in (
        lambda: extra.__setitem__("a", 1),
        lambda: extra.update(a=1),
        lambda: extra.setdefault("a", 1),
        lambda: extra.pop("a", None),
        extra.popitem,
        extra.clear,
        lambda: extra.__delitem__("a"),
        lambda: extra.__ior__({"a": 1}),
    ):
        with pytest.raises(TypeError, match="evolve"):
            write()
    assert ChatCompletion().extra == {}


def test_unknown_fields_are_named_in_a_repr_and_not_shown() -> None:
    """They may hold anything, large things too."""
    assert "extra={'x': …}" in repr(ANSWER)
    assert repr(ChatCompletion()) == "ChatCompletion()"


def test_a_list_of_models_is_a_sequence_of_them() -> None:
    """It can be looped over and counted."""
    models = ModelList(data=(Model("a"), Model("b")))
    assert [model.id for model in models] == ["a", "b"]
    assert len(models) == 2
