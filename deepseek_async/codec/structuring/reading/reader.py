"""Plain data → values of a type: what fits is made, and of what does not every place is named.

Two forms of data are read: the plain one, and the one of strict tools, whose schema has neither optional keys nor
objects of any keys nor tuples; see `strict`.
"""

from __future__ import annotations

from typing import Any

from ..kinds import kinds_of
from ..nodes import (
    Array,
    AsSaid,
    Checked,
    Either,
    Foreign,
    Node,
    Noted,
    Object,
    Places,
    Plan,
    Reference,
    Table,
)
from ..problems import Path, Problem, outside_of_size, said, type_said, words_of
from ..unions import Choosing
from .digits import forgotten
from .keys import key_reader
from .scalars import READERS
from .strict_form import from_pairs, restoring
from .values import WRONG, Read, Wrong, made, made_object, refused


class Reader:
    """Reads the data of one plan, in one of the two forms."""

    def __init__(self, plan: Plan, *, is_strict: bool = False) -> None:
        self._plan = plan
        self._is_strict = is_strict
        self._of_definitions: dict[str, Read] = {}
        self._root = self._of(plan.root)

    def read(self, data: Any) -> tuple[Any, Wrong]:
        """The value, and nothing wrong; or `WRONG`, and what is."""
        wrong: Wrong = []
        try:
            value = self._root(data, None, wrong)
        except RecursionError:
            return WRONG, [Problem(None, "nested too deeply")]
        return (WRONG if wrong else value), wrong

    def read_node(self, node: Node, data: Any) -> tuple[Any, Wrong]:
        """The same for one node of the plan."""
        wrong: Wrong = []
        value = self._of(node)(data, None, wrong)
        return (WRONG if wrong else value), wrong

    # -- one node ----------------------------------------------------------------------------------------------------

    def _of(self, node: Node) -> Read:
        if isinstance(node, Reference):
            return self._of_reference(node.name)
        if isinstance(node, Noted):
            return self._of(node.node)
        if isinstance(node, Array):
            return self._array(node)
        if isinstance(node, Places):
            return self._places_of_strict(node) if self._is_strict else self._places(node)
        if isinstance(node, Table):
            return self._table(node)
        if isinstance(node, Object):
            return self._object(node)
        if isinstance(node, Either):
            return self._either(node)
        if isinstance(node, Checked):
            return self._checked(node)
        if isinstance(node, AsSaid):
            return self._as_said(node)
        if isinstance(node, Foreign) and self._is_strict:
            return restoring(node)
        return READERS[type(node)](node)

    def _of_reference(self, name: str) -> Read:
        if name not in self._of_definitions:
            # What refers to itself is asked for before it is made.
            self._of_definitions[name] = lambda data, path, wrong: self._of_definitions[name](data, path, wrong)
            self._of_definitions[name] = self._of(self._plan.definitions[name])
        return self._of_definitions[name]

    def _checked(self, node: Checked) -> Read:
        read = self._of(node.node)

        def read_checked(data: Any, path: Path, wrong: Wrong) -> Any:
            value = read(data, path, wrong)
            if value is WRONG:
                return WRONG
            for check in node.checks:
                try:
                    words = check(value)
                except Exception as error:  # whatever the caller's predicate raises
                    return refused(wrong, path, words_of(error), error)
                if words:
                    return refused(wrong, path, words)
            return value

        return read_checked

    def _as_said(self, node: AsSaid) -> Read:
        read = self._of(node.node)

        def read_as_said(data: Any, path: Path, wrong: Wrong) -> Any:
            return WRONG if read(data, path, wrong) is WRONG else forgotten(data)

        return read_as_said

    # -- arrays ------------------------------------------------------------------------------------------------------

    def _array(self, node: Array) -> Read:
        read, make = self._of(node.item), node.make

        def read_array(data: Any, path: Path, wrong: Wrong) -> Any:
            if not isinstance(data, list):
                return refused(wrong, path, f"expected an array, got {type_said(data)}")
            before = len(wrong)
            if size := outside_of_size(len(data), node.bounds, "items"):
                refused(wrong, path, f"expected {size}")
            items = [read(item, (path, index), wrong) for index, item in enumerate(data)]
            if len(wrong) > before:
                return WRONG
            if make is list:
                return items
            try:
                array = make(items)
            except Exception as error:  # an item that cannot be hashed, or whatever the caller's class raises
                return refused(wrong, path, words_of(error), error)
            if node.is_unique and len(array) != len(items):
                return refused(wrong, path, "expected items that differ, and some come twice")
            return array

        return read_array

    def _places(self, node: Places) -> Read:
        reads = [self._of(place.node) for place in node.places]
        rest = self._of(node.rest) if node.rest is not None else None
        most = None if rest is not None else len(reads)

        def read_places(data: Any, path: Path, wrong: Wrong) -> Any:
            if not isinstance(data, list):
                return refused(wrong, path, f"expected an array, got {type_said(data)}")
            before = len(wrong)
            if len(data) < node.required or (most is not None and len(data) > most):
                count = f"{node.required}" if most == node.required else f"{node.required} to {most}"
                words = f"at least {node.required}" if most is None else count
                refused(wrong, path, f"expected {words} items, got {len(data)}")
            items = []
            for index, item in enumerate(data):
                read = reads[index] if index < len(reads) else rest
                if read is not None:
                    items.append(read(item, (path, index), wrong))
            return WRONG if len(wrong) > before else made(node.make, items, path, wrong)

        return read_places

    def _places_of_strict(self, node: Places) -> Read:
        reads = [self._of(place.node) for place in node.places]
        keys = [place.name or str(index) for index, place in enumerate(node.places)]

        def read_places(data: Any, path: Path, wrong: Wrong) -> Any:
            if not isinstance(data, dict):
                return refused(wrong, path, f"expected an object, got {type_said(data)}")
            before, items = len(wrong), []
            for index, (key, read) in enumerate(zip(keys, reads, strict=True)):
                if data.get(key) is None and index >= node.required:
                    break
                if key in data:
                    items.append(read(data[key], (path, key), wrong))
                else:
                    refused(wrong, (path, key), "required field missing")
            return WRONG if len(wrong) > before else made(node.make, items, path, wrong)

        return read_places

    # -- objects -----------------------------------------------------------------------------------------------------

    def _table(self, node: Table) -> Read:
        read_key, read_value = key_reader(self._plan, node.key, self._of), self._of(node.value)

        is_null_missing = self._is_strict and "null" not in kinds_of(self._plan, node.value)

        def read_table(data: Any, path: Path, wrong: Wrong) -> Any:
            if self._is_strict and isinstance(data, list):
                data = from_pairs(data, path, wrong)
            elif is_null_missing and isinstance(data, dict):  # its keys are constants: null stands for a missing one
                data = {key: item for key, item in data.items() if item is not None}
            if not isinstance(data, dict):
                return refused(wrong, path, f"expected an object, got {type_said(data)}")
            before, table = len(wrong), {}
            if size := outside_of_size(len(data), node.bounds, "keys"):
                refused(wrong, path, f"expected {size}")
            for key, item in data.items():
                read_one = read_key(key, (path, key), wrong)
                value = read_value(item, (path, key), wrong)
                if read_one is not WRONG:
                    table[read_one] = value
            if len(wrong) == before and len(table) != len(data):
                refused(wrong, path, "expected keys that differ, and one stands there twice")
            if len(wrong) > before:
                return WRONG
            return table if node.make is dict else made(node.make, table, path, wrong)

        return read_table

    def _object(self, node: Object) -> Read:
        reads = [(one.key, one.argument, one.is_required, self._of(one.node)) for one in node.properties]
        keys = frozenset(one.key for one in node.properties)
        nullable = {one.key for one in node.properties if "null" in kinds_of(self._plan, one.node)}
        rest = self._of(node.rest) if node.rest is not None else None
        is_strict = self._is_strict

        def read_object(data: Any, path: Path, wrong: Wrong) -> Any:
            if not isinstance(data, dict):
                return refused(wrong, path, f"expected an object, got {type_said(data)}")
            before = len(wrong)
            given: dict[str, Any] = {}
            for key, argument, is_required, read in reads:
                if key in data:
                    item = data[key]
                    if is_strict and item is None and not is_required and key not in nullable:
                        continue
                    value = read(item, (path, key), wrong)
                    if argument:
                        given[argument] = value
                elif is_required:
                    refused(wrong, (path, key), "required field missing")
            if node.is_closed or rest is not None:
                for key in data.keys() - keys:
                    if rest is not None:
                        given[key] = rest(data[key], (path, key), wrong)
                    else:
                        refused(wrong, (path, key), f"unknown field; known are {', '.join(sorted(keys)) or 'none'}")
            return WRONG if len(wrong) > before else made_object(node, given, path, wrong)

        return read_object

    # -- unions ------------------------------------------------------------------------------------------------------

    def _either(self, node: Either) -> Read:
        choosing = Choosing(self._plan, node, is_strict=self._is_strict)
        reads = [self._of(option) for option in node.options]

        def read_either(data: Any, path: Path, wrong: Wrong) -> Any:
            named = choosing.named_by_tag(data)
            if isinstance(named, str):
                return refused(wrong, (path, choosing.tag), named)
            tries = (named,) if named is not None else choosing.possible(data)
            fitting, problems = [], []
            for index in tries:
                inside: Wrong = []
                value = reads[index](data, path, inside)
                if inside or value is WRONG:
                    problems.append((index, inside))
                else:
                    fitting.append((choosing.distance(index, data), value))
            if fitting:
                return min(fitting, key=lambda entry: entry[0])[1]
            if not problems:
                return refused(wrong, path, f"expected {choosing.expected}, got {said(data)}")
            index, nearest = min(problems, key=lambda entry: (choosing.distance(entry[0], data), len(entry[1])))
            names = " or ".join(choosing.names[index] for index, _ in problems)
            which = f" (as {choosing.names[index]}, the nearest of {names})" if len(problems) > 1 else ""
            wrong.extend(Problem(one.path, one.words + which, one.error) for one in nearest)
            return WRONG

        return read_either
