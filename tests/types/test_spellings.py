"""One form stands for all in which a text may be written."""

from __future__ import annotations

import html
import json
import time
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.types.secrecy.spellings import plain, plain_each, plain_with_places

TEXTS = st.text(st.one_of(st.sampled_from("\\%&;#xu0123eE4nt+'\"amp {}U\0"), st.characters()), max_size=60)
# What is quoted: nothing that is itself an entity of HTML, of which nobody can know how often it was written.
WORDS = st.text(st.one_of(st.sampled_from("\\%#xu0123eE4nt+'\"{}U\n<>"), st.characters(exclude_characters="&")))

SPELLINGS: list[Callable[[str], str]] = [
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(json.dumps(text)),
    lambda text: html.escape(html.escape(text)),
    lambda text: urllib.parse.quote(json.dumps(text)),
    lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    urllib.parse.quote_plus,
    repr,
    lambda text: repr(text.encode())[1:],
    lambda text: "  \n".join(text),
]


@given(TEXTS)
def test_places_are_those_of_the_form(text: str) -> None:
    """Both ways make the same bytes, and each byte knows which characters it was made of, in order."""
    data, starts, ends = plain_with_places(text)
    assert data == plain(text)
    assert len(data) == len(starts) == len(ends)
    assert starts == sorted(starts)
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert not ends or ends[-1] <= len(text)


@given(st.lists(TEXTS, max_size=4))
def test_many_are_as_one(texts: list[str]) -> None:
    """Also where a text tells the character that stands between them."""
    assert plain_each(texts) == [plain(text) for text in texts]


@given(WORDS)
def test_quoting_changes_nothing(text: str) -> None:
    """JSON, twice too, HTML, URLs, Python's reprs, and other white space."""
    text = text.encode("utf-8", "replace").decode()
    for spell in SPELLINGS:
        if spell is SPELLINGS[-1] and "\\" in text:
            continue  # white space amid an escape makes it another text
        assert plain(spell(text)) == plain(text)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("ÜBERWÄLTIGT, STRASSE", "überwältigt, straße"),
        (r"\u4f60\u597d", "你好"),
        (r"\\u4F60\\u597D", "你好"),
        (r"\u{4f60}\u{1f600}", "你😀"),
        (r"\U0001F600", "😀"),
        (r"\ud83d\ude00", "😀"),
        (r"%u4f60%u597d", "你好"),
        (r"\xe4\xbd\xa0", "你"),
        (r"\344\275\240", "你"),
        (r"Z\xfcrich", "Zürich"),
        ("%E4%BD%A0%20a+b", "你 a b"),
        ("%25E4%25BD%25A0", "你"),
        ("%22%5Cu4f60%5Cu597d%5Cn%22", "你好"),
        ("%255Cud83d%255Cude00", "😀"),
        ("C%3A%5CWindows", "C:\\Windows"),
        ("%E4%BD%A0%E5", "你\xe5"),
        ("&quot;&#x4f60;&#22909;&amp;quot;", '"你好"'),
        ("a\u200bb\u00a0c\u3000d", "abcd"),
    ],
)
def test_spellings(written: str, said: str) -> None:
    """Each of them is the text that it says."""
    assert plain(written) == plain(said) != b""


@pytest.mark.parametrize("text", ["\\" * 65_536, "%25" * 20_000, "&amp;" * 13_000, "\\u12" * 16_000, "%u" * 30_000])
def test_no_text_takes_long(text: str) -> None:
    """However it is made to hurt."""
    started = time.process_time()
    plain(text)
    plain_with_places(text)
    assert time.process_time() - started < 1.0
