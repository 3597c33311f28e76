"""Log probabilities as a page to look at: each token marked by how surprising it is, alternatives on hover and focus.

One self-contained piece of HTML: no script, no address, nothing from outside. Light and dark by the reader's setting,
or by the notebook's own. Surprise is told three ways, so that nobody needs to tell colours apart: by the depth of one
hue, by the kind of underline, and in words in each token's panel. Everything that a server said is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice

from .token import TokenLogprob, TopLogprob, perplexity_of, spans_of, text_of, token_bytes
from .words import words_of

# No script, no font, no picture from anywhere: also if something of a server's slipped through.
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
# Of each pair of ink and ground the contrast is 4.5 or more; a test in a browser measures it.
_LIGHT = (
    "color-scheme:light;--ink:#1a1a1a;--paper:#fff;--line:#bbb;--dim:#555;"
    "--1:#fdeecb;--2:#f8d992;--3:#f0ba4e;--4:#e69f00"
)
_DARK = (
    "color-scheme:dark;--ink:#f2f2f2;--paper:#1b1d20;--line:#666;--dim:#b0b0b0;"
    "--1:#38301f;--2:#573f14;--3:#794f09;--4:#995c00"
)
# The panel is hung on its token where the browser can do that (2026: each of them), so that it stays inside the window.
_STYLE = f"""
.dsa{{{_LIGHT};font:15px/2 system-ui,sans-serif;color:var(--ink);background:var(--paper);padding:1em;border-radius:6px;
position:relative}}
@media(prefers-color-scheme:dark){{.dsa{{{_DARK}}}}}
[data-jp-theme-light=true] .dsa,.vscode-light .dsa{{{_LIGHT}}}
[data-jp-theme-light=false] .dsa,.vscode-dark .dsa{{{_DARK}}}
.dsa p{{margin:.3em 0;white-space:pre-wrap;overflow-wrap:anywhere;color:inherit}}
.dsa .facts,.dsa summary{{color:var(--dim);font-size:13px;line-height:1.6}}
.dsa summary{{cursor:pointer}}
.dsa .t,.dsa .k{{border-radius:3px;text-decoration-color:var(--ink);text-underline-offset:3px;color:var(--ink)}}
.dsa .k{{padding:0 .3em}}
.dsa .d1{{background:var(--1)}}
.dsa .d2{{background:var(--2);text-decoration-line:underline;text-decoration-style:dotted}}
.dsa .d3{{background:var(--3);text-decoration-line:underline;text-decoration-style:dashed}}
.dsa .d4{{background:var(--4);text-decoration-line:underline;text-decoration-style:double}}
.dsa .d5{{background:var(--4);text-decoration-line:underline;text-decoration-style:wavy}}
.dsa .t:hover,.dsa .t:focus{{outline:2px solid var(--ink);outline-offset:1px;anchor-name:--dsa;anchor-scope:--dsa}}
.dsa .p{{display:none;position:absolute;z-index:9;left:1em;margin-top:1.9em;max-width:min(40em,90%);padding:.5em .8em;
white-space:pre;overflow:hidden;text-overflow:ellipsis;font:13px/1.5 ui-monospace,monospace;color:var(--ink);
background:var(--paper);border:1px solid var(--line);border-radius:6px;box-shadow:0 2px 10px #0005;text-align:left;
direction:ltr;pointer-events:none}}
@supports(position-area:bottom span-all){{.dsa .p{{position:fixed;left:auto;margin:4px 0;max-width:min(40em,90vw);
position-anchor:--dsa;position-area:bottom span-all;position-try:flip-block,right span-all,left span-all}}}}
.dsa .t:hover>.p,.dsa .t:focus>.p{{display:block}}
.dsa:has(.t:hover) .t:focus:not(:hover)>.p{{display:none}}
.dsa .p b{{display:inline-block;width:5.5em;text-align:right;font-weight:400;margin-right:.8em}}
.dsa .p s{{display:inline-block;height:.7em;margin-right:.8em;width:6em;
background:linear-gradient(var(--4) 0 0) 0/calc(var(--w)*1%) 100% no-repeat}}
.dsa .p i{{font-style:normal;color:var(--dim)}}
"""

# The least probability of each degree, and its name; the class in the style is ``d`` and its place in this row.
_DEGREES = ((0.9, "expected"), (0.5, "likely"), (0.2, "uncertain"), (0.05, "surprising"), (0.0, "very surprising"))
_UNTOLD = (len(_DEGREES), "not told, as below the 20 likeliest")
_LEGEND = (
    '<p class="facts">Probability: <span class="k d0">90 % and more</span> <span class="k d1">50 to 90 %</span> '
    '<span class="k d2">20 to 50 %</span> <span class="k d3">5 to 20 %</span> <span class="k d4">below 5 %</span> '
    '<span class="k d5">not told</span>. Point at a token, or '
    "reach it with Tab, to see what else could have stood there.</p>"
)

_UNSURE = 0.5
_MOST_WORDS = 6
# What would not be seen, or turn the text around: controls, and marks of direction.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def html_of(
    content: Sequence[TokenLogprob] | None, reasoning: Sequence[TokenLogprob] | None, *, most: int | None = None
) -> str:
    """The tokens of one choice as a piece of HTML: its reasoning, folded, and its content.

    Args:
        content: The answer's tokens.
        reasoning: Those of the chain of thought.
        most: How many tokens of each to show; ``None`` for all.
    """
    parts = ['<div class="dsa"><style>', _STYLE, "</style>"]
    parts.append(_LEGEND if content or reasoning else '<p class="facts">no log probabilities</p>')
    if reasoning:
        is_open = "" if content else " open"
        parts.append(f"<details{is_open}><summary>Reasoning: {_facts(reasoning)}</summary>")
        parts += [*_channel("reasoning_content", reasoning, most), "</details>"]
    if content:
        parts.append(f'<p class="facts">Answer: {_facts(content)}</p>')
        parts += _channel("content", content, most)
    return "".join([*parts, "</div>"])


def page_of(body: str, title: str) -> str:
    """A whole document around a piece of HTML."""
    head = (
        f'<meta charset="utf-8">{_POLICY}<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        "<style>body{max-width:60em;margin:1em auto;padding:0 1em;font-family:system-ui,sans-serif}"
        "h1{font-size:1.2em}</style>"
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>\n'


def _facts(tokens: Sequence[TokenLogprob]) -> str:
    """How many, how surprising, and which words least sure of."""
    perplexity = perplexity_of(tokens)
    facts = f"{len(tokens):,} token{'s' * (len(tokens) != 1)}" + (
        "" if perplexity is None else f", perplexity {perplexity:.3g}"
    )
    words = ((word.probability or 0.0, word) for word in words_of(tokens))
    unsure = sorted((pair for pair in words if pair[0] < _UNSURE), key=lambda pair: (pair[0], pair[1].start))
    if not unsure:
        return facts
    told = (f"{escape(_seen(word.text))} ({_percent(word.probability)})" for _, word in islice(unsure, _MOST_WORDS))
    return f"{facts}. Least certain of {len(unsure):,} uncertain words: {', '.join(told)}"


def _channel(name: str, tokens: Sequence[TokenLogprob], most: int | None) -> Iterator[str]:
    shown = tokens[:most]
    text = text_of(shown)
    yield '<p dir="auto">'
    for first, last, start, end in _groups(spans_of(shown)):
        yield _span(text[start:end], shown[first:last], f"{name}[{first}]")
    yield "</p>"
    if len(shown) < len(tokens):
        yield f'<p class="facts">These are the first {len(shown):,} tokens; to_html() shows all.</p>'


def _groups(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """(first, last, start, end) of tokens that share a character, and so stand together; most stand alone."""
    first = begin = reach = 0
    for place, (start, end) in enumerate(spans):
        if place > first and start >= reach:
            yield first, place, begin, reach
            first, begin = place, start
        reach = max(reach, end)
    if spans:
        yield first, len(spans), begin, reach


def _span(text: str, tokens: Sequence[TokenLogprob], place: str) -> str:
    degree, word = max(_degree_of(token.probability) for token in tokens)
    shown = escape(_seen(text)).replace("\n", "⏎\n") or "·"
    panel = "\n".join([f"<i>{place} · {word}</i>", *(row for token in tokens for row in _rows(token))])
    return f'<span class="t d{degree}" tabindex="0">{shown}<span class="p" role="tooltip">{panel}</span></span>'


def _degree_of(probability: float | None) -> tuple[int, str]:
    if probability is None:
        return _UNTOLD
    return next((degree, word) for degree, (least, word) in enumerate(_DEGREES) if probability >= least)


def _rows(token: TokenLogprob) -> Iterator[str]:
    """The alternatives, likeliest first; the chosen token among them, or last."""
    own = token_bytes(token)
    is_listed = False
    for other in token.top_logprobs:
        is_own = not is_listed and token_bytes(other) == own
        is_listed = is_listed or is_own
        yield _row(other, is_chosen=is_own)
    if not is_listed:
        yield _row(token, is_chosen=True)


def _row(token: TopLogprob, *, is_chosen: bool) -> str:
    width = round(100 * (token.probability or 0.0))
    mark = " <i>◂ chosen</i>" if is_chosen else ""
    return f'<b>{_percent(token.probability)}</b><s style="--w:{width}"></s>{escape(_label(token))}{mark}'


def _percent(probability: float | None) -> str:
    if probability is None:
        return "not told"
    return f"{100 * probability:.3g} %" if probability >= 1e-6 else "&lt; 0.0001 %"


def _label(token: TopLogprob) -> str:
    """The token so that its blanks are seen; a part of a character as its bytes."""
    data = token_bytes(token)
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return f"<{data.hex(' ')}>"


def _seen(text: str) -> str:
    return _UNSEEN.sub(lambda found: f"⟨{ord(found[0]):02X}⟩", text)
