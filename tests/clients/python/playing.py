"""What the scripts of all Python clients share: scripts for the sandbox, and a line of JSON for each case.

It runs in the client's environment and imports nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

BASE = os.environ["SANDBOX"]
KEY = "sk-any"
MODEL = "deepseek-flash"
HELLO = "Say hello."
WEATHER = "What is the weather in Paris? Use the tool."
PIECES = ["Hel", "lo ", "the", "re."]
CASES: dict[str, Callable[[], Any]] = {}


def scripts(*given: dict[str, Any]) -> None:
    """What the next requests are answered."""
    body = json.dumps({"scripts": given}).encode()
    request = urllib.request.Request(f"{BASE}/sandbox/scripts", body, {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        answer.read()


def _reset() -> None:
    for path in ("scripts", "requests"):
        request = urllib.request.Request(f"{BASE}/sandbox/{path}", method="DELETE")  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            answer.read()


def requests() -> list[dict[str, Any]]:
    """What the sandbox saw of the present case."""
    with urllib.request.urlopen(f"{BASE}/sandbox/requests") as answer:  # noqa: S310
        return list(json.load(answer)["requests"])


def call(**arguments: Any) -> dict[str, Any]:
    """A script that calls the weather tool."""
    return {"calls": [{"name": "get_weather", "arguments": arguments or {"city": "Paris"}}]}


SAY = {"say": "Hello there."}
STREAM = {"say": PIECES}
SUNNY = {"say": "Sunny."}
THINK = {**call(), "think": "Hm, the weather."}
REFUSE = {"faults": [{"refuse": {"status": 429}}]}
CUT = {"say": PIECES, "faults": [{"cut": {"after_chunk": 3}}]}


def case(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """The decorated function plays this case; what it returns is what the table says, None is "yes"."""

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        CASES[name] = function
        return function

    return register


def same(got: object, wanted: object) -> None:
    """Raises `AssertionError` with both."""
    if got != wanted:
        raise AssertionError(f"got {got!r}, not {wanted!r}")


def told(error: BaseException | None, text: str) -> str:
    """What a client made of a cut: how it says so, or that it does not."""
    return f"told: {type(error).__name__}" if error else f"not told: {text!r} is the answer"


def play(*packages: str) -> None:
    """Run all cases and print what came of each."""
    print(json.dumps({"versions": {name: version(name) for name in packages}}), flush=True)
    for name, function in CASES.items():
        _reset()
        try:
            words = function()
            if inspect.isawaitable(words):
                words = asyncio.run(_awaited(words))
            print(json.dumps({"case": name, "words": words or "yes"}), flush=True)
        except Exception as error:
            line = f"{type(error).__name__}: {error}"[:400]
            print(json.dumps({"case": name, "failed": line}), flush=True)


async def _awaited(words: Any) -> Any:
    return await words
