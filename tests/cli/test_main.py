"""The entry point."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from deepseek_async import __version__
from deepseek_async.cli import main as entry

from .conftest import COMMAND, Run, Spawn, environment


def test_the_script_is_installed() -> None:
    """``deepseek-async`` leads to `main`."""
    (script,) = entry_points(group="console_scripts", name="deepseek-async")
    assert script.load() is entry.main


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command_and_the_exit_codes(run: Run, option: str) -> None:
    """What there is can be found out by asking."""
    result = run(option)
    assert result.exit_code == 0
    for word in ("chat", "decode", "sandbox", "replay", "models", "balance", "130 stopped by Ctrl-C"):
        assert word in result.stdout


def test_without_arguments_it_shows_the_help(run: Run) -> None:
    """No arguments: no error, but what one could type."""
    assert "Commands" in run().output


def test_the_list_of_commands_says_what_they_say() -> None:
    """Each summary is the first sentence of the command's own help, and each command there can be imported."""
    from deepseek_async.cli.app import COMMANDS, Commands

    group = Commands(name="deepseek-async")
    for name, listed in COMMANDS.items():
        command = group.get_command(None, name)
        first = " ".join((command.help or "").split())
        if name == "chat":  # two sentences of two kinds of use
            assert first.startswith("Ask one question")
        else:
            assert first.startswith(listed.summary), name
        assert command.name == name
    assert group.get_command(None, "no") is None


@pytest.mark.parametrize("columns", [30, 80, 300])
def test_the_help_fits_the_terminal(run: Run, columns: int) -> None:
    """And is no wider than one reads."""
    lines = run("--help", env={"COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= max(50, min(columns, 100))


def test_the_help_loads_next_to_nothing() -> None:
    """Neither what draws, nor a command, nor the library's own parts."""
    heavy = "('rich', 'attrs', 'deepseek_async.errors', 'deepseek_async.cli.chat')"
    code = (
        "import sys; from deepseek_async.cli.app import app\n"
        "try: app(['--help'])\n"
        f"except SystemExit: print(*(name for name in {heavy} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_a_question_loads_nothing_that_nobody_needs() -> None:
    """Neither what reads options that were not given (typer's pydantic), nor what draws tables, Markdown or TOML."""
    heavy = "('pydantic', 'rich.table', 'rich.markdown', 'prompt_toolkit', 'tomllib', 'deepseek_async.batch.run')"
    code = (
        "import sys; from deepseek_async.cli.app import app\n"
        "try: app(['chat', '--sandbox', '--no-thinking', '--model', 'deepseek-flash', 'Say: x'])\n"
        f"except SystemExit: print(*(name for name in {heavy} if name in sys.modules))"
    )
    env = environment(XDG_CONFIG_HOME="/nowhere")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.splitlines() == ["x", ""]


def test_version(run: Run) -> None:
    """One line: the version."""
    assert run("--version").stdout == f"{__version__}\n"


def test_help_loads_no_network_library() -> None:
    """``--help`` is quick because it loads neither aiohttp nor the codec."""
    code = (
        "import sys; from deepseek_async.cli.app import app\n"
        "try: app(['chat', '--help'])\n"
        "except SystemExit: print(*(name for name in ('aiohttp', 'msgspec', 'cattrs') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_one_line_that_says_how_to_install_it(missing: str) -> None:
    """Without the extra the command says so, and exits with 2 as for any wrong use."""
    code = f"import sys; sys.modules['{missing}'] = None; from deepseek_async.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: deepseek-async needs {missing}: pip install 'deepseek_async[cli]'\n"


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    """Exit code 2, and the word that was wrong."""
    result = run("chatt", "Hi")
    assert result.exit_code == 2
    assert "chatt" in result.stderr


def test_a_reader_that_leaves_is_no_error(spawn: Spawn) -> None:
    """``… | head -1``: nothing is said when nobody listens any more, least of all a traceback."""
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
    process = spawn("decode", "--level", "chunks")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(chunk)
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    with pytest.raises(BrokenPipeError):
        for _ in range(10_000):
            process.stdin.write(chunk * 100)
    assert process.stderr.read() == b""
    assert process.wait(20) == 1


def test_a_reader_that_never_reads_is_no_error_either() -> None:
    """Output that fits the buffer fails only at its flush: no message from the interpreter's exit either."""
    done = subprocess.run(
        ["sh", "-c", f"{' '.join(COMMAND)} models --sandbox | true"],
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.stderr == b""
