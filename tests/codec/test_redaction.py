"""What a server quoted of the request is taken out of its errors."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.failures.redaction import prompts_in, redact
from deepseek_async.errors import BadRequestError, DeepSeekError, MalformedResponseError, StreamInterruptedError
from deepseek_async.types.secrecy import REDACTED, secrets_in

KEY = "sk-0123456789abcdef"
PROMPT = 'My neighbour, Ada "Countess" Lovelace,\nlives at Ockham Park; her heart is überwältigt by Zürich.'


def left_of(text: str, *prompts: str, secrets: tuple[str, ...] = (KEY,)) -> str:
    error = BadRequestError("m", status=400, body=text)
    redact(error, secrets=secrets, prompts=lambda: prompts or (PROMPT,))
    return error.body


def test_the_servers_words_stay() -> None:
    """What shares no long run with the prompt is untouched."""
    said = "The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed deepseek-9. Ada lives at"
    assert left_of(said) == said


@pytest.mark.parametrize(
    "quoted",
    [
        PROMPT,
        PROMPT[7:],
        PROMPT[3:40],
        json.dumps(PROMPT)[1:-1],
        json.dumps(PROMPT, ensure_ascii=False)[1:-1],
        json.dumps(PROMPT)[23:60],
    ],
    ids=["whole", "its end", "a piece", "as ASCII JSON", "as JSON", "a piece of JSON"],
)
def test_quotes_go_in_any_form(quoted: str) -> None:
    """As it is and as JSON writes it, whole and in pieces; also twice."""
    assert left_of(f"invalid input: `{quoted}`, see {quoted}!") == f"invalid input: `{REDACTED}`, see {REDACTED}!"


@given(st.text(min_size=60, max_size=300), st.integers(0, 200), st.integers(23, 80), st.text(max_size=30))
def test_every_long_quote_is_found(prompt: str, start: int, length: int, around: str) -> None:
    """Any 23 bytes of a prompt, wherever they begin, are gone from the text; white space, \\ and quotes not counted."""
    quote = prompt[start : start + length]
    left = left_of(f"{around}<{quote}>{around}", prompt)
    if len(re.sub(r"""\\[nrt]|\\u....|[ \t\n\r\v\f\\"']""", "", quote)) >= 23:
        assert quote not in left
        assert REDACTED in left


def test_short_prompts_go_only_whole() -> None:
    """Eight characters are enough to be somebody's words; fewer are everybody's."""
    assert left_of("bad: What is 2+2?", "What is 2+2?") == f"bad: {REDACTED}"
    assert left_of("bad: What is 2", "What is 2+2?") == "bad: What is 2"
    assert left_of("Hello is no JSON", "Hello") == "Hello is no JSON"


def test_keys_go_wherever_they_stand() -> None:
    """In the message, the body, the fields, the headers, and in the error's own args."""
    error = BadRequestError(
        f"no {KEY}", status=400, body=f"no {KEY}", param=KEY, code=KEY, headers={"x-echo": f"Bearer {KEY}", "a": "b"}
    )
    redact(error, secrets=[KEY], prompts=list)
    assert KEY not in repr((error, str(error), error.args, vars(error)))
    assert error.headers == {"x-echo": f"Bearer {REDACTED}", "a": "b"}
    assert error.message == f"no {REDACTED}"


def test_a_stand_in_for_a_key_is_no_secret() -> None:
    """Servers without keys are often given `EMPTY` or `x`; taking that out would spoil the text."""
    for key in ("EMPTY", "x", ""):
        assert secrets_in({"Authorization": f"Bearer {key}"}) in ([], [f"Bearer {key}"])
        secrets = tuple(secrets_in({"Authorization": f"Bearer {key}"}))
        assert left_of("EMPTY boxes", secrets=secrets) == "EMPTY boxes"


def test_causes_are_cleaned_too() -> None:
    """An interruption carries the error underneath it; a circle of causes ends the walk."""
    cause = MalformedResponseError(f"not JSON: {PROMPT}", body=f"{PROMPT} {KEY}")
    error = StreamInterruptedError(f"broken off: {PROMPT}", cause=cause)
    cause.__cause__ = error
    redact(error, secrets=[KEY], prompts=lambda: [PROMPT])
    for one in (error, cause):
        assert isinstance(one, DeepSeekError)
        assert "Ada" not in repr((str(one), one.args))
    assert cause.body == f"{REDACTED} {REDACTED}"


def test_the_prompts_of_a_request() -> None:
    """Contents, parts, reasoning, arguments and names; not roles, models and settings."""
    body = {
        "model": "deepseek-flash",
        "user_id": "somebody",
        "prompt": "def f(",
        "suffix": ")",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "See this"}]},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm",
                "tool_calls": [{"function": {"arguments": "{}"}}],
            },
        ],
    }
    texts = prompts_in(json.dumps(body).encode())
    assert {"def f(", ")", "Be brief.", "See this", "Hm", "{}"} <= set(texts)
    assert not {"deepseek-flash", "somebody", "user", "system"} & set(texts)
    assert prompts_in(b"no JSON") == prompts_in(b"[]") == prompts_in(b'{"messages": 5}') == []


@pytest.mark.parametrize("text", ["a" * 65_536, "ab" * 32_768, "word " * 13_000], ids=["a", "ab", "words"])
def test_no_text_takes_long(text: str) -> None:
    """Nor a prompt: a body at its cap, quoting a prompt of a megabyte that repeats itself, is a matter of moments."""
    prompt = text * 16
    started = time.process_time()
    assert left_of(text, prompt).strip() == REDACTED
    assert time.process_time() - started < 1.0
