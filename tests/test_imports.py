"""What an import costs and what it brings in, seen from fresh interpreters."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
from operator import truediv
from pathlib import Path
from statistics import median

import pytest

import deepseek_async

from .imports import PACKAGE, sources


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the fresh interpreters of this module keep their bytecode, as an installed package has its own."""
    return tmp_path_factory.mktemp("bytecode")


def run(code: str, bytecode: Path) -> str:
    """What a program prints, in an interpreter that inherits no tracer and has warnings as errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_"))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement: str, bytecode: Path) -> set[str]:
    """The modules that a statement leaves loaded."""
    return set(run(f"import sys\n{statement}\nprint(*sys.modules)", bytecode).split())


@pytest.mark.parametrize("depth", [1, pytest.param(9, marks=pytest.mark.soak)])
def test_every_module_can_be_imported_first(depth: int, bytecode: Path) -> None:
    """Whichever part a program begins with, it loads: no order among them is taken for granted.

    Each is imported in a process of its own that has loaded the libraries and nothing of the package. Usually these
    are the folders and modules at the root: that what lies deeper has no circles, `test_architecture` sees without
    running anything.
    """
    names = [name for name in sources() if name.count(".") <= depth and not name.endswith("__main__")]
    report = run(
        f"""
        import importlib, json, os, sys, traceback, warnings
        import aiohttp.web, anyio, attrs, cattrs, msgspec

        def failure(name):
            read, write = os.pipe()
            if child := os.fork():
                os.close(write)
                with os.fdopen(read) as pipe:
                    said = pipe.read()
                os.waitpid(child, 0)
                return said
            try:
                assert not [loaded for loaded in sys.modules if loaded.startswith("{PACKAGE}")]
                importlib.import_module(name)
                said = ""
            except ModuleNotFoundError as error:  # an edge without its extra
                is_extra = name.startswith("{PACKAGE}.contrib") and not error.name.startswith("{PACKAGE}")
                said = "" if is_extra else traceback.format_exc()
            except BaseException:
                said = traceback.format_exc()
            os.write(write, said[-1000:].encode())
            os._exit(0)

        print(json.dumps({{name: said for name in {names!r} if (said := failure(name))}}))
        """,
        bytecode,
    )
    assert json.loads(report) == {}


def test_the_root_is_lazy(bytecode: Path) -> None:
    """`import deepseek_async` loads no library, not even an event loop; a name's first use loads what it needs."""
    heavy = {"aiohttp", "anyio", "attr", "attrs", "msgspec", "cattrs", "asyncio", "json", "ssl", "socket"}
    assert not loaded_by("import deepseek_async", bytecode) & heavy
    assert not loaded_by("import deepseek_async; dir(deepseek_async); deepseek_async.__all__", bytecode) & heavy
    of_errors = loaded_by("from deepseek_async import RateLimitError", bytecode)
    assert "deepseek_async.errors" in of_errors
    assert not of_errors & heavy


def test_the_core_loads_no_network(bytecode: Path) -> None:
    """The parser needs no event loop and no network; the codec needs msgspec besides, and still neither of them."""
    network = {"aiohttp", "anyio", "asyncio", "ssl", "socket", "http.client"}
    parser = loaded_by("import deepseek_async.sse; deepseek_async.sse.Decoder()", bytecode)
    assert not parser & (network | {"msgspec", "cattrs", "json"})
    codec = loaded_by("from deepseek_async.codec import fold; fold([])", bytecode)
    assert "msgspec" in codec
    assert not codec & (network | {"cattrs"})


def test_the_client_loads_only_what_every_call_needs(bytecode: Path) -> None:
    """No server, no command line, no stand-in for the network, and no cattrs before there is something to convert."""
    loaded = loaded_by("from deepseek_async import AsyncClient; AsyncClient('k')", bytecode)
    assert "aiohttp" in loaded
    unneeded = {"aiohttp.web", "cattrs", "typer", "rich", "uvloop", "importlib.metadata"}
    unneeded |= {f"{PACKAGE}.{part}" for part in ("sandbox", "cli", "batch", "contrib")}
    unneeded |= {f"{PACKAGE}.transport.{part}" for part in ("scripted", "recording", "form", "network.form")}
    assert not loaded & unneeded


LATER = {
    "files, models, the account": (
        "calls.resources",
        "calls.arguments.uploads",
        "codec.reading.account",
        "types.account",
    ),
    "fill in the middle": ("calls.resources.completions", "types.requests.text_request"),
    "budgets and prices": ("policy.spending", "policy.metering", "types.prices"),
    "continued answers": ("policy.resume", "calls.streams.resumption"),
    "figures, for those who ask": ("calls.watching.statistics",),
    "refusals and failures": ("codec.failures", "calls.streams.concealment"),
    "answers that are odd": (
        "codec.reading.lenient",
        "codec.reading.quirks.translations",
        "codec.reading.shapes.lessons",
    ),
    "values as documents": ("codec.documents", "codec.structuring", "codec.unstructuring"),
    "tools, types, conversations": ("calls.tools", "calls.conversation", "calls.parsing.asking"),
}


