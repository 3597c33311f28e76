"""A type is tried before anything is paid for: with a value made from its own schema."""

from __future__ import annotations

import math
import re
from typing import Any

from ...errors import InvalidRequestError
from .nodes import (
    Anything,
    Array,
    AsSaid,
    Bits,
    Boolean,
    Checked,
    Constants,
    Either,
    Foreign,
    Formatted,
    Integer,
    Node,
    Noted,
    Null,
    Number,
    Object,
    Places,
    Plan,
    Reference,
    String,
    Table,
)
from .overlap import every_node
from .problems import outside, words_of
from .reading import Reader
from .reading.keys import key_text
from .unions import name_in_words

# What a class raises that no answer would suit; a ValueError speaks of the value, which is only a sample.
_OF_THE_CLASS = (TypeError, AttributeError, NameError, NotImplementedError, RecursionError)
_MADE = (Array, Object, Places, Table)
_TEXTS = ("", "a", "A", "0", "1", "aa", "abc", "ABC", "2026", "12345", "a-b", "a_b", "a@example.com", "aB1")


class NoValueError(Exception):
    """No value is of the type: one that needs itself, a bound above another."""


class NoSampleError(Exception):
    """There may be values, and none is found here: of a pattern, say."""


def try_out(plan: Plan, reader: Reader) -> None:
    """Read a sample of everything in a plan that the caller's classes make.

    Raises:
        InvalidRequestError: A class cannot be made of its own fields, or no value is of the type.
    """
    sampler = _Sampler(plan)
    try:
        sampler.sample(plan.root)
    except NoValueError as error:
        raise _refusal(plan, str(error)) from None
    except NoSampleError:
        pass
    for node in every_node(plan):
        if not isinstance(node, _MADE):
            continue
        try:
            data = sampler.sample(node)
        except (NoValueError, NoSampleError):
            continue
        _, wrong = reader.read_node(node, data)
        for problem in wrong:
            if isinstance(problem.error, _OF_THE_CLASS):
                name = name_in_words(plan, node)
                words = f"{name} cannot be made of what JSON says of it: {words_of(problem.error)}"
                raise _refusal(plan, words) from None


def _refusal(plan: Plan, words: str) -> InvalidRequestError:
    return InvalidRequestError("response_type", plan.name or None, f"a type that JSON can say ({words})")


class _Sampler:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._within: set[str] = set()

    def sample(self, node: Node) -> Any:
        """Plain data of a type, small. Raises `NoValueError`, `NoSampleError`."""
        if isinstance(node, Reference):
            if node.name in self._within:
                raise NoValueError(f"{node.name} needs itself, so that no value ends")
            self._within.add(node.name)
            try:
                return self.sample(self._plan.definitions[node.name])
            finally:
                self._within.discard(node.name)
        if isinstance(node, Noted):
            for example in node.notes.get("examples", ()):
                return example
            return self.sample(node.node)
        if isinstance(node, (AsSaid, Checked)):
            return self.sample(node.node)
        return _SAMPLES[type(node)](self, node)

    def array(self, node: Array) -> Any:
        count = node.bounds.min_length or 0
        if count == 0 and node.bounds.max_length != 0:
            try:
                return [self.sample(node.item)]
            except (NoValueError, NoSampleError):
                return []
        if node.bounds.max_length is not None and node.bounds.max_length < count:
            raise NoValueError(f"at least {count} and at most {node.bounds.max_length} items")
        if node.is_unique and count > 1:
            raise NoSampleError
        return [self.sample(node.item)] * count if count else []

    def places(self, node: Places) -> Any:
        return [self.sample(place.node) for place in node.places[: node.required]]

    def table(self, node: Table) -> Any:
        if (node.bounds.min_length or 0) > 1:
            raise NoSampleError
        try:
            key = self.sample(node.key)
            return {key if isinstance(key, str) else key_text(key): self.sample(node.value)}
        except (NoValueError, NoSampleError):
            if node.bounds.min_length:
                raise
            return {}

    def object(self, node: Object) -> Any:
        data = {}
        for one in node.properties:
            try:
                data[one.key] = self.sample(one.node)
            except (NoValueError, NoSampleError):
                if one.is_required:
                    raise
        return data

    def either(self, node: Either) -> Any:
        reasons: list[Exception] = []
        for option in node.options:
            try:
                return self.sample(option)
            except (NoValueError, NoSampleError) as error:
                reasons.append(error)
        raise next((reason for reason in reasons if isinstance(reason, NoSampleError)), reasons[0])


def _number(node: Integer | Number) -> Any:
    bounds = node.bounds
    step = bounds.multiple_of or 1
    low = bounds.ge if bounds.ge is not None else bounds.gt
    high = bounds.le if bounds.le is not None else bounds.lt
    if low is not None and high is not None and low > high:
        raise NoValueError(f"a number of at least {low} and at most {high}")
    start = low if low is not None else high if high is not None else 0
    base = math.floor(start / step)
    tries: list[Any] = [(base + offset) * step for offset in (0, 1, 2, -1, -2)]
    if isinstance(node, Number):
        tries += [start, (low + high) / 2 if low is not None and high is not None else start]
    for value in tries:
        if not outside(value, bounds) and (isinstance(node, Number) or value == int(value)):
            return value
    if isinstance(node, Integer) and low is not None and high is not None and high - low < 2:
        raise NoValueError(f"no integer is between {low} and {high}")
    raise NoSampleError


def _string(node: String) -> str:
    bounds = node.bounds
    least, most = bounds.min_length or 0, bounds.max_length
    if most is not None and most < least:
        raise NoValueError(f"a text of at least {least} and at most {most} characters")
    for text in (*_TEXTS, "a" * least):
        fits = len(text) >= least and (most is None or len(text) <= most)
        if fits and all(re.search(pattern, text) for pattern in bounds.patterns):
            return text
    raise NoSampleError


def _formatted(node: Formatted) -> str:
    if outside(node.format.read(node.format.example), node.bounds) or node.bounds.min_length or node.bounds.max_length:
        raise NoSampleError
    return node.format.example


def _unsampled(_: Foreign) -> Any:
    raise NoSampleError


_SAMPLES: dict[type, Any] = {
    Anything: lambda *_: None,
    Null: lambda *_: None,
    Boolean: lambda *_: True,
    Integer: lambda _, node: _number(node),
    Number: lambda _, node: _number(node),
    String: lambda _, node: _string(node),
    Formatted: lambda _, node: _formatted(node),
    Constants: lambda _, node: node.entries[0][0],
    Bits: lambda _, node: node.mask & -node.mask,
    Foreign: lambda _, node: _unsampled(node),
    Array: _Sampler.array,
    Places: _Sampler.places,
    Table: _Sampler.table,
    Object: _Sampler.object,
    Either: _Sampler.either,
}
