"""Log probabilities as a page to look at: each token shaded by how surprising it is, alternatives on hover and focus.

One self-contained piece of HTML: no script, no address, nothing from outside. Light and dark by the reader's setting.
Surprise is told three ways, so that nobody needs to tell colours apart: by the depth of one hue, by an underline below
one half, and in words in each token's panel. Everything that a server said is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ..logprobs import ChoiceLogprobs, TokenLogprob, TopLogprob, perplexity_of, spans_of, text_of, token_bytes

_STYLE = """
.dsa{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#c8c8c8;--hue:230,159,0;--dim:#555;
font:15px/1.9 system-ui,sans-serif;color:var(--ink);background:var(--paper);padding:1em;border-radius:6px}
@media(prefers-color-scheme:dark){.dsa{--ink:#eee;--paper:#1b1d20;--line:#555;--dim:#aaa}}
.dsa p{margin:.2em 0;white-space:pre-wrap;overflow-wrap:anywhere}
.dsa .facts{color:var(--dim);font-size:13px}
.dsa .t{position:relative;border-radius:3px;cursor:default}
.dsa .t:hover,.dsa .t:focus{outline:2px solid var(--ink);outline-offset:1px}
.dsa .u{text-decoration:underline dotted 2px;text-underline-offset:3px}
.dsa .p{display:none;position:absolute;z-index:9;left:0;top:1.7em;min-width:15em;padding:.5em .7em;white-space:nowrap;
font:13px/1.5 ui-monospace,monospace;color:var(--ink);background:var(--paper);border:1px solid var(--line);
border-radius:6px;box-shadow:0 2px 10px #0004}
.dsa .t:hover>.p,.dsa .t:focus>.p{display:block}
.dsa .p b{display:inline-block;min-width:5em;text-align:right;font-weight:400;margin-right:1em}
.dsa .p i{font-style:normal;color:var(--dim)}
.dsa summary{color:var(--dim);cursor:pointer}
"""
_STEPS = ((0.9, 0.0, "expected"), (0.5, 0.16, "likely"), (0.2, 0.36, "open"), (0.05, 0.6, "surprising"))
_LEAST = (0.85, "very surprising")


def html_of(logprobs: ChoiceLogprobs) -> str:
    """The page of one choice: its reasoning, folded, and its content."""
    parts = ['<div class="dsa"><style>', _STYLE, "</style>"]
    if logprobs.reasoning_content:
        parts += ["<details><summary>reasoning</summary>", *_channel(logprobs.reasoning_content), "</details>"]
    if logprobs.content:
        parts += _channel(logprobs.content)
    if not logprobs.content and not logprobs.reasoning_content:
        parts.append('<p class="facts">no log probabilities</p>')
    return "".join([*parts, "</div>"])


def _channel(tokens: Sequence[TokenLogprob]) -> Iterator[str]:
    perplexity = perplexity_of(tokens)
    facts = f"{len(tokens):,} tokens" + ("" if perplexity is None else f", perplexity {perplexity:.3g}")
    yield f'<p class="facts">{facts}. The deeper the shade, the more surprising; below one half dotted.</p><p>'
    text = text_of(tokens)
    for start, end, members in _groups(tokens):
        yield _span(text[start:end], members)
    yield "</p>"


def _groups(tokens: Sequence[TokenLogprob]) -> Iterator[tuple[int, int, list[TokenLogprob]]]:
    """Tokens that share a character, and so can only be shown together; most stand alone."""
    group: list[TokenLogprob] = []
    begin = reach = 0
    for token, (start, end) in zip(tokens, spans_of(tokens), strict=True):
        if group and start >= reach:
            yield begin, reach, group
            group, begin = [], start
        if not group:
            begin = start
        group.append(token)
        reach = max(reach, end)
    if group:
        yield begin, reach, group


def _span(text: str, tokens: list[TokenLogprob]) -> str:
    least = min(tokens, key=lambda token: token.logprob)
    depth, word = _depth_of(least.probability)
    is_unlikely = (least.probability or 0.0) < 0.5
    shown = escape(text).replace("\n", "⏎\n") if text else "·"
    panel = f"<i>{word}</i><br>" + "".join(_panel(token) for token in tokens)
    return (
        f'<span class="t{" u" if is_unlikely else ""}" tabindex="0" style="background:rgba(var(--hue),{depth})" '
        f'aria-label="{escape(text)}: {word}">{shown}<span class="p" role="tooltip">{panel}</span></span>'
    )


def _depth_of(probability: float | None) -> tuple[float, str]:
    for least, depth, word in _STEPS:
        if probability is not None and probability >= least:
            return depth, word
    return _LEAST


def _panel(token: TokenLogprob) -> str:
    rows = [_row(token, is_chosen=True)]
    rows += [_row(other, is_chosen=False) for other in token.top_logprobs if other.token != token.token]
    return "<br>".join(rows) + "<br>"


def _row(token: TopLogprob, *, is_chosen: bool) -> str:
    probability = token.probability
    percent = "not told" if probability is None else f"{100 * probability:.3g} %"
    mark = " <i>chosen</i>" if is_chosen else ""
    return f"<b>{percent}</b>{escape(_label(token))}{mark}"


def _label(token: TopLogprob) -> str:
    """The token so that its blanks are seen; a part of a character as its bytes."""
    data = token_bytes(token)
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return f"<{data.hex(' ')}>"


def page_of(choices: Iterable[tuple[str, ChoiceLogprobs]], title: str) -> str:
    """A whole document: each choice under its heading."""
    body = "".join(f"<h2>{escape(heading)}</h2>{html_of(logprobs)}" for heading, logprobs in choices)
    head = f'<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'
