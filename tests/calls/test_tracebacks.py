"""Tools that render tracebacks with their locals (rich, Sentry, pytest) find no key in our frames."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import (
    AsyncClient,
    ChatRequest,
    InvalidRequestError,
    Resume,
    RetryPolicy,
    Timeouts,
    UserMessage,
)
from deepseek_async.batch.stop_rules import Limits
from deepseek_async.types.secrecy import Opaque, Secret, hide

from ..byte_server import ByteServer, Connection, answer, until_cut

KEY = "sk-0123456789abcdefTOPSECRET"
ASK: dict[str, Any] = {"model": "m", "messages": [UserMessage("hello there")]}


def shown(error: BaseException) -> list[str]:
    """The locals of our frames, and of the frames of all that hangs below, in which the key stands."""
    found: list[str] = []
    left: list[traceback.TracebackException | None] = [
        traceback.TracebackException.from_exception(error, capture_locals=True)
    ]
    while left:
        rendered = left.pop()
        if rendered is None:
            continue
        left += [rendered.__cause__, rendered.__context__]
        for frame in rendered.stack:
            if "deepseek_async" in frame.filename and "/tests/" not in frame.filename:
                values = (frame.locals or {}).items()
                found += [f"{frame.filename}:{frame.name}:{name}" for name, value in values if "TOPSECRET" in value]
    return found


SETTINGS: list[dict[str, Any]] = [
    {"api_key": KEY + "\n\u00e9x"},
    {"api_key": KEY + " two"},
    {"api_key": KEY.encode()},
    {"api_key": [KEY]},
    {"api_key": KEY, "base_url": f"https://{KEY}@api.deepseek.com"},
    {"api_key": KEY, "base_url": f"ftp://user:{KEY}@x"},
    {"api_key": KEY, "base_url": f"https://x/?key={KEY}"},
    {"api_key": KEY, "base_url": "http://far.test"},
    {"api_key": KEY, "headers": {"x-api-key": KEY + "\n"}},
    {"api_key": KEY, "headers": {"x-other": KEY, "host": "x"}},
    {"api_key": KEY, "headers": [("authorization", KEY)]},
    {"api_key": KEY, "headers": KEY},
    {"api_key": KEY, "timeouts": "soon"},
    {"api_key": KEY, "retry": 3},
    {"api_key": KEY, "hooks": 3},
    {"api_key": KEY, "max_connections": 0},
    {"api_key": KEY, "session": object()},
    {"api_key": KEY, "ssl": "no"},
    {"api_key": KEY, "proxy": f"socks5://u:{KEY}@h:1"},
    {"api_key": KEY, "proxy": f"http://u:{KEY}@h:99999"},
    {"api_key": KEY, "proxy": KEY},
    {"api_key": KEY, "proxy": 3},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=range(len(SETTINGS)))
def test_a_wrong_setting(settings: dict[str, Any]) -> None:
    """Be it the key or another: nothing that lets its bearer in stands in a variable of ours."""
    with pytest.raises(Exception) as caught:
        AsyncClient(**settings)
    assert shown(caught.value) == []


def test_a_wrong_pickle() -> None:
    """Loading one that carries the key, where something else in it has become wrong."""
    client = AsyncClient(KEY, base_url="https://llm.test", pickle_key=True, headers={"x-api-key": KEY})
    client._settings["max_body_bytes"] = 0
    with pytest.raises(Exception, match="max_body_bytes") as caught:
        pickle.loads(pickle.dumps(client))  # noqa: S301 - our own
    assert shown(caught.value) == []


CALLS: list[dict[str, Any]] = [
    {},
    {"extra_headers": {"authorization": f"Bearer {KEY}"}},
    {"extra_headers": {"x-api-key": KEY + "\n"}},
    {"extra_headers": KEY},
    {"extra_headers": [KEY]},
    {"extra_headers": {"x-api-key": KEY}, "temperature": 99},
    {"extra_headers": {"x-api-key": KEY}, "stream": "yes"},
    {"extra_headers": {"x-api-key": KEY}, "stream": True},
    {"extra_headers": {"x-api-key": KEY}, "no_such": 1},
    {"extra_headers": {"x-api-key": KEY}, "timeouts": 0},
]


@pytest.mark.anyio
@pytest.mark.parametrize("parameters", CALLS, ids=range(len(CALLS)))
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
@pytest.mark.parametrize("ending", ["refused", "gone", "nonsense", "cut"])
async def test_a_call_that_fails(parameters: dict[str, Any], proxied: bool, ending: str) -> None:
    """However it ends, on the way past aiohttp's session and through it."""

    async def play(connection: Connection) -> None:
        if ending == "refused":
            await until_cut(connection, lambda _: answer(b'{"error": {"message": "No."}}', "401 No"))
        else:
            await connection.request()
            connection.send({"gone": b"", "nonsense": b"nonsense\r\n\r\n", "cut": b"HTTP/1.1 200 OK\r\nx-a: "}[ending])

    async with ByteServer(play) as server:
        way: dict[str, Any] = {"base_url": server.base_url}
        if proxied:
            way = {
                "base_url": "http://far.test",
                "allow_insecure": True,
                "proxy": f"http://u:{KEY}@{server.base_url[7:]}",
            }
        async with AsyncClient(KEY, retry=RetryPolicy(attempts=1), **way) as client:
            with pytest.raises(Exception) as caught:
                await client.chat.completions.create(**ASK, **parameters)
    assert shown(caught.value) == []


def test_secrets_stay_hidden_when_they_are_cut() -> None:
    """Tools cut long texts before they show them; pickles carry plain text."""
    secret = hide(KEY)
    assert (secret, str(secret), f"Bearer {secret}") == (KEY, KEY, f"Bearer {KEY}")
    assert "TOPSECRET" not in repr((secret, secret[:80], secret[5:], hide({"a": KEY}), hide([KEY]), hide(KEY.encode())))
    assert type(pickle.loads(pickle.dumps(secret))) is str  # noqa: S301
    assert hide(None) is None
    assert isinstance(hide(3), Opaque)
    assert hide(secret) is secret
    assert isinstance(secret, Secret)


WRONG: list[Callable[[], object]] = [
    lambda: ChatRequest(model="m", messages="hello"),  # type: ignore[arg-type]
    lambda: ChatRequest(model="m", messages=[]),
    lambda: ChatRequest(model="m", messages={"role": "user"}),  # type: ignore[arg-type]
    lambda: ChatRequest(model="m", messages=3),  # type: ignore[arg-type]
    lambda: Resume(on="length"),  # type: ignore[arg-type]
    lambda: Resume(on=3),  # type: ignore[arg-type]
    lambda: Limits(max_cost="much"),  # type: ignore[arg-type]
    lambda: Limits(max_cost=object()),  # type: ignore[arg-type]
    lambda: RetryPolicy(attempts=0),
    lambda: Timeouts(connect=-1.0),
]


@pytest.mark.parametrize("make", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_has_a_repr_when_it_is_refused(make: Callable[[], object]) -> None:
    """Whoever renders the frames with their locals asks for the repr of what could not be made."""
    with pytest.raises(InvalidRequestError) as caught:
        make()
    assert shown(caught.value) == []


def test_a_client_that_is_half_made_has_a_repr() -> None:
    """The same for what raises in the middle of its own `__init__`."""
    assert repr(AsyncClient.__new__(AsyncClient)) == "<AsyncClient, not made>"
