"""The trained model is kept on disk, so that the second start takes milliseconds.

One file for all Pythons, since the text that the model learns from ships with the package. The format is our own, flat
arrays behind a small head, and nothing in it is ever executed. Anything unexpected (another version, a cut or altered
file, a folder that cannot be written) means: train again, keep it in memory. A cache is never a reason to fail.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import zlib
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .ngram import Ngrams, Successors
from .tokenizer import FIRST_PIECE

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENT: Final = "DEEPSEEK_ASYNC_CACHE"

_MAGIC: Final = b"deepseek-async n-grams\n"
_VERSION: Final = 3  # raise it with every change of the format, the tokenizer or the counting
_HEAD: Final = struct.Struct("<HII")  # version, length of the rest, its CRC-32
_LENGTH: Final = struct.Struct("<I")
_TYPECODES: Final = ("I", *"IIIHH", *"IIIHH")
_ITEM_BYTES: Final = {"I": 4, "H": 2}  # what the file holds; a platform whose arrays differ does without a cache


def default_folder() -> Path | None:
    """The folder for the cache: ``DEEPSEEK_ASYNC_CACHE``, else the platform's place for caches, else None."""
    chosen = os.environ.get(ENVIRONMENT)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base, "deepseek_async", "Cache") if base else None
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # noqa: PTH117 - the specification: a relative path is invalid and ignored
        return Path(xdg, "deepseek_async")
    try:
        home = Path.home()
    except RuntimeError:  # no home directory, as in some containers
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "deepseek_async"


def path_in(folder: Path, texts: Sequence[str]) -> Path:
    """Where the model lies that was trained on these texts: another text has another file."""
    checksum = zlib.crc32("\0".join(texts).encode("utf-8"))
    return folder / f"ngrams-{_VERSION}-{checksum:08x}.bin"


def read(path: Path) -> tuple[list[str], Ngrams] | None:
    """Read a model's pieces and counts; None if there is no file, or none that is whole and of this version."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not data.startswith(_MAGIC):
        return None
    try:
        version, length, checksum = _HEAD.unpack_from(data, len(_MAGIC))
        rest = memoryview(data)[len(_MAGIC) + _HEAD.size :]
        if version != _VERSION or length != len(rest) or checksum != zlib.crc32(rest):
            return None
        return _unpack(rest)
    except (struct.error, ValueError):
        return None


def write(path: Path, pieces: list[str], ngrams: Ngrams) -> bool:
    """Write a model, whole or not at all, also when several processes do so at once.

    Returns:
        Whether it was written.
    """
    rest = _pack(pieces, ngrams)
    head = _HEAD.pack(_VERSION, len(rest), zlib.crc32(rest))
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            file.write(_MAGIC + head + rest)
        temporary.replace(path)
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        return False
    return True


def _sections(ngrams: Ngrams) -> list[array[int]]:
    sections = [ngrams.singles]
    for successors in (ngrams.pairs, ngrams.triples):
        sections += [
            successors.contexts,
            successors.starts,
            successors.totals,
            successors.tokens,
            successors.counts,
        ]
    return sections


def _pack(pieces: list[str], ngrams: Ngrams) -> bytes:
    words = "\0".join(pieces).encode("ascii")
    parts = [_LENGTH.pack(len(words)), words]
    for section in _sections(ngrams):
        data = section
        if sys.byteorder == "big":
            data = section[:]
            data.byteswap()
        parts += [_LENGTH.pack(len(section)), data.tobytes()]
    return b"".join(parts)


def _unpack(rest: memoryview) -> tuple[list[str], Ngrams]:
    offset = 0

    def section(item_bytes: int) -> memoryview:
        nonlocal offset
        (items,) = _LENGTH.unpack_from(rest, offset)
        start = offset + _LENGTH.size
        offset = start + items * item_bytes
        return rest[start:offset]

    pieces = str(section(1), "ascii").split("\0")
    arrays = []
    for typecode in _TYPECODES:
        values = array(typecode)
        if values.itemsize != _ITEM_BYTES[typecode]:
            raise ValueError("arrays of another width")
        values.frombytes(section(_ITEM_BYTES[typecode]))
        if sys.byteorder == "big":
            values.byteswap()
        arrays.append(values)
    ngrams = Ngrams(arrays[0], Successors(*arrays[1:6]), Successors(*arrays[6:11]))
    if offset != len(rest) or len(ngrams.singles) != FIRST_PIECE + len(pieces):
        raise ValueError("sections that do not fit each other")
    for successors in (ngrams.pairs, ngrams.triples):
        if (
            len(successors.starts) != len(successors.contexts) + 1
            or len(successors.totals) != len(successors.contexts)
            or not successors.starts[-1] == len(successors.tokens) == len(successors.counts)
        ):
            raise ValueError("sections that do not fit each other")
    return pieces, ngrams
