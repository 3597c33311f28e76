"""The processes of a run: the server on one core, on another the contestants, one at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .wire import Spec


def _pinned_to(number: int) -> dict[str, Any]:
    """Keep a process on one core, so that server and contestant never take each other's time."""
    if not hasattr(os, "sched_setaffinity"):
        return {}
    cores = sorted(os.sched_getaffinity(0))
    return {"preexec_fn": lambda: os.sched_setaffinity(0, {cores[number % len(cores)]})}


def environment() -> dict[str, str]:
    """Of every contestant: none asks the network for anything, and all have bytecode, as installed packages do."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def _start(module: str, *arguments: str, core: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment(), **pipes, **_pinned_to(core))


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


class Server:
    """A replaying server."""

    def __init__(self) -> None:
        self._process = _start("replay", core=0)
        assert self._process.stdout is not None
        self.root = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def cpu_seconds(self) -> float:
        """What it took of its core so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(end="?", file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        _stop(self._process)


@contextmanager
def server() -> Iterator[Server]:
    """A replaying server, for as long as the context lasts."""
    replaying = Server()
    try:
        yield replaying
    finally:
        replaying.stop()


class Absent(Exception):  # noqa: N818 - a state, not a fault
    """What a contestant needs is not installed."""


class Worker:
    """One contestant's process."""

    def __init__(self, name: str, root: str, *, uvloop: bool = False) -> None:
        self._process = _start("worker", name, root, *(["--uvloop"] if uvloop else []), core=1)
        answer = self._answer()
        if "absent" in answer:
            self.stop()
            raise Absent(answer["absent"])

    def measure(self, measure: str, spec: Spec, count: int) -> dict[str, float]:
        """One round. Raises `RuntimeError` if the contestant failed, or saw another answer than was sent."""
        assert self._process.stdin is not None
        print(json.dumps({"measure": measure, "spec": spec.name, "count": count}), file=self._process.stdin, flush=True)
        figures = self._answer()
        if "error" in figures:
            raise RuntimeError(figures["error"])
        return figures

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the contestant's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        _stop(self._process)
