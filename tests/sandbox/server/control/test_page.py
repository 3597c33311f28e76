"""The page at / shows requests as they come, in a real browser."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from deepseek_async.sandbox import Cut, Refuse, SandboxServer, Script, Stall

from ....browser import CHROMIUM, Page, opened
from ...talking import HELLO, Talk

pytestmark = pytest.mark.anyio
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

EVIL = "<img src=x onerror=alert(1)><script>document.title = 'broken'</script>"


async def test_it_is_served_and_asks_for_nothing_from_outside(talk: Talk) -> None:
    """One document, forbidden to load anything else; looking at it is no request."""
    answer = await talk.send("GET", "/")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    text = answer.data.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert talk.server.requests == []


async def test_changes_since_the_last_look(talk: Talk) -> None:
    """A request comes when it arrives and again when it is over, with its answer, tokens, faults and times."""
    await talk.post(script=Script(say="Hello there.", faults=(Stall(seconds=0.05),)))
    look = (await talk.send("GET", "/sandbox/requests?after=0")).json
    (one,) = look["requests"]
    assert (one["number"], one["status"], one["answer"], one["tokens"]) == (1, 200, "Hello there.", 3)
    assert one["script"]["faults"] == [{"stall": {"seconds": 0.05, "before": "first_chunk"}}]
    assert one["at"] + 0.04 < one["first_byte_at"] <= one["ended_at"]
    assert (await talk.send("GET", f"/sandbox/requests?after={look['revision']}")).json["requests"] == []
    await talk.post(max_tokens=0)
    (other,) = (await talk.send("GET", f"/sandbox/requests?after={look['revision']}")).json["requests"]
    assert (other["status"], other["answer"][:25]) == (400, "Invalid max_tokens value,")
    assert (await talk.send("GET", "/sandbox/requests?after=x")).status == 400


async def rows(page: Page) -> list[str]:
    """The texts of the rows, the latest first."""
    found: list[str] = await page.run("[...document.querySelectorAll('summary')].map((row) => row.innerText)")
    return found


@in_a_browser
async def test_requests_appear_as_they_come(talk: Talk) -> None:
    """While they run and when they are over; faults by name; what was sent is text, whatever it is; light and dark."""
    async with opened(talk.server.base_url + "/") as page:
        await page.until("!document.getElementById('empty').hidden")
        slow = asyncio.ensure_future(talk.post(script=Script(say="slow", faults=(Stall(seconds=60, before="head"),))))
        await page.until("document.querySelectorAll('.open').length > 0")
        assert "running" in (await rows(page))[0]
        slow.cancel()
        evil = [{"role": "user", "content": EVIL}]
        await talk.post(messages=evil, script=Script(say=EVIL))
        await talk.post(script=Script(faults=(Refuse(status=429),)))
        await talk.post(script=Script(say="cut", faults=(Cut(after_chunk=1),)), stream=True)
        await page.until("document.querySelectorAll('summary').length === 4")
        await page.until("document.querySelectorAll('.open').length === 0")
        texts = await rows(page)
        assert "cut" in texts[0]
        assert "429" in texts[1]
        assert "refuse" in texts[1]
        assert EVIL in texts[2]
        assert await page.run("document.querySelectorAll('img').length") == 0
        assert await page.run("document.title") == "DeepSeek sandbox"
        await page.run("document.querySelectorAll('details')[2].open = true")
        shown = await page.run("document.querySelectorAll('details')[2].innerText")
        assert "first byte after" in shown
        assert shown.count(EVIL) >= 3  # asked, answered, and the script
        brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
        kinds = ("header", ".number", ".path", ".time", ".ok", ".bad", ".fault", "h2", "pre", "button")
        assert await page.run(brightness) > 200
        assert await page.contrast(*kinds) >= 4.5
        await page.prefer("dark")
        assert await page.run(brightness) < 60
        assert await page.contrast(*kinds) >= 4.5
        for _ in range(2):  # the button, the latest request
            await page.press("Tab")
        await page.press("Enter")
        await page.until("document.querySelector('details').open")
        await page.run("document.getElementById('clear').click()")
        await page.until("document.querySelectorAll('summary').length === 0")
        assert not [url for url in page.urls if not url.startswith((talk.server.base_url, "data:", "about:"))]
        assert page.errors == []


@in_a_browser
async def test_with_a_key_it_asks_for_the_key(session: aiohttp.ClientSession) -> None:
    """Nothing is shown before."""
    async with SandboxServer(api_key="sk-1") as server, opened(server.base_url) as page:
        await Talk(server, session).post(body=HELLO, headers={"Authorization": "Bearer sk-1"})
        await page.until("!document.getElementById('login').hidden")
        assert await rows(page) == []
        await page.run("document.getElementById('key').value = 'sk-1'")
        await page.run("document.querySelector('#login button').click()")
        await page.until("document.querySelectorAll('summary').length === 1")
        assert "sk-1" not in await page.run("document.body.innerText")
