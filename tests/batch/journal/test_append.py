"""Whether a file is locked, asked without being in anyone's way."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from deepseek_async.batch.journal.append import Appending
from deepseek_async.batch.journal.locks import is_locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is there."""
    path = tmp_path / "out.jsonl"
    path.touch()
    return path


def test_a_lock_is_seen_while_it_is_held(path: Path) -> None:
    """And asking, however often, takes nothing from its holder."""
    assert is_locked(path) is False
    file = Appending(path)
    assert file.lock()
    assert [is_locked(path) for _ in range(3)] == [True] * 3
    other = Appending(path)
    assert not other.lock()
    other.close()
    assert is_locked(path)
    file.close()
    assert is_locked(path) is False


def test_asking_keeps_no_run_from_starting(path: Path) -> None:
    """Whoever asks has the lock for a moment, which is waited out."""
    asking = os.open(path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    timer = threading.Timer(0.03, os.close, (asking,))
    timer.start()
    file = Appending(path)
    assert file.lock()
    file.close()
    timer.join()


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known then."""

    def flock(*_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert is_locked(path) is None


def test_a_missing_file(tmp_path: Path) -> None:
    """An error, as for whoever reads it."""
    with pytest.raises(FileNotFoundError):
        is_locked(tmp_path / "none")
