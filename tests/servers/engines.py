"""The servers that the suite knows: how each is started, made to say a given text, and what it lacks.

Each stands in an environment of its own below ``.venv/servers``, which ``make test-servers SERVER=…`` makes.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from deepseek_async import AsyncClient

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("SERVERS", Path(sys.prefix) / "servers"))
KEY = "sk-real-server"
START_SECONDS = 240.0


@attrs.frozen
class RealServer:
    """One that runs.

    Attributes:
        engine: Of which kind.
        base_url: Where, without ``/v1``.
    """

    engine: Engine
    base_url: str

    @property
    def api_url(self) -> str:
        """Where the paths of the API stand."""
        return f"{self.base_url}/v1"

    def client(self, **settings: Any) -> AsyncClient:
        """A client of it."""
        return AsyncClient(**{"base_url": self.api_url, "api_key": KEY, **settings})

    def body(self, path: str, **fields: Any) -> bytes:
        """What the server answers, as it stands on the wire, errors included."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.api_url}{path}",
            json.dumps(fields).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            return bytes(error.read())


@attrs.frozen
class Engine:
    """A kind of server.

    Attributes:
        name: As people say it.
        version: With the package that brings it.
        model: What it calls its model.
        lacks: Of what the suite asks for; a test of a lacking thing is left out.
        steady: Body fields with which equal requests have equal answers, to the last digit.
    """

    name: str
    version: str
    model: str
    lacks: frozenset[str] = frozenset()
    steady: dict[str, Any] = attrs.field(factory=dict)

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def saying(self, text: str) -> dict[str, Any]:
        """Body fields that make the model say exactly this text."""
        raise NotImplementedError

    def command(self, port: int, **options: str) -> list[str]:
        """What starts it. Options are those of ``serve_llama.py``; another engine turns them into its own."""
        raise NotImplementedError


@attrs.frozen
class LlamaCpp(Engine):
    """llama.cpp's own server."""

    def saying(self, text: str) -> dict[str, Any]:
        return {"grammar": f"root ::= {json.dumps(text, ensure_ascii=False)}"}

    def command(self, port: int, **options: str) -> list[str]:
        if "template" in options:
            options["template"] = str(HERE / options["template"])
        python = ENVIRONMENTS / "llama" / "bin" / "python"
        return [str(python), str(HERE / "serve_llama.py"), str(port), *(f"{k}={v}" for k, v in options.items())]


@attrs.frozen
class Vllm(Engine):
    """vLLM on the CPU."""

    def saying(self, text: str) -> dict[str, Any]:
        return {"structured_outputs": {"choice": [text]}}

    def command(self, port: int, **options: str) -> list[str]:
        more = ["--api-key", options["key"]] if "key" in options else []
        more += ["--max-num-seqs", options["slots"]] if "slots" in options else []
        if options.get("template") == "think.jinja":
            more += ["--chat-template", str(HERE / "think.jinja"), "--reasoning-parser", "granite"]
            more += ["--structured-outputs-config", '{"enable_in_reasoning": true}']
        return ["bash", str(HERE / "vllm_cpu.sh"), str(ENVIRONMENTS / "vllm"), str(port), *more]


@attrs.frozen
class Transformers(Engine):
    """``transformers serve``, from vLLM's environment."""

    def command(self, port: int, **options: str) -> list[str]:
        folder = ENVIRONMENTS / "vllm"
        serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", str(folder / "model")]
        return ["env", "HF_HUB_OFFLINE=1", "OMP_NUM_THREADS=1", str(folder / "v" / "bin" / "transformers"), *serve]


ENGINES: dict[str, Engine] = {
    "llama": LlamaCpp(
        "llama.cpp", "(xllamacpp 2026.10.11549)", "smollm2", steady={"cache_prompt": False}, lacks=frozenset({"beta"})
    ),
    "vllm": Vllm(
        "vLLM",
        "0.32.0 (CPU)",
        "smollm2",
        # Several choices are refused at temperature 0; a grammar does not make it reason.
        lacks=frozenset({"beta", "suffix", "keep-alive-limit", "shared-context", "alternatives", "reasoning"}),
    ),
    "transformers": Transformers(
        "transformers serve",
        "5.19",
        str(ENVIRONMENTS / "vllm" / "model"),
        lacks=frozenset({"beta", "logprobs", "saying", "reasoning", "tools", "alternatives", "completions", "key"})
        | {"continuation", "overflow", "shared-context", "keep-alive-limit", "slots"},
    ),
}


def free_port() -> int:
    """One that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def running(engine: Engine, **options: str) -> Iterator[RealServer]:
    """A server of this kind for the length of the block.

    Raises:
        RuntimeError: It ended, or was not there in time; with the last lines that it wrote.
    """
    port = free_port()
    process = subprocess.Popen(
        engine.command(port, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    try:
        _until_it_answers(process, port, lines)
        yield RealServer(engine, f"http://127.0.0.1:{port}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reading.join(5)
        if process.stdout is not None:
            process.stdout.close()


def _until_it_answers(process: subprocess.Popen[str], port: int, lines: queue.Queue[str]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            if error.code != 503:  # llama.cpp: the model is being read
                return
        except OSError:
            pass
        time.sleep(0.2)
    said = "".join(list(lines.queue)[-15:])
    raise RuntimeError(f"the server did not start (exit code {process.poll()}):\n{said}")
