"""The log of the package: one line for each attempt at DEBUG, retries and waits at INFO, and never a secret."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from deepseek_async import APIConnectionError, DeepSeekError
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, hello, stream_of, whole

pytestmark = pytest.mark.anyio

LOGGER = "deepseek_async"
KEY = "sk-0123456789abcdef"
ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO, "max_tokens": 50}


def lines(caplog: pytest.LogCaptureFixture, level: int | None = None) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == LOGGER and level in (None, each.levelno)]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    with caplog.at_level(logging.DEBUG, LOGGER):
        yield caplog


async def test_one_line_for_each_attempt(log: pytest.LogCaptureFixture) -> None:
    """What was asked of whom, what came of it, how long each part took, under which id."""
    client, _ = client_on(whole(completion(), **{"x-ds-trace-id": "t"}), Answer([hello()], reused=True))
    await client.chat.completions.create(**ASK)
    await (await client.chat.completions.create(**ASK, stream=True)).completion()
    one, two = lines(log, logging.DEBUG)
    assert one.startswith("POST http://localhost:1/chat/completions 200, completed, in 0.")
    for part in ("call 1, attempt 1;", "deepseek-flash, 1 message, max_tokens=50", "a new connection", "first byte"):
        assert part in one
    assert one.endswith("request_id t)")
    for part in ("call 2, attempt 1;", "1 message, stream", "a kept connection", "first chunk after 0.", "4 chunks"):
        assert part in two
    assert lines(log, logging.INFO) == []


async def test_retries_are_said_at_info(log: pytest.LogCaptureFixture) -> None:
    """And each failed attempt has its line, of which no other is the last."""
    client, _ = client_on(
        APIConnectionError("refused"), whole({"error": {"message": "busy"}}, 503), whole(completion())
    )
    await client.chat.completions.create(**ASK)
    first, second, third = lines(log, logging.DEBUG)
    assert "no answer, failed (APIConnectionError: refused)" in first
    assert " 503, failed (ServiceUnavailableError: " in second
    assert " 200, completed, " in third
    said = lines(log, logging.INFO)
    assert len(said) == 2
    assert "attempt 1 had failed (APIConnectionError: refused); again in 0.000 s" in said[0]
    assert "call 1: attempt 2 had failed (ServiceUnavailableError: " in said[1]


async def test_at_info_only_retries(caplog: pytest.LogCaptureFixture) -> None:
    """Without a hook, and without what a line for each attempt costs."""
    with caplog.at_level(logging.INFO, LOGGER):
        client, _ = client_on(APIConnectionError("refused"), whole(completion()))
        await client.chat.completions.create(**ASK)
    assert len(lines(caplog)) == 1


async def test_the_last_failure_has_its_line_too(log: pytest.LogCaptureFixture) -> None:
    """Once, in an answer that is cut, refused, cancelled or left."""
    for answer, way in (
        (whole({"error": {"message": "no"}}, 400), "400, failed (BadRequestError: "),
        (Answer([stream_of(chunk("Hel"), done=False)]), "200, failed (StreamInterruptedError: "),
        (Answer([stream_of(chunk("Hel"), done=False), Pause()]), "200, closed, "),
    ):
        log.clear()
        client, _ = client_on(answer)
        stream = client.chat.completions.stream(**ASK)
        try:
            await anext(stream)
            await (stream.aclose() if "closed" in way else stream.completion())
        except DeepSeekError:
            pass
        (line,) = lines(log, logging.DEBUG)
        assert way in line

    log.clear()
    client, _ = client_on(APIConnectionError("refused"))
    pause = Pause()
    task = asyncio.ensure_future(client.chat.completions.create(**ASK, retry={"attempts": 2, "wait_initial": 60.0}))
    del pause
    await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(lines(log, logging.DEBUG)) == 2


async def test_no_line_has_a_secret_or_a_prompt(log: pytest.LogCaptureFixture) -> None:
    """Whatever a server quotes, on however many lines, and whatever it does to terminals."""
    echo = f"who is Bearer {KEY}, who said Hello? once more\r\nCRITICAL forged \x1b[31mline"
    client, _ = client_on(
        whole({"error": {"message": echo}}, 503, **{"x-ds-trace-id": f"id {KEY}"}),
        whole({"error": {"message": echo}}, 400),
        api_key=KEY,
    )
    prompt = "Hello? once more, with all that I have to say"
    with pytest.raises(DeepSeekError):
        await client.chat.completions.create(**{**ASK, "messages": [{"role": "user", "content": prompt}]})
    assert len(lines(log)) == 3
    for line in lines(log):
        assert KEY not in line
        assert "Hello? once more, with" not in line
        assert "\n" not in line
        assert line.isprintable()


async def test_a_handler_that_fails_breaks_no_call() -> None:
    """Not a line of an attempt's, and not one of a retry's."""

    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("no room")

    logger, handler = logging.getLogger(LOGGER), Failing()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        client, _ = client_on(APIConnectionError("refused"), whole(completion()))
        assert (await client.chat.completions.create(**ASK)).text == "Hello."
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
