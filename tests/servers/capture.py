"""Record what a real server sends, byte for byte, into ``tests/data/captures``: ``python -m tests.servers.capture``.

Each case is one request, asked as a stream and in one piece: ``ENGINE-CASE.sse`` and ``.json``. The decoder's tests
read them in every cut. Recorded anew when a server's version moves; `SERVER` names the engine, as for the suite.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .engines import ENGINES, RealServer, running
from .test_reassembly import COLOURS, EMOJI, TOOL, weather

FOLDER = Path(__file__).parent.parent / "data" / "captures"


def cases_of(server: RealServer) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and body fields of each case that this engine can play; its template stands before the name."""
    engine = server.engine
    chat = {"messages": COLOURS, "max_tokens": 12}
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "plain": ("/chat/completions", chat),
        "stop": ("/chat/completions", {**chat, "stop": [" the"]}),
    }
    if "logprobs" not in engine.lacks:
        cases["logprobs"] = ("/chat/completions", {**chat, "max_tokens": 6, "logprobs": True, "top_logprobs": 2})
        if engine.name != "vLLM":  # "n must be 1 when using greedy sampling"
            cases["two-choices"] = ("/chat/completions", {**chat, "n": 2, "logprobs": True, "top_logprobs": 1})
    if "saying" not in engine.lacks:
        said = {**chat, "max_tokens": 60, "logprobs": True, "top_logprobs": 1, **engine.saying(EMOJI)}
        cases["characters-in-parts"] = ("/chat/completions", said)
    if "tools" not in engine.lacks:
        turns = [*weather("Oslo", "Bern"), *weather("Kiel", "Lima", number=1), *weather("Bonn", "Graz", number=2)]
        messages = [*turns, {"role": "user", "content": "Weather in Rome and Paris?"}]
        tools = {"messages": messages, "tools": [TOOL], "parallel_tool_calls": True, "max_tokens": 90}
        cases["two-calls"] = ("/chat/completions", tools)
    if "completions" not in engine.lacks:
        cases["completions"] = ("/completions", {"prompt": "def add(a, b):\n", "max_tokens": 6, "logprobs": 2})
    return cases


def write_pair(server: RealServer, name: str, path: str, body: dict[str, Any]) -> None:
    """One case, whole and streamed. A model's name that is a path of this machine becomes ``smollm2``."""
    streamed = {**body, "stream": True, "stream_options": {"include_usage": True}}
    for ending, asked in (("json", body), ("sse", streamed)):
        said = server.body(path, **asked).replace(server.engine.model.encode(), b"smollm2")
        (FOLDER / f"{name}.{ending}").write_bytes(said)


def record() -> None:
    """Start the server, ask, and write."""
    engine_name = os.environ.get("SERVER", "llama")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running(ENGINES[engine_name], template="tools.jinja") as server:
        engine = server.engine
        for name, (path, fields) in cases_of(server).items():
            body = {"model": engine.model, "temperature": 0, **engine.steady, **fields}
            write_pair(server, f"{engine_name}-{name}", path, body)
    if "reasoning" not in ENGINES[engine_name].lacks:
        with running(ENGINES[engine_name], template="think.jinja") as server:
            said = server.engine.saying("<think>\nhm, 雨\n</think>\n\nYes, 🦄.")
            body = {"model": engine.model, "temperature": 0, **engine.steady, "messages": COLOURS, "max_tokens": 80}
            body |= {"logprobs": True, "top_logprobs": 1, **said}
            write_pair(server, f"{engine_name}-reasoning", "/chat/completions", body)


if __name__ == "__main__":
    record()
