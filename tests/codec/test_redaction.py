"""What a server quoted of the request is taken out of its errors."""

from __future__ import annotations

import html
import json
import re
import time
import urllib.parse
from collections.abc import Callable

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


SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "lower case": str.lower,
    "title": str.title,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "HTML": html.escape,
    "HTML in JSON": lambda text: json.dumps(html.escape(text))[1:-1],
    "HTML by numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "a URL": urllib.parse.quote,
    "a form": urllib.parse.quote_plus,
    "a URL in a URL": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "Python": lambda text: repr(text)[1:-1],
    "Python's bytes": lambda text: repr(text.encode())[2:-1],
    "one line": lambda text: " ".join(text.split()),
    "no blanks": lambda text: "".join(text.split()),
    "lines of 20": lambda text: "\n    ".join(text[at : at + 20] for at in range(0, len(text), 20)),
    "upper case in JSON": lambda text: json.dumps(text.upper())[1:-1],
}
PROMPTS = [
    PROMPT,
    "Meine Straße ist 5 % steiler & länger als Eure.",
    "请把我的病历翻译成英文：患者四十二岁，糖尿病。",
    "Как лечить мою депрессию?",
    "Use C:\\Windows\\System & print('50% off') + \"x\"1",
    "PIN: 4711 0815",
    "😀 party at Eve's 🎉 tonight",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_quotes_go_in_every_spelling(spell: Callable[[str], str], prompt: str) -> None:
    """What a server wrote in other letters or escapes is the prompt all the same, alone and among other words."""
    quoted = spell(prompt)
    for text in (quoted, f"no: {quoted}; see the docs", f'{{"error": "{quoted}"}}'):
        left = left_of(text, "Another prompt.", prompt)
        assert REDACTED in left
        assert len(re.sub(r"[\\s\\W]", "", left.replace(REDACTED, ""))) <= len("errornoseethedocs")
        assert left.replace(REDACTED, "").startswith(text[: text.index(quoted)])


@pytest.mark.parametrize("prompt", PROMPTS[:4])
@pytest.mark.parametrize("spell", [str, str.upper, SPELLINGS["JSON"]])
def test_a_beginning_that_was_cut_off_goes(spell: Callable[[str], str], prompt: str) -> None:
    """As reprs, validators and logs cut texts: so much, and dots."""
    for length in (12, 15, 20, 30):
        for dots in ("...", "…", "..", " ...", "\\u2026", "' (truncated)", "[...]", "&hellip;", '"...'):
            left = left_of(f"Input should be a list, got: {spell(prompt[:length].strip())}{dots}", prompt)
            assert left == f"Input should be a list, got: {REDACTED}{dots}"
        for end in ("", '"', "'", "`", '\\"}', " "):
            if length >= 15:
                assert left_of(f"no list: {spell(prompt[:length].strip())}{end}", prompt) == f"no list: {REDACTED}{end}"


def test_both_ends_of_what_was_cut_in_the_middle_go() -> None:
    """pydantic shows 25 characters, dots and 24 more; Python's reprlib 12 and 13."""
    middle = f"[type=list_type, input_value='{PROMPT[:25]}...{PROMPT[-24:]}', input_type=str]"
    assert left_of(middle) == f"[type=list_type, input_value='{REDACTED}...{REDACTED}', input_type=str]"
    assert left_of(f"no: {PROMPT[:12]}...{PROMPT[-13:]}") == f"no: {REDACTED}...{REDACTED}"
    assert (
        left_of(f"no: {PROMPT[:30]} [truncated 90] {PROMPT[-12:]}") == f"no: {REDACTED} [truncated 90] {PROMPT[-12:]}"
    )


@pytest.mark.parametrize(
    "said",
    [
        "Please try again later...",
        "My neighbour's key is wrong",
        "the model 'function' ...",
        "no parameter 'neighbour'",
        "Invalid value: 'max_tokens'",
        "lives at ...",
        "...by Zuerich",
    ],
)
def test_words_that_everybody_uses_stay(said: str) -> None:
    """A run of a few bytes is no quote, also beside dots, nor is one plain word in quotation marks."""
    assert left_of(said, PROMPT, "max_tokens_of_the_answer is what?", "function calling is what?") == said


def test_the_beginning_goes_from_16_bytes_on() -> None:
    """And any part from 23 on: so much stands in `quotes`."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    assert left_of(f"no {letters[:16]} here", letters) == f"no {REDACTED} here"
    assert left_of(f"no {letters[:15]} here", letters) == f"no {letters[:15]} here"
    assert left_of(f"no {letters[5:28]} here", letters) == f"no {REDACTED} here"
    assert left_of(f"no {letters[5:17]}' here", letters) == f"no {letters[5:17]}' here"
    assert left_of(f"no {letters[:12]}' here", letters) == f"no {REDACTED}' here" or letters[:12].isalpha()


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_many_prompts_with_one_beginning_take_no_longer(count: int) -> None:
    """A conversation of thousands of messages that begin alike, and a body that quotes their beginning everywhere."""
    prompts = [f"Translate: word {number}" for number in range(count)] + [f"{n:04d} a b c" for n in range(count)]
    started = time.process_time()
    left = left_of("Translate: w... 0012 a b c; " * 2_000, *prompts)
    assert time.process_time() - started < 1.0
    assert "Translate" not in left


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
