"""The layout as a test: imports go down, never sideways, never in a circle, and libraries stay where they belong."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from .imports import PACKAGE, ROOT, folder_of, imports_of, libraries_of, our_imports_of, sources

# What each part of the package may import of the others. `errors` stands below `types`, whose validators raise
# `InvalidRequestError`.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "types": {"errors"},
    "sse": {"errors"},
    "hooks": {"types", "errors"},
    "codec": {"types", "errors", "sse"},
    "policy": {"types", "errors", "hooks"},
    "transport": {"types", "errors"},
    "calls": {"types", "errors", "sse", "hooks", "codec", "policy", "transport"},
    "batch": {"types", "errors", "sse", "hooks", "codec", "policy", "calls"},
    "client": {
        *("types", "errors", "sse", "hooks", "codec", "policy", "transport", "calls", "batch"),
    },
    "sandbox": {"types", "errors"},
    "testing": {"sandbox", "transport"},
}
EVERY_FLOOR = {"", *MAY_IMPORT}
MAY_IMPORT |= {"cli": EVERY_FLOOR, "contrib": EVERY_FLOOR}
EDGES = {"cli", "contrib"}

# Modules with a reason to reach further.
REACHES_FURTHER: dict[str, set[str]] = {
    "deepseek_async.calls.arguments.settings": {""},  # it tells servers the version, which stands in the root
    "deepseek_async.sandbox.server.replay": {"transport"},  # it serves what `transport.recording` wrote down
}

# Other people's packages that a part may use. The edges may use what their extras install.
LIBRARIES: dict[str, set[str]] = {
    "": set(),
    "errors": set(),
    "types": {"attrs", "msgspec"},
    "sse": {"attrs"},
    "hooks": {"attrs"},
    "codec": {"attrs", "cattrs", "msgspec"},
    "policy": {"attrs"},
    "transport": {"attrs", "aiohttp", "msgspec", "multidict", "yarl"},
    "calls": {
        "attrs",
        "anyio",
        "docstring_parser",
        "filetype",
        "msgspec",
        "typing_extensions",
    },  # the last for type checkers alone
    "client": set(),
    "batch": {"attrs", "anyio", "msgspec", "pyarrow", "polars"},  # the last two for Arrow streams and Parquet
    "sandbox": {"attrs", "aiohttp", "msgspec"},
    "testing": set(),
}

# Of the standard library: what would make a pure part impure.
IMPURE = {"asyncio", "socket", "ssl", "selectors", "http", "urllib", "subprocess", "threading", "os", "pathlib", "io"}
NEVER: dict[str, set[str]] = {
    "errors": IMPURE | {"json", "time", "random"},
    "types": IMPURE | {"json", "time", "random"},
    "sse": IMPURE | {"json", "time", "random"},
    "hooks": IMPURE | {"json", "time", "random"},
    "codec": IMPURE | {"time", "random"},
    "policy": IMPURE | {"json", "time", "random"},
}

# A module longer than this hides a seam, unless the reason for keeping it whole is given here.
MAX_LINES = 300
LONGER_FOR_A_REASON: dict[str, str] = {
    "deepseek_async.client": "every setting of a client, with what it means",
    "deepseek_async.calls.stream": "one loop, with all that its caller sees of it",
    "deepseek_async.codec.answer": "one machine: all that a streamed answer can go through",
    "deepseek_async.errors": "the whole error tree on one page",
    "deepseek_async.contrib.otel": "a file of its own for each dependency: spans, metrics and texts by one standard",
}

MODULES = sorted(sources())


def test_every_part_has_its_floor() -> None:
    """A new folder or top module is put on a floor, deliberately, before anything can import it."""
    parts = {folder_of(module) for module in MODULES} - {""}
    assert parts - MAY_IMPORT.keys() == set()


@pytest.mark.parametrize("module", [module for module in MODULES if folder_of(module)])  # the root names every floor
def test_imports_go_down(module: str) -> None:
    """A module imports only parts of the floors below its own, or its own part."""
    part = folder_of(module)
    reached = {folder_of(name) for name in our_imports_of(module)} - {part}
    allowed = MAY_IMPORT[part] | REACHES_FURTHER.get(module, set())
    assert reached <= allowed, f"{module} must not import {sorted(reached - allowed)}"


@pytest.mark.parametrize("module", [module for module in MODULES if folder_of(module) not in EDGES])
def test_libraries_stay_on_their_floors(module: str) -> None:
    """JSON, the network and the clock are known only to the parts whose job they are."""
    part = folder_of(module)
    others = {name for name in libraries_of(module) if name not in sys.stdlib_module_names}
    assert others <= LIBRARIES[part]
    assert not libraries_of(module) & NEVER.get(part, set())


def test_one_module_knows_the_http_client() -> None:
    """aiohttp's client is imported in `transport.network` alone; the sandbox imports its server, and no more."""
    knowing = {module for module in MODULES if "aiohttp" in libraries_of(module) and folder_of(module) != "contrib"}
    others = {module for module in knowing if folder_of(module) != "sandbox"}
    assert others
    assert all(module.startswith(f"{PACKAGE}.transport.network.") for module in others), others
    for module in knowing:
        if folder_of(module) == "sandbox":
            of_aiohttp = {name for name in imports_of(module) if name.split(".")[0] == "aiohttp"}
            assert of_aiohttp <= {"aiohttp", "aiohttp.web", "aiohttp.http_writer", "aiohttp.abc"}, module
            assert "aiohttp.client" not in of_aiohttp


