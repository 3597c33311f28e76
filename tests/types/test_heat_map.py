"""The page of log probabilities holds every token, escapes every text, and asks for nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.types import ChoiceLogprobs, TokenLogprob, TopLogprob


def token(text: str, logprob: float, *others: tuple[str, float], data: bytes | None = None) -> TokenLogprob:
    tops = tuple(TopLogprob(other, value, tuple(other.encode())) for other, value in others)
    return TokenLogprob(text, logprob, tuple(text.encode() if data is None else data), top_logprobs=tops)


class Reader(HTMLParser):
    """The text outside panels and styles, and the tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.stack: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "meta"):
            self.stack.append(str(dict(attrs).get("class", tag)))

    def handle_endtag(self, tag: str) -> None:
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1].split()[0] == "t":  # a token itself, and not its panel
            self.text += data


LOGPROBS = ChoiceLogprobs(
    (
        token("The", -0.01, ("The", -0.01), ("A", -4.6)),
        token(" <b>", -3.5, (" tide", -0.2)),
        token("\n", -0.1),
        token("\ufffd", -0.7, data="雨".encode()[:2]),
        token("\ufffd", -0.2, data="雨".encode()[2:]),
        token("", -9999.0, data=b""),
    ),
    (token("Hm", -0.3),),
)


def test_every_token_is_there_and_nothing_is_markup() -> None:
    """Tokens that share a character stand together; what a server said is text."""
    page = LOGPROBS.to_html("a & <b>")
    reader = Reader(page)
    spans = [attrs for tag, attrs in reader.tags if tag == "span" and "t" in attrs["class"].split()]
    assert len(spans) == 6  # the reasoning's one, and five: two tokens share 雨
    assert all(attrs["tabindex"] == "0" for attrs in spans)
    assert reader.text == "HmThe <b>⏎\n雨·"
    assert "&lt;b&gt;" in page
    for shown in (
        "<title>a &amp; &lt;b&gt;</title>",
        "very surprising",
        "99 %",
        "1.01 %",
        "not told",
        "&#x27;A&#x27;",
        "&lt;e9 9b&gt;",
        "perplexity",
        "chosen",
        "content[3]",
        "reasoning_content[0]",
        "&lt;b&gt; (3.02 %)",  # the least certain words
    ):
        assert shown in page, shown


@given(st.lists(st.tuples(st.text(max_size=6), st.floats(-10_000, 1)), max_size=6))
def test_any_text_is_text(tokens: list[tuple[str, float]]) -> None:
    """Whatever tokens and alternatives say, the page has the tags that it has for harmless ones."""

    def page(texts: list[str]) -> Reader:
        others = [
            token(text, value, (text, value), (text + "<", -1.0))
            for text, (_, value) in zip(texts, tokens, strict=True)
        ]
        return Reader(ChoiceLogprobs(tuple(others), tuple(others)).to_html())

    tags = {tag for tag, _ in page([text for text, _ in tokens]).tags}
    assert tags <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "div",
        "p",
        "span",
        "details",
        "summary",
        "i",
        "b",
        "s",
    }


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</p></div>", '" onmouseover=x', "&lt;", "\u202e", "\0", "\r"]
)
def test_what_would_act_is_shown(text: str) -> None:
    """Markup, entities, quotes, controls and marks of direction, in a token, an alternative, and both channels."""
    tokens = (token(text, -0.1, (text, -0.1), (text * 2, -3.0)),)
    page = ChoiceLogprobs(tokens, tokens).to_html(text)
    assert "<script" not in page
    assert '" onmouseover' not in page
    assert not re.search("[\0\r\u202e]", page.partition("</title>")[2].partition("</h1>")[2])
    assert [tag for tag, _ in Reader(page).tags].count("div") == 1


def test_the_chosen_token_stands_where_it_is_likely() -> None:
    """Among the alternatives by its bytes, once; else last."""
    data = "雨".encode()
    tops = (TopLogprob("\ufffd", -0.1, tuple(data[1:])), TopLogprob("\ufffd", -2.0, tuple(data[:1])))
    page = ChoiceLogprobs((TokenLogprob("\ufffd", -2.0, tuple(data[:1]), top_logprobs=tops),)).to_html()
    assert re.findall("&lt;([0-9a-f ]+)&gt;( <i>◂ chosen)?", page) == [("9b a8", ""), ("e9", " <i>◂ chosen")]
    assert page.count("◂ chosen") == 1
    apart = ChoiceLogprobs((token("x", -9999.0, ("y", -0.1)),)).to_html()
    assert apart.index("&#x27;y&#x27;") < apart.index("&#x27;x&#x27; <i>◂ chosen")


def test_a_notebook_keeps_a_thousand_tokens() -> None:
    """It writes what it shows into its file; what is left out is told."""
    many = ChoiceLogprobs(tuple(token(f" {number}", -0.1) for number in range(1200)))
    shown = many._repr_html_()
    assert shown.count('tabindex="0"') == 1000
    assert "1,200 tokens" in shown
    assert "first 1,000 tokens" in shown
    assert many.to_html().count('tabindex="0"') == 1200
    assert shown.startswith("<div")


def test_nothing_is_asked_for_and_nothing_runs() -> None:
    """No address, no script, no handler."""
    for page in (LOGPROBS.to_html(), LOGPROBS._repr_html_()):
        assert not re.search(r"https?:|//|url\(|<script|\son\w+=|@import", page)


@pytest.mark.parametrize("logprobs", [ChoiceLogprobs(), ChoiceLogprobs((), ())])
def test_without_tokens_it_says_so(logprobs: ChoiceLogprobs) -> None:
    """An empty page would look like a fault."""
    assert "no log probabilities" in logprobs.to_html()


def test_the_reasoning_is_folded_unless_it_is_all() -> None:
    """An answer that was cut while thinking has nothing else to show."""
    assert "<details>" in LOGPROBS.to_html()
    assert "<details open>" in ChoiceLogprobs(None, (token("Hm", -0.3),)).to_html()
