"""Keys go in any letters and in part; what a server has masked stays."""

from __future__ import annotations

import html
import json
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.types.secrecy import REDACTED, masked, secrets_in, without

KEY = "tok-7F3a9c5E1b2d4f60aBcD1234"
SECRETS = secrets_in({"authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize(
    "quoted",
    [
        KEY,
        KEY.upper(),
        KEY.lower(),
        KEY[:12],
        KEY[:20] + "...",
        "..." + KEY[8:],
        KEY[5:20],
        json.dumps(KEY),
        "".join(f"\\u{ord(letter):04x}" for letter in KEY),
        "".join(f"%{ord(letter):02X}" for letter in KEY),
        " ".join(KEY),
        KEY[:14] + "\n" + KEY[14:],
        "&#x74;" + KEY[1:],
        f"BEARER {KEY.upper()}",
    ],
)
def test_keys_go(quoted: str) -> None:
    """Whole or in long parts, as a text and as bytes."""
    left = without(SECRETS, f"Incorrect key: <{quoted}>!")
    assert REDACTED in left
    assert not any(KEY[at : at + 9].casefold() in left.casefold() for at in range(len(KEY) - 8))
    data = f"Incorrect key: <{quoted}>!".encode()
    starred = masked(SECRETS, data)
    assert len(starred) == len(data)
    assert b"*" * 12 in starred
    assert starred[:16] == data[:16]


@pytest.mark.parametrize(
    "said",
    [
        f"Your api key: ****{KEY[-4:]} is invalid",
        f"Incorrect API key provided: {KEY[:7]}****{KEY[-4:]}.",
        f"{KEY[:11]}… is no key",
        "the key begins with tok-, see https://llm.test/docs/tok-keys",
        "Bearer tok-…",
    ],
)
def test_what_is_masked_stays(said: str) -> None:
    """It tells which key it was, and lets nobody in."""
    assert without(SECRETS, said) == said
    assert masked(SECRETS, said.encode()) == said.encode()


@pytest.mark.parametrize(
    "secret", ["pa ss/wörd+=&<>\"'\\", "🔑🔑🔑🔑 und mehr", "%41%42%43%44%45%46%47%48", "QWxhZGRpbjpvcGVu+/=="]
)
def test_odd_secrets_go_in_any_spelling(secret: str) -> None:
    """A proxy's password may hold anything."""
    for quoted in (
        secret,
        secret.upper(),
        json.dumps(secret),
        html.escape(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        repr(secret),
    ):
        left = without([secret], f"<{quoted}>")
        assert REDACTED in left
        assert not set("PsWdöQl🔑") & set(left.replace(REDACTED, ""))


@given(st.text("abc", min_size=8, max_size=40), st.text("abc"), st.integers(0, 30), st.integers(8, 40))
def test_no_long_part_is_left(secret: str, around: str, start: int, length: int) -> None:
    """Of secrets that repeat themselves, too."""
    least = max(8, min(12, 2 * len(secret) // 3))
    left = without([secret], around + secret[start : start + length] + around)
    assert not any(secret[at : at + least] in left for at in range(len(secret) - least + 1))


def test_short_keys_go_only_whole() -> None:
    """Of eight characters all must be there; what stands for a key in an example is none."""
    assert without(["abcd-234"], "ABCD-234 or abcd-23") == f"{REDACTED} or abcd-23"
    assert without(["EMPTY"], "EMPTY boxes are empty") == "EMPTY boxes are empty".replace("EMPTY", REDACTED)
    assert secrets_in({"authorization": "Bearer abc"}) == ["Bearer abc"]


def test_it_is_linear() -> None:
    """A body at its cap, made of almost the key, and a key as long as a token of an identity service."""
    started = time.process_time()
    without([KEY], (KEY[:11] + " ") * 6000)
    without(["a" * 2000], "a" * 65_536)
    without(["ab" * 1000], "ab" * 32_768)
    assert time.process_time() - started < 1.5
