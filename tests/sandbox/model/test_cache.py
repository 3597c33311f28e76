"""The trained model on disk."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepseek_async.sandbox import model as package
from deepseek_async.sandbox.model import cache, load_model
from deepseek_async.sandbox.model.ngram import count_ngrams
from deepseek_async.sandbox.model.tokenizer import Tokenizer, learn_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepseek_async.sandbox.model import LanguageModel

PIECES = [" a", " b"]
NGRAMS = count_ngrams(Tokenizer(PIECES), [" a b a", "b 12"])


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Each test starts without a model in memory, and leaves none behind."""
    package._load.cache_clear()
    yield
    package._load.cache_clear()


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Training takes a millisecond, and its runs are counted."""
    runs: list[int] = []

    def counted(texts: list[str]) -> list[str]:
        runs.append(1)
        return learn_pieces(texts)

    monkeypatch.setattr(package, "documents", lambda: ["The thing is here. The thing is there."] * 5)
    monkeypatch.setattr(package, "learn_pieces", counted)
    return runs


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Pieces and counts come back as they were; nothing but the file is left in the folder."""
    path = tmp_path / "new" / "folder" / "model.bin"
    assert cache.write(path, PIECES, NGRAMS)
    found = cache.read(path)
    assert found is not None
    pieces, ngrams = found
    assert pieces == PIECES
    assert cache._sections(ngrams) == cache._sections(NGRAMS)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.bin"]


def test_no_file_no_model(tmp_path: Path) -> None:
    """A file that is not there is not an error."""
    assert cache.read(tmp_path / "model.bin") is None


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """Half a file, as a full disk leaves it, is no model."""
    path = tmp_path / "model.bin"
    cache.write(path, PIECES, NGRAMS)
    whole = path.read_bytes()
    for size in (*range(0, len(whole), 17), len(whole) - 1):
        path.write_bytes(whole[:size])
        assert cache.read(path) is None, size
    path.write_bytes(whole + b"\0")
    assert cache.read(path) is None


def test_a_file_with_one_byte_changed_is_refused(tmp_path: Path) -> None:
    """A flipped bit anywhere is noticed."""
    path = tmp_path / "model.bin"
    cache.write(path, PIECES, NGRAMS)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 0x10,)) + whole[place + 1 :])
        assert cache.read(path) is None, place


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a version to come or gone is left alone, however well-formed."""
    path = tmp_path / "model.bin"
    monkeypatch.setattr(cache, "_VERSION", cache._VERSION + 1)
    cache.write(path, PIECES, NGRAMS)
    assert cache.read(path) is not None
    monkeypatch.undo()
    assert cache.read(path) is None


def test_sections_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A file whose checksum is right and whose contents are not: no index may lead outside."""
    path = tmp_path / "model.bin"
    for text in (["a"], [" a", " b", " c"]):
        cache.write(path, text, NGRAMS)
        assert cache.read(path) is None


def test_trained_once_then_loaded(tmp_path: Path, short_training: list[int]) -> None:
    """The second process finds the first one's model, and it is the same."""
    first = load_model(tmp_path)
    package._load.cache_clear()
    second = load_model(tmp_path)
    assert second is not first
    assert second.fingerprint == first.fingerprint
    assert len(short_training) == 1
    assert load_model(tmp_path) is second


@pytest.mark.parametrize("junk", [b"", b"not a model", b"deepseek-async n-grams\n", bytes(4000)])
def test_a_spoilt_cache_is_trained_anew_and_replaced(tmp_path: Path, short_training: list[int], junk: bytes) -> None:
    """Whatever lies in the cache's place, the model comes, and next time it is loaded."""
    path = cache.path_in(tmp_path, package.documents())
    path.write_bytes(junk)
    load_model(tmp_path)
    package._load.cache_clear()
    load_model(tmp_path)
    assert len(short_training) == 1
    assert cache.read(path) is not None


def test_a_folder_that_cannot_be_used_costs_only_the_training(tmp_path: Path, short_training: list[int]) -> None:
    """A file where the folder should be: the model is there, in memory; nothing is raised, nothing left behind."""
    (tmp_path / "file").write_bytes(b"in the way")
    model = load_model(tmp_path / "file" / "cache")
    assert model.tokenizer.encode(" thing")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_costs_only_the_training(tmp_path: Path, short_training: list[int]) -> None:
    """The same for a folder without permission to write."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    load_model(tmp_path)
    tmp_path.chmod(stat.S_IRWXU)
    assert not list(tmp_path.iterdir())


def test_a_machine_of_the_other_byte_order_reads_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are swapped on the way out and on the way in, and only there."""
    path = tmp_path / "model.bin"
    before = [list(section) for section in cache._sections(NGRAMS)]
    monkeypatch.setattr(sys, "byteorder", "big")
    assert cache.write(path, PIECES, NGRAMS)
    found = cache.read(path)
    assert found is not None
    assert cache._sections(found[1]) == cache._sections(NGRAMS)
    assert [list(section) for section in cache._sections(NGRAMS)] == before
    monkeypatch.undo()
    swapped = cache.read(path)
    assert swapped is None or cache._sections(swapped[1]) != cache._sections(NGRAMS)


def test_a_failed_replacement_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last step fails, the temporary file goes."""

    def fail(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", fail)
    assert not cache.write(tmp_path / "model.bin", PIECES, NGRAMS)
    assert not list(tmp_path.iterdir())


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEEPSEEK_ASYNC_CACHE first, then the platform's place: XDG if it is absolute, the home folder; or nowhere."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("DEEPSEEK_ASYNC_CACHE", str(tmp_path / "own"))
    assert cache.default_folder() == tmp_path / "own"
    monkeypatch.delenv("DEEPSEEK_ASYNC_CACHE")
    assert cache.default_folder() == tmp_path / "xdg" / "deepseek_async"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.default_folder() == tmp_path / ".cache" / "deepseek_async"

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.default_folder() == tmp_path / "Library" / "Caches" / "deepseek_async"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache.default_folder() == tmp_path / "local" / "deepseek_async" / "Cache"
    monkeypatch.delenv("LOCALAPPDATA")
    assert cache.default_folder() is None
    monkeypatch.setattr(sys, "platform", "linux")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache.default_folder() is None


def test_without_any_folder_the_model_is_in_memory(monkeypatch: pytest.MonkeyPatch, short_training: list[int]) -> None:
    """A container without a home has a model all the same, and trains it once."""
    monkeypatch.setattr(cache, "default_folder", lambda: None)
    assert load_model() is load_model()
    assert len(short_training) == 1


def test_another_text_has_another_file(tmp_path: Path) -> None:
    """A version of the package with another text does not read the model of this one."""
    assert cache.path_in(tmp_path, ["a", "b"]) != cache.path_in(tmp_path, ["ab"])


def test_the_real_model_survives_its_cache(model: LanguageModel, tmp_path: Path) -> None:
    """Training anew gives what the session's model has, loaded or not."""
    again = load_model(tmp_path)
    package._load.cache_clear()
    loaded = load_model(tmp_path)
    assert model.fingerprint == again.fingerprint == loaded.fingerprint
