"""``deepseek-async decode``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, Spawn


def _event(**delta: Any) -> bytes:
    chunk = {"id": "1", "created": 2, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


_LAST = b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}\n\n'
_DONE = b"data: [DONE]\n\n"
_STREAM = (
    b": keep-alive\n\n" + _event(role="assistant", content="") + _event(content="He") + _event(content="y") + _LAST
)
_WHOLE = _STREAM + _DONE


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_events(run: Run) -> None:
    """Events and comments as the standard says; ``[DONE]`` is an event like any other."""
    result = run("decode", "--level", "events", stdin=_WHOLE)
    lines = _lines(result.stdout)
    assert result.exit_code == 0
    assert lines[0] == {"text": "keep-alive"}
    assert lines[-1] == {"event": "message", "data": "[DONE]", "id": ""}
    assert len(lines) == 6


def test_chunks(run: Run) -> None:
    """One line a chunk, without keep-alives and ``[DONE]``."""
    lines = _lines(run("decode", "--level", "chunks", stdin=_WHOLE).stdout)
    assert [line["choices"][0]["delta"].get("content") for line in lines] == ["", "He", "y", None]
    assert lines[-1]["usage"]["prompt_tokens"] == 1


def test_deltas(run: Run) -> None:
    """Only deltas that add something, each with its choice."""
    other = _event(content="!").replace(b'"index": 0', b'"index": 1')
    lines = _lines(run("decode", "-l", "deltas", stdin=_STREAM + other + _DONE).stdout)
    assert lines == [{"index": 0, "content": "He"}, {"index": 0, "content": "y"}, {"index": 1, "content": "!"}]


def test_deltas_carry_their_tokens(run: Run) -> None:
    """Logprobs stand in the delta that they belong to."""
    token = {"token": "He", "logprob": -0.5, "bytes": [72, 101], "top_logprobs": []}
    choice = {"index": 0, "delta": {"content": "He"}, "logprobs": {"content": [token]}, "finish_reason": "stop"}
    data = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n" + _DONE
    assert _lines(run("decode", "-l", "deltas", stdin=data).stdout)[0]["logprobs"]["content"] == [token]


def test_completion_is_the_default(run: Run) -> None:
    """One object: the whole answer."""
    result = run("decode", stdin=_WHOLE)
    (completion,) = _lines(result.stdout)
    assert "complete" not in completion
    assert completion["choices"][0]["message"] == {"role": "assistant", "content": "Hey"}
    assert completion["usage"]["prompt_tokens"] == 1


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_a_file_may_be_named(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A file is read like stdin, and ``-`` is stdin."""
    file = tmp_path / "stream.sse"
    file.write_bytes(_WHOLE)
    assert run("decode", str(file)).stdout == run("decode", *arguments, stdin=_WHOLE).stdout != ""


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    """Exit code 2, and its name."""
    result = run("decode", str(tmp_path / "nothing.sse"))
    assert result.exit_code == 2
    assert "nothing.sse" in result.stderr.replace("\n", "").replace("│", "").replace(" ", "")


@pytest.mark.parametrize(("level", "count"), [("events", 5), ("chunks", 4), ("deltas", 2), ("completion", 1)])
def test_a_cut_stream_is_shown_as_far_as_it_came(run: Run, level: str, count: int) -> None:
    """What came is printed, then one line on stderr; exit code 1."""
    result = run("decode", "--level", level, stdin=_STREAM + b'data: {"choices":')
    lines = _lines(result.stdout)
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert len(lines) == count
    assert line.startswith("error: the stream ")
    assert "again" not in line  # a recording cannot be had anew
    if level == "completion":
        assert lines[0]["complete"] is False
        assert lines[0]["choices"][0]["message"]["content"] == "Hey"


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (b"", "empty"),
        (_STREAM.replace(b'"stop"', b"null"), "without [DONE]"),
        (_STREAM + b'data: {"error":{"message":"too busy"}}\n\n', "too busy"),
        (b"data: {]\n\n", "JSON"),
        (b'data: {"choices":[{"delta":{"content":5}}]}\n\n', "$.choices[0].delta.content"),
        (b"<html><title>Bad Gateway</title></html>", "Bad Gateway"),
        (_STREAM.replace(b'"stop"', b'"insufficient_system_resource"') + _DONE, "insufficient_system_resource"),
    ],
)
def test_what_is_no_whole_answer_says_why(run: Run, stdin: bytes, said: str) -> None:
    """Each bad ending is an error of one line that names it."""
    result = run("decode", stdin=stdin)
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert said in line


def test_an_unknown_level_is_wrong_usage(run: Run) -> None:
    """Exit code 2, and the levels there are."""
    result = run("decode", "--level", "tokens", stdin=b"")
    assert result.exit_code == 2
    assert "completion" in result.stderr


def test_lines_come_with_their_bytes(spawn: Spawn) -> None:
    """A stream that is still running is shown as it runs: the first line does not wait for the second."""
    process = spawn("decode", "--level", "deltas")
    assert process.stdin is not None
    assert process.stdout is not None
    for word in ("one", "two"):
        process.stdin.write(_event(content=word))
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"index": 0, "content": word}
    process.stdin.write(_DONE)
    process.stdin.close()
    assert process.wait(20) == 0


GAP = b"".join(
    b'data: {"object":"text_completion","choices":[{"index":0,"text":"%s","finish_reason":null,"logprobs":'
    b'{"content":[{"id":5,"token":"%s","bytes":[65],"logprob":-0.5,"top_logprobs":[]}]}}]}\n\n' % (text, text)
    for text in (b"tide", b"(4)")
)
GAP += (
    b'data: {"object":"text_completion","choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


@pytest.mark.parametrize("begin", [b"", b": keep-alive\n\n", b'data: {"choices":[]}\n\n', b"event: ping\ndata: {}\n\n"])
def test_a_gap_is_decoded_too(run: Run, begin: bytes) -> None:
    """Fill in the middle, with the log probabilities of llama.cpp: at every level, recognised by its first choice."""
    whole = json.loads(run("decode", stdin=begin + GAP).stdout)
    (choice,) = whole["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("tide(4)", "stop")
    assert choice["logprobs"]["tokens"] == ["tide", "(4)"]
    assert choice["logprobs"]["token_logprobs"] == [-0.5, -0.5]
    deltas = [json.loads(line) for line in run("decode", "--level", "deltas", stdin=begin + GAP).stdout.splitlines()]
    assert [delta["text"] for delta in deltas] == ["tide", "(4)"]
    chunks = map(json.loads, run("decode", "--level", "chunks", stdin=begin + GAP).stdout.splitlines())
    assert [chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"]] == ["tide", "(4)", ""]


def test_a_gap_in_one_piece_is_decoded_too(run: Run) -> None:
    """As a document."""
    body = b'{"object":"text_completion","choices":[{"index":0,"text":"tide(4)","finish_reason":"stop"}]}'
    assert json.loads(run("decode", stdin=body).stdout)["choices"][0]["text"] == "tide(4)"