def test_the_network_is_chosen_in_one_place() -> None:
    """Only the client's own module names the network; the calls take any `Transport`."""
    network = f"{PACKAGE}.transport.network"
    choosing = {
        module for module in MODULES if network in our_imports_of(module) and folder_of(module) in ("client", "calls")
    }
    assert choosing == {f"{PACKAGE}.client"}


def test_edges_do_not_know_each_other() -> None:
    """No module outside an edge imports it, and no file of `contrib` imports another."""
    for module in MODULES:
        for name in our_imports_of(module):
            if folder_of(name) in EDGES:
                own_entry = module == name or (folder_of(module) == "cli" and folder_of(name) == "cli")
                assert own_entry or name == f"{PACKAGE}.contrib", f"{module} imports {name}"


def test_there_are_no_circles() -> None:
    """No two modules need each other, not even by way of others, inside a function or for types alone."""
    order = graphlib.TopologicalSorter(
        {module: our_imports_of(module) - {module} for module in MODULES if module != PACKAGE}
    )
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small(module: str) -> None:
    """A module is at most 300 lines long, or there is a reason why not."""
    lines = len(sources()[module].read_text().splitlines())
    assert lines <= MAX_LINES or module in LONGER_FOR_A_REASON, f"{lines} lines: look for the seam"


def test_no_reason_outlives_its_module() -> None:
    """Whoever shortens a module takes its exception away."""
    for module in LONGER_FOR_A_REASON:
        assert len(sources()[module].read_text().splitlines()) > MAX_LINES, module


def test_the_package_is_typed() -> None:
    """Type checkers are told that the annotations count."""
    assert (ROOT / "py.typed").is_file()


# A folder has at most so many entries; what has more hides a seam.
MAX_ENTRIES = 14
# A class that knows more than this is two classes, or its docstring says why it has so many attributes.
MAX_ATTRIBUTES = 12


@cache
def classes() -> list[tuple[str, ast.ClassDef]]:
    """Every class of the package, with its module."""
    return [
        (module, node)
        for module in MODULES
        for node in ast.walk(ast.parse(sources()[module].read_text()))
        if isinstance(node, ast.ClassDef)
    ]


def test_a_class_name_stands_once() -> None:
    """Outside the sandbox, which is another program, a name means one thing."""
    homes: dict[str, list[str]] = {}
    for module, node in classes():
        if folder_of(module) != "sandbox":
            homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_a_class_knows_little_or_says_why() -> None:
    """At most twelve attributes of an instance, in client, calls, codec and batch, or a sentence about them."""
    for module, node in classes():
        if folder_of(module) not in ("client", "calls", "codec", "batch"):
            continue
        known = {
            target.attr
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
            for target in (part,)
            if isinstance(target.value, ast.Name) and target.value.id == "self"
        }
        says_why = re.search(r"attributes? (for|are|is)\b|one attribute", ast.get_docstring(node) or "")
        assert len(known) <= MAX_ATTRIBUTES or says_why, f"{module}.{node.name}: {len(known)} attributes"


MARKERS = {"__init__.py", "py.typed"}


def entries_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in MARKERS and path.name != "__pycache__")


@pytest.mark.parametrize("folder", sorted({path.parent for path in sources().values()}), ids=lambda path: path.name)
def test_rooms_can_be_taken_in_at_a_glance(folder: Path) -> None:
    """At most fourteen things at a room's top; the shell, whose files are commands, may have more."""
    doors = {"testing.py"} if folder == ROOT else set()  # a second way in, to what stands in other rooms
    if folder != ROOT / "cli":
        assert len(set(entries_of(folder)) - doors) <= MAX_ENTRIES, entries_of(folder)


def classes_of(module: str) -> list[ast.ClassDef]:
    return [node for node in ast.walk(ast.parse(sources()[module].read_text())) if isinstance(node, ast.ClassDef)]
