"""``deepseek-async chat``."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from deepseek_async.codec import completion_from_json
from deepseek_async.sandbox import Call, Cut, EarlyEnd, InBandError, KeepAlives, Refuse, SandboxServer, Script

from .conftest import Run, Spawn
from .terminal import painted, run_in_own_terminal, run_in_terminal

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def ask(run: Run, server: SandboxServer) -> Run:
    """``chat`` against the running server."""
    return lambda *arguments, **options: run("chat", "--base-url", server.base_url, *arguments, **options)


def test_stdout_holds_the_answer_and_nothing_else(ask: Run, server: SandboxServer) -> None:
    """In a pipe: the text, a line end, no word more; all that belongs to it besides is on stderr."""
    server.script(Script(say=["It is ", "blue, ", "mostly."], think="Hm."))
    result = ask("Why?")
    assert (result.exit_code, result.stdout) == (0, "It is blue, mostly.\n")
    assert result.stderr == "Hm.\n"


def test_an_answer_that_ends_its_line_gets_no_second_line_end(ask: Run, server: SandboxServer) -> None:
    """The text is not changed beyond the line end that it lacks."""
    server.script(Script(say="one\ntwo\n"))
    assert ask("Why?", "--no-thinking").stdout == "one\ntwo\n"


def test_every_option_reaches_the_server(ask: Run, server: SandboxServer) -> None:
    """What is typed is what is sent, under the wire's names; what is not typed is not sent."""
    ask(
        *("Why?", "--system", "Be short.", "--model", "deepseek-chat", "--temperature", "0.5", "--top-p", "0.9"),
        *("--max-tokens", "7", "--stop", "one", "--stop", "two", "--seed", "3", "--top-logprobs", "2", "--thinking"),
    )
    assert server.requests[-1].json == {
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Why?"}],
        "model": "deepseek-chat",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["one", "two"],
        "seed": 3,
        "logprobs": True,
        "top_logprobs": 2,
        "thinking": {"type": "enabled"},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    ask("Why?")
    assert server.requests[-1].json == {
        "messages": [{"role": "user", "content": "Why?"}],
        "model": "deepseek-flash",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("arguments", [("-",), ()])
def test_the_prompt_may_come_from_stdin(ask: Run, server: SandboxServer, arguments: tuple[str, ...]) -> None:
    """Piped in, with all its lines but without the last line end."""
    assert ask(*arguments, stdin="Über\nzwei Zeilen\n".encode()).exit_code == 0
    assert server.requests[-1].json["messages"][0]["content"] == "Über\nzwei Zeilen"


@pytest.mark.parametrize(("stdin", "said"), [(b"\n", "stdin is empty"), (b"ab\xff", "not UTF-8 at byte 2")])
def test_a_stdin_that_holds_no_prompt_is_wrong_usage(ask: Run, stdin: bytes, said: str) -> None:
    """Exit code 2, and what is the matter."""
    result = ask(stdin=stdin)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_embedded_server_is_as_good_as_any(run: Run, server: SandboxServer) -> None:
    """``--sandbox`` needs no key and no address; a seed makes the answer repeatable, streamed or not."""
    arguments = ("chat", "--sandbox", "Why is the sky blue?", "--seed", "5", "--no-thinking", "--max-tokens", "30")
    streamed, whole = run(*arguments), run(*arguments, "--no-stream")
    assert streamed.exit_code == 0
    assert len(streamed.stdout) > 30
    assert streamed.stdout == whole.stdout


def test_the_embedded_server_does_not_see_the_users_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key stays where it is, and a proxy of the machine's is not asked."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen = []
    start = SandboxServer.__aenter__

    async def watched(self: SandboxServer) -> SandboxServer:
        seen.append(self)
        return await start(self)

    monkeypatch.setattr(SandboxServer, "__aenter__", watched)
    assert run("chat", "--sandbox", "Hi", "--max-tokens", "2").exit_code == 0
    (request,) = seen[0].requests
    assert request.headers["Authorization"] == "Bearer sandbox"


def test_json_is_the_whole_completion(ask: Run) -> None:
    """``--json``: one line that reads back as the completion, the same streamed or not."""
    arguments = ("--json", "--seed", "8", "--max-tokens", "40", "--logprobs", "Why?")
    streamed, whole = ask(*arguments), ask(*arguments, "--no-stream")
    (line,) = streamed.stdout.splitlines()
    completion = completion_from_json(line.encode())
    assert completion.complete
    assert completion.logprobs is not None
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 40
    assert completion == completion_from_json(whole.stdout.encode())


def test_logprobs_end_with_a_table_of_the_tokens(ask: Run) -> None:
    """Each token on a line: number, itself, bytes, probability, what else was likely; in a pipe on stderr."""
    result = ask("--seed", "5", "--no-thinking", "--max-tokens", "6", "--logprobs", "Why is the sky blue?")
    text = result.stdout.removesuffix("\n")
    _, _, table = result.stderr.partition("answer: 6 tokens, perplexity ")
    lines = table.splitlines()[:8]
    assert lines[1].split() == ["#", "token", "bytes", "probability", "alternatives"]
    tokens = [re.match(r' *(\d+)  "(.*?)" +([0-9a-f ]+?)  +(.*?) ?%  +"', line) for line in lines[2:]]
    spelled = b"".join(bytes.fromhex(token[3]) for token in tokens if token)
    assert spelled.decode() == text
    assert all(line == line.rstrip() for line in lines)


def test_reasoning_has_a_table_of_its_own(ask: Run, server: SandboxServer) -> None:
    """Both channels' tokens are listed, told apart by their headings."""
    server.script(Script(think="First this.", say="Then that."))
    result = ask("--logprobs", "Why?")
    assert re.search(r"^reasoning: \d+ tokens", result.stderr, re.M)
    assert re.search(r"^answer: \d+ tokens", result.stderr, re.M)
    assert result.stdout == "Then that.\n"


def test_an_answer_cut_by_its_limit_is_not_passed_over(ask: Run) -> None:
    """The text is all there is to be had; that it is not the whole answer is said on stderr."""
    result = ask("--max-tokens", "3", "--no-thinking", "--seed", "1", "Why?")
    assert result.exit_code == 0
    assert "cut at --max-tokens" in result.stderr


@pytest.mark.parametrize("fault", [Cut(before="last_chunk"), EarlyEnd(before="last_chunk"), InBandError()])
def test_a_stream_that_ends_badly(ask: Run, server: SandboxServer, fault: Cut | EarlyEnd | InBandError) -> None:
    """What arrived is printed, then one line says that it is incomplete and why; exit code 1."""
    server.script(Script(say=["Half an ", "answer"], faults=(fault,)))
    result = ask("--no-thinking", "Why?")
    assert (result.exit_code, result.stdout) == (1, "Half an answer\n")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: the ")
    assert "what arrived is incomplete (14 characters)" in line


@pytest.mark.parametrize("arguments", [(), ("--no-stream",)])
def test_json_of_an_answer_that_ends_badly_says_so(ask: Run, server: SandboxServer, arguments: tuple[str, ...]) -> None:
    """The partial completion, marked: a script that ignores the exit code still sees ``complete``."""
    for _ in range(3):  # it is asked again: nothing has been shown
        server.script(Script(say=["Half an ", "answer"], finish_reason="aborted"))
    result = ask("--no-thinking", "--json", *arguments, "Why?")
    assert result.exit_code == 1
    printed = json.loads(result.stdout)
    assert printed["complete"] is False
    assert printed["choices"][0]["message"]["content"] == "Half an answer"


@pytest.mark.parametrize(
    ("status", "said"), [(401, "DEEPSEEK_API_KEY"), (402, "top up"), (400, "bad\tworse"), (404, "--base-url")]
)
def test_a_refusal_is_one_line_that_says_what_to_do(ask: Run, server: SandboxServer, status: int, said: str) -> None:
    """No traceback, no second line, whatever the server wrote."""
    server.script(Script(faults=(Refuse(status=status, message="It is\nbad\tworse \x1b[31m"),)))
    result = ask("Why?")
    (line,) = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert line.startswith("error: ")
    assert "It is bad worse" in line
    assert "\x1b" not in line
    if status != 400:
        assert said in line


def test_without_a_key_it_says_where_to_put_one(run: Run) -> None:
    """Wrong usage rather than a failure: nothing was sent."""
    result = run("chat", "Hi")
    assert result.exit_code == 2
    assert result.stderr == "error: no API key; set DEEPSEEK_API_KEY, or add --sandbox to try it without one\n"


def test_no_server_there(run: Run) -> None:
    """The address, and what to try instead."""
    result = run("chat", "--base-url", "http://127.0.0.1:9", "Hi")
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert "127.0.0.1:9" in line
    assert "--sandbox" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--temperature", "4"), "--temperature is 4.0; allowed: 0 to 2"),
        (("--top-p", "-1"), "--top-p is -1.0; allowed: 0 to 1"),
        (("--top-logprobs", "21"), "--top-logprobs is 21; allowed: 0 to 20"),
        (("--max-tokens", "0"), "--max-tokens is 0; allowed: 1 to"),
        (("--base-url", "nowhere"), "--base-url is 'nowhere'; allowed: an http"),
        (("--seed", "x"), "seed"),
        (("--sandbox", "--base-url", "http://localhost:1"), "--base-url"),
        (("two", "prompts"), "two: no such file; a question of several words stands in quotes"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, and the option with what it allows."""
    base = () if "--base-url" in arguments else ("--base-url", "http://127.0.0.1:9")
    result = run("chat", "Hi", *base, *arguments)
    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.stderr.replace("│", ""))


def test_a_lone_surrogate_is_wrong_usage(spawn: Spawn) -> None:
    """A prompt of bytes that are no text reaches nobody."""
    process = spawn("chat", "--base-url", "http://127.0.0.1:9", b"ab\xff")
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (2, b"")
    assert stderr.startswith(b"error: messages[0].content")
    assert stderr.count(b"\n") == 1


def test_ctrl_c_keeps_what_arrived(spawn: Spawn, server: SandboxServer) -> None:
    """Exit code 130, the text so far on stdout, one line on stderr."""
    server.script(Script(say=["Half an ", *["answer "] * 500], rate=50.0))
    process = spawn("chat", "--base-url", server.base_url, "--no-thinking", "Why?")
    assert process.stdout is not None
    assert process.stdout.read(8) == b"Half an "
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stdout.endswith(b"\n")
    assert stderr == b"stopped; the answer is incomplete\n"


class TestTerminal:
    """What a person sees."""

    def test_lines_break_between_words(self, server: SandboxServer) -> None:
        """Words that come in pieces stay whole at the edge, and nothing is lost."""
        pieces = ["The quick bro", "wn fo", "x jum", "ps over the la", "zy dog. ", "Extraordin", "arily", "!"]
        server.script(Script(say=pieces))
        code, written = run_in_terminal("chat", "--base-url", server.base_url, "--no-thinking", "Why?", columns=24)
        assert code == 0
        assert painted(written, 24)[:3] == ["The quick brown fox", "jumps over the lazy", "dog. Extraordinarily!"]

    def test_tokens_have_colours_and_the_table_fits(self, server: SandboxServer) -> None:
        """With ``--logprobs``, colours and a table no line of which is wider than the terminal."""
        arguments = ("chat", "--base-url", server.base_url, "--no-thinking", "--max-tokens", "30", "--logprobs", "Hi")
        for columns in (40, 80, 120):
            code, written = run_in_terminal(*arguments, columns=columns)
            lines = painted(written, columns)
            heading = next(number for number, line in enumerate(lines) if line.startswith("answer: 30 tokens"))
            assert code == 0
            assert "\x1b[38;2;" in written
            assert all(re.match(r" ?\d", line) for line in lines[heading + 2 : heading + 32])
            assert ("━" in written) == (columns >= 90)

    def test_reasoning_is_dimmed_and_apart(self, server: SandboxServer) -> None:
        """A blank line stands between the reasoning and the answer."""
        server.script(Script(think=["Let ", "me see."], say="Yes."))
        _, written = run_in_terminal("chat", "--base-url", server.base_url, "Why?")
        assert painted(written, 80)[:3] == ["Let me see.", "", "Yes."]
        assert written.count("\x1b[2;3m") == 5  # dim and italic: every piece of the reasoning, and no other

    @pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
    def test_no_colours_where_none_are_wanted(self, server: SandboxServer, variable: str, value: str) -> None:
        """NO_COLOR and dumb terminals are heeded."""
        arguments = ("chat", "--base-url", server.base_url, "--no-thinking", "--max-tokens", "5", "--logprobs", "Hi")
        _, written = run_in_terminal(*arguments, env={variable: value})
        assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|9[0-7])[;m]", written)
        assert "answer: 5 tokens" in _CODES.sub("", written)

    def test_what_a_model_says_does_not_steer_the_terminal(self, ask: Run, server: SandboxServer) -> None:
        """Control characters are shown as pictures; in a pipe they go through as they are."""
        server.script(Script(say="a\x1b[2Jb\x07c"), times=3)
        arguments = ("chat", "--base-url", server.base_url, "--no-thinking", "Why?")
        for terminal in ("xterm-256color", "dumb"):
            _, written = run_in_terminal(*arguments, env={"TERM": terminal})
            assert painted(written, 80)[0] == "a␛[2Jb␇c"
        assert ask("--no-thinking", "Why?").stdout == "a\x1b[2Jb\x07c\n"

    def test_a_real_one(self, server: SandboxServer, tmp_path: Path) -> None:
        """In a process of its own, with stdin a terminal too: the same, and without a question a conversation."""
        server.script(Script(say="Yes."))
        code, written = run_in_own_terminal("chat", "--base-url", server.base_url, "--no-thinking", "Why?")
        assert (code, painted(written, 80)[0]) == (0, "Yes.")
        server.script(Script(say="At 18:40."))
        talk = ("chat", "--base-url", server.base_url, "--no-thinking")
        code, written = run_in_own_terminal(
            *talk, typed=b"When?\r/cost\r/quit\r", HOME=str(tmp_path), PYTHONWARNINGS=""
        )
        assert code == 0, written
        assert "At 18:40." in written
        assert "answered; " in written
        assert (tmp_path / ".local" / "state" / "deepseek-async" / "history").read_text().count("+") == 3

    def test_a_summary_ends_it(self, server: SandboxServer) -> None:
        """The model, how it ended, tokens and pace."""
        server.script(Script(say="Yes.", rate=100.0, faults=(KeepAlives(),)))
        _, written = run_in_terminal("chat", "--base-url", server.base_url, "--no-thinking", "Why?")
        last = painted(written, 80)[-2]
        assert re.fullmatch(r"deepseek-flash · stop · \d+ \+ \d+ tokens · 0\.\d\d s to the first.*", last)


def test_tool_calls_that_nobody_asked_for_do_not_hurt(ask: Run, server: SandboxServer) -> None:
    """An answer without text is an empty line at most."""
    server.script(Script(calls=(Call("get_weather", {"city": "Paris"}),)))
    assert ask("--no-thinking", "Why?").exit_code == 0


def test_html_is_a_page_of_the_tokens(ask: Run, tmp_path: Path) -> None:
    """Beside the answer, which stays alone on stdout; no file of another kind is written over."""
    file = tmp_path / "answer.html"
    result = ask("--html", str(file), "--no-thinking", "--max-tokens", "6", "Why?")
    assert result.exit_code == 0
    assert "perplexity" not in result.stderr
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "6 tokens, perplexity" in page
    assert ask("--html", str(file), "--json", "--no-thinking", "--max-tokens", "6", "Why?").exit_code == 0
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    for place, told in ((other, "is no page"), (tmp_path / "no" / "x.html", "no such folder")):
        refused = ask("--html", str(place), "Why?")
        assert refused.exit_code == 2
        assert told in refused.stderr
    assert other.read_text() == "mine"
