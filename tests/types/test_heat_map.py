"""The page of log probabilities holds every token, escapes every text, and asks for nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from deepseek_async.types import ChoiceLogprobs, TokenLogprob, TopLogprob
from deepseek_async.types.tokens.heat_map import html_of, page_of


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
        if self.stack[-1].split()[0] == "t":  # a token itself, and not its panel
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
    page = html_of(LOGPROBS)
    reader = Reader(page)
    spans = [attrs for tag, attrs in reader.tags if tag == "span" and "t" in attrs["class"].split()]
    assert len(spans) == 6  # the reasoning's one, and five: two tokens share 雨
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in spans)
    assert "The <b>⏎\n雨" in reader.text
    assert not [tag for tag, _ in reader.tags if tag == "b" and "<b>" in tag]
    assert "&lt;b&gt;" in page
    for shown in (
        "very surprising",
        "99 %",
        "1.01 %",
        "not told",
        "&#x27;A&#x27;",
        "&lt;e9 9b&gt;",
        "perplexity",
        "chosen",
    ):
        assert shown in page, shown


def test_nothing_is_asked_for_and_nothing_runs() -> None:
    """No address, no script, no handler."""
    page = html_of(LOGPROBS)
    assert not re.search(r"https?:|//|url\(|<script|\son\w+=|@import", page)


@pytest.mark.parametrize("logprobs", [ChoiceLogprobs(), ChoiceLogprobs((), ())])
def test_without_tokens_it_says_so(logprobs: ChoiceLogprobs) -> None:
    """An empty page would look like a fault."""
    assert "no log probabilities" in html_of(logprobs)


def test_a_whole_document() -> None:
    """With a title, and a heading for each choice, both escaped."""
    page = page_of([("choice <0>", LOGPROBS)], "a & b")
    assert page.startswith("<!doctype html>")
    assert "<title>a &amp; b</title>" in page
    assert "choice &lt;0&gt;" in page
