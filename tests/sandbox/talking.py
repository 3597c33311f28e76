"""A client as plain as can be: what was received, byte for byte, and how it ended. It shares nothing with ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import attrs

from deepseek_async.sandbox import SandboxServer, Script, write_script

HELLO = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hello!"}]}
THINKING = {**HELLO, "model": "deepseek-flash"}


@attrs.frozen
class Answer:
    """What came back.

    Attributes:
        broken: The error that ended the body, if one did.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes
    broken: Exception | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["error"])

    @property
    def events(self) -> list[str]:
        """The data of each event; only for well-formed streams with LF."""
        return [block[6:] for block in self.data.decode().split("\n\n") if block.startswith("data: ")]

    @property
    def chunks(self) -> list[Any]:
        """The chunks of a stream that ended with [DONE]."""
        assert self.events[-1] == "[DONE]"
        return [json.loads(event) for event in self.events[:-1]]

    @property
    def deltas(self) -> list[Any]:
        return [chunk["choices"][0]["delta"] for chunk in self.chunks]

    @property
    def text(self) -> str:
        """The content of choice 0, streamed or not."""
        if self.data.startswith(b"data:"):
            return "".join(delta.get("content") or "" for delta in self.deltas)
        return str(self.json["choices"][0]["message"]["content"])


class Talk:
    """Posts to one server."""

    def __init__(self, server: SandboxServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def post(
        self,
        path: str = "/chat/completions",
        *,
        body: Mapping[str, Any] = HELLO,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        script: Script | None = None,
        **fields: Any,
    ) -> Answer:
        """Post ``body`` with ``fields`` over it, or ``data`` as it is."""
        sent = json.dumps({**body, **fields}).encode() if data is None else data
        named = {"Content-Type": "application/json", **(headers or {})}
        if script is not None:
            named["x-sandbox-script"] = write_script(script)
        return await self.send("POST", path, data=sent, headers=named)

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, self.server.base_url + path, **options) as response:
            received, broken = b"", None
            try:
                async for data in response.content.iter_any():
                    received += data
            except aiohttp.ClientError as error:
                broken = error
            return Answer(response.status, response.headers, received, broken)


def fold(chunks: list[Any]) -> dict[str, Any]:
    """Chunks to the completion they add up to, written from the API's page and nothing else."""
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for part in chunk["choices"]:
            choice = choices.setdefault(
                part["index"],
                {
                    "index": part["index"],
                    "message": {"role": None, "content": None},
                    "logprobs": None,
                    "finish_reason": None,
                },
            )
            message, delta = choice["message"], part["delta"]
            message["role"] = message["role"] or delta.get("role")
            for channel in ("content", "reasoning_content"):
                if delta.get(channel) is not None:
                    message[channel] = (message.get(channel) or "") + delta[channel]
            for fragment in delta.get("tool_calls", ()):
                calls = message.setdefault("tool_calls", [])
                if fragment["index"] == len(calls):
                    calls.append({**fragment, "function": {**fragment["function"]}})
                else:
                    calls[fragment["index"]]["function"]["arguments"] += fragment["function"]["arguments"]
            for channel, tokens in (part["logprobs"] or {}).items():
                choice["logprobs"] = choice["logprobs"] or {"content": None, "reasoning_content": None}
                if tokens:
                    choice["logprobs"][channel] = (choice["logprobs"][channel] or []) + tokens
            choice["finish_reason"] = choice["finish_reason"] or part["finish_reason"]
    first = chunks[0]
    return {
        **{name: first[name] for name in ("id", "created", "model", "system_fingerprint")},
        "object": "chat.completion",
        "choices": [choices[index] for index in sorted(choices)],
        "usage": usage,
    }
