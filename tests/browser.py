"""A headless Chromium, driven over its own protocol: enough to open a page, look at it, and hear its errors.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")


_KEYS = {"Tab": 9, "Enter": 13}
# WCAG 2.2, relative luminance and contrast ratio, of the ink of an element on the ground below it.
_CONTRAST = """(kinds) => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => { const [r, g, b] = numbers(colour).map((value) => value / 255).map((value) =>
        value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
    const ground = (element) => { const colour = getComputedStyle(element).backgroundColor;
        return numbers(colour)[3] === 0 && element.parentElement ? ground(element.parentElement) : colour; };
    return kinds.flatMap((kind) => [...document.querySelectorAll(kind)].slice(0, 9)).map((element) => {
        const pair = [light(getComputedStyle(element).color), light(ground(element))];
        return (Math.max(...pair) + .05) / (Math.min(...pair) + .05); });
}"""


class Page:
    """A tab.

    Attributes:
        errors: Exceptions of its scripts, and what it complained of.
        urls: Everything that it asked for.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self.errors: list[str] = []
        self.urls: list[str] = []

    async def listen(self) -> None:
        """Hear what the browser says, until it is closed."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._replies.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.errors.append(str(said["params"]["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.errors.append(said["params"]["entry"]["text"])
            elif said["method"] == "Network.requestWillBeSent":
                self.urls.append(said["params"]["request"]["url"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """Have the browser do something."""
        number = next(self._numbers)
        self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        reply = await self._replies[number]
        assert "error" not in reply, reply
        return reply["result"]

    async def run(self, expression: str) -> Any:
        """The value of an expression in the page."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def prefer(self, scheme: str) -> None:
        """Have the user prefer ``light`` or ``dark`` colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def press(self, key: str) -> None:
        """Press ``Tab`` or ``Enter``."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if (key, kind) == ("Enter", "keyDown") else {}
            code = _KEYS[key]
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    async def contrast(self, *kinds: str) -> float:
        """The least contrast of text, 1 to 21, among nine elements of each kind (a selector)."""
        contrasts: list[float] = []
        for kind in kinds:
            found = await self.run(f"({_CONTRAST})([{kind!r}])")
            assert found, kind
            contrasts += found
        return min(contrasts)

    async def until(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        look = f"const look = () => ({expression}) ? done(true) : setTimeout(look, 20); look()"
        async with asyncio.timeout(20):
            await self.run(f"new Promise((done) => {{ {look} }})")


def _port(told: Path) -> str:
    """Where the browser listens, once it has written that down."""
    for _ in range(1200):
        if told.exists() and (lines := told.read_text().splitlines()):
            return lines[0]
        time.sleep(0.05)
    raise TimeoutError("the browser did not start")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Page]:
    """A browser with one page, in light colours. The caller skips where `CHROMIUM` is None."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = (CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank")
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        try:
            port = await asyncio.to_thread(_port, Path(profile, "DevToolsActivePort"))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    target = next(one for one in await answer.json() if one["type"] == "page")
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=2**26) as socket:
                    page = Page(socket)
                    listening = asyncio.ensure_future(page.listen())
                    for domain in ("Runtime", "Log", "Network", "Page"):
                        await page.call(f"{domain}.enable")
                    await page.prefer("light")
                    await page.call("Page.navigate", url=url)
                    await page.until("document.readyState === 'complete'")
                    yield page
                    listening.cancel()
        finally:
            process.kill()
            await process.wait()
