"""The page of log probabilities in a real browser: hovered, walked through by keyboard, in light and dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.types import ChoiceLogprobs, TokenLogprob, TopLogprob

from ..browser import CHROMIUM, Page, opened

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
EVIL = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>"
LEVELS = (-0.01, -0.4, -1.2, -2.5, -6.0, -9999.0)


def token(text: str, logprob: float, *others: tuple[str, float]) -> TokenLogprob:
    tops = tuple(TopLogprob(other, value, tuple(other.encode())) for other, value in others)
    return TokenLogprob(text, logprob, tuple(text.encode()), top_logprobs=tops)


CONTENT = (
    *(token(f" token{place}", logprob, (f" other{place}", -0.5)) for place, logprob in enumerate(LEVELS * 30)),
    token(EVIL, -0.2, (EVIL + "&", -3.0)),
)
PAGE = ChoiceLogprobs(CONTENT, (token("Hm", -0.3, ("Well", -1.4)),)).to_html(f"A title {EVIL}")

SHOWN = (
    "[...document.querySelectorAll('.p')].filter((panel) => panel.checkVisibility()).map((panel) => panel.innerText)"
)
KINDS = (".k", ".t", ".facts", "summary", ".p", ".p i")
OUTSIDE = """[...document.querySelectorAll('.p')].filter((panel) => panel.checkVisibility()).filter((panel) => {
    const box = panel.getBoundingClientRect();
    return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight; }).length"""


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    file = tmp_path / "answer.html"
    file.write_text(PAGE, encoding="utf-8")
    async with opened(file.as_uri()) as page:
        await page.call("Emulation.setDeviceMetricsOverride", width=700, height=420, deviceScaleFactor=1, mobile=False)
        yield page


async def point_at(page: Page, number: int) -> None:
    """Move the mouse onto a token, scrolled into sight."""
    place: dict[str, Any] = await page.run(
        f"(() => {{ const token = document.querySelectorAll('.t')[{number}];"
        "token.scrollIntoView({block: 'nearest'});"
        "const box = token.getClientRects()[0]; return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
    )
    await page.call("Input.dispatchMouseEvent", type="mouseMoved", **place)


async def test_it_is_looked_at(page: Page) -> None:
    """Everything in one visit, since a browser takes a second to start."""
    await look_at_hover(page)
    await look_at_keyboard(page)
    await look_at_colours(page)
    assert "default-src 'none'" in PAGE
    assert await page.run("document.title") == f"A title {EVIL}"
    assert await page.run("document.querySelectorAll('img, script').length") == 0
    assert len(page.urls) == 1  # the file itself
    assert page.errors == []


async def look_at_hover(page: Page) -> None:
    """Pointing at a token shows its alternatives, inside the window wherever it stands; pointing away hides them."""
    assert await page.run(SHOWN) == []
    for number in (1, 8, 60, len(CONTENT) - 2, len(CONTENT)):  # the reasoning's one is the first
        await point_at(page, number)
        (panel,) = await page.run(SHOWN)
        assert f"content[{number - 1}]" in panel
        assert "chosen" in panel
        assert (f"other{number - 1}" if number < len(CONTENT) else EVIL) in panel
        assert await page.run(OUTSIDE) == 0, number
    await page.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert await page.run(SHOWN) == []


async def look_at_keyboard(page: Page) -> None:
    """Tab comes to the folded reasoning, Enter unfolds it, Tab goes from token to token."""
    await page.run("scrollTo(0, 0)")
    await page.press("Tab")
    assert await page.run("document.activeElement.tagName") == "SUMMARY"
    await page.press("Enter")
    await page.until("document.querySelector('details').open")
    await page.press("Tab")
    (panel,) = await page.run(SHOWN)
    assert "reasoning_content[0]" in panel
    assert "Well" in panel
    await page.press("Tab")
    (panel,) = await page.run(SHOWN)
    assert "content[0]" in panel
    await point_at(page, 9)  # what is pointed at goes before what has the focus
    (panel,) = await page.run(SHOWN)
    assert "content[8]" in panel


async def look_at_colours(page: Page) -> None:
    """As the reader prefers, or the notebook around it says; readable in each; degrees told by lines, too."""
    ground = "getComputedStyle(document.querySelector('.dsa')).backgroundColor.match(/\\d+/g).map(Number)[0]"
    for scheme, is_dark in (("light", False), ("dark", True)):
        await page.prefer(scheme)
        assert (await page.run(ground) < 100) is is_dark
        assert await page.contrast(*KINDS) >= 4.5
    await page.run("document.body.dataset.jpThemeLight = 'true'")
    assert await page.run(ground) > 200
    assert await page.contrast(*KINDS) >= 4.5
    await page.prefer("light")
    await page.run("document.body.dataset.jpThemeLight = 'false'")
    assert await page.run(ground) < 100
    lines = await page.run(
        "[...document.querySelectorAll('.t')].slice(1, 7).map((token) => getComputedStyle(token))"
        ".map((style) => style.textDecorationLine === 'none' ? 'none' : style.textDecorationStyle)"
    )
    assert lines == ["none", "none", "dotted", "dashed", "double", "wavy"]