def test_what_some_programs_need_is_loaded_when_they_need_it(bytecode: Path) -> None:
    """A client that is made has what every chat needs: the rest comes with its first use, and then it is there."""
    loaded = loaded_by("from deepseek_async import AsyncClient; AsyncClient('k')", bytecode)
    early = {what: found for what, parts in LATER.items() if (found := loaded & {f"{PACKAGE}.{p}" for p in parts})}
    assert not early
    assert all(f"{PACKAGE}.{part}" in sources() for parts in LATER.values() for part in parts)
    later = """
    from deepseek_async import AsyncClient
    client = AsyncClient("k")
    assert client.files is client.files and client.models is client.models and client.user is client.user
    assert client.completions is client.completions and client.statistics().calls == 0
    other = client.with_options(timeout=1)
    assert other.files is not client.files and other.files is other.files
    import deepseek_async.types
    assert all(getattr(deepseek_async.types, name) is not None for name in deepseek_async.types.__all__)
    """
    run(later, bytecode)


def test_what_an_import_leaves_is_among_the_old(bytecode: Path) -> None:
    """The collector is as it was: on, nothing frozen; what is imported is not looked through again among the young."""
    told = run(
        """
        import gc
        from deepseek_async import AsyncClient
        print(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects(0)) + len(gc.get_objects(1)) < 1000)
        """,
        bytecode,
    )
    assert told.split() == ["True", "0", "True"]
    told = run(
        """
        import gc
        gc.freeze()
        frozen = gc.get_freeze_count()
        from deepseek_async import run_batch
        print(gc.get_freeze_count() > 0.9 * frozen > 0)
        """,
        bytecode,
    )
    assert told.split() == ["True"], "what a program has frozen stays so"
    told = run("import gc; gc.disable()\nfrom deepseek_async import fold\nprint(gc.isenabled())", bytecode)
    assert told.split() == ["False"]


COST = """
import time
began = time.process_time()
{statement}
print(time.process_time() - began)
"""


def test_the_client_costs_little_more_than_its_network_library(bytecode: Path) -> None:
    """`from deepseek_async import AsyncClient` takes at most 1.3 times the CPU of `import aiohttp`.

    Measured in fresh interpreters, in turns; of each the least, since noise only adds, or, where it never stops, the
    median of the turns' ratios. A few rounds are enough on a quiet machine; a noisy one gets more.
    """
    statements = {"aiohttp": "import aiohttp", "ours": "from deepseek_async import AsyncClient"}
    for statement in statements.values():
        run(statement, bytecode)  # writes the bytecode
    seconds: dict[str, list[float]] = {name: [] for name in statements}
    for done in range(1, 16):
        for name, statement in statements.items():
            seconds[name].append(float(run(COST.format(statement=statement), bytecode)))
        ours, theirs = min(seconds["ours"]), min(seconds["aiohttp"])
        ratio = min(ours / theirs, median(map(truediv, seconds["ours"], seconds["aiohttp"])))
        if done >= 3 and ratio <= 1.3:
            break
    print(f"importing the client: {ours:.3f} s of CPU, {ratio:.2f} × aiohttp's {theirs:.3f} s")
    assert ratio <= 1.3


def test_every_public_name_resolves() -> None:
    """Each name of `__all__` is there, is listed by `dir`, and an unknown one is refused as by any module."""
    for name in deepseek_async.__all__:
        assert getattr(deepseek_async, name) is not None
    assert set(deepseek_async.__all__) <= set(dir(deepseek_async))
    assert deepseek_async.__all__ == sorted(set(deepseek_async.__all__))
    with pytest.raises(AttributeError, match="no attribute 'AsynClient'"):
        deepseek_async.AsynClient  # noqa: B018
    with pytest.raises(ImportError):
        exec("from deepseek_async import nothing_of_that_name")  # noqa: S102


def test_a_star_import_brings_all_names() -> None:
    """`from deepseek_async import *` gives every public name, and nothing else."""
    names: dict[str, object] = {}
    exec("from deepseek_async import *", names)  # noqa: S102
    names.pop("__builtins__")
    assert set(names) == set(deepseek_async.__all__)
    assert names["AsyncClient"] is deepseek_async.AsyncClient


def test_the_lazy_names_are_the_typed_names() -> None:
    """What a type checker is told of the root (under `TYPE_CHECKING`) is what is loaded, name for name."""
    tree = ast.parse(sources()[PACKAGE].read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    typed = {alias.asname: f"{PACKAGE}.{node.module}" for node in imports for alias in node.names}
    assert set(typed) == set(deepseek_async.__all__)
    for name, home in typed.items():
        assert name is not None
        __import__(home)
        assert getattr(sys.modules[home], name) is getattr(deepseek_async, name)


def test_every_name_of_every_all_resolves() -> None:
    """A part's `__all__` names what is there."""
    for part in ("sse", "codec", "types", "errors", "hooks", "transport", "sandbox"):
        module = __import__(f"{PACKAGE}.{part}", fromlist=["*"])
        for name in module.__all__:
            assert getattr(module, name) is not None, f"{part}.{name}"
        assert set(module.__all__) <= set(dir(module))
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            module.nothing  # noqa: B018
