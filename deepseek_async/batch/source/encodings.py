"""A source's bytes → UTF-8, whatever they are written in: told by how they begin, however few a read brings. Pure.

| begins with | is | |
| --- | --- | --- |
| ``EF BB BF`` | UTF-8 with a mark | read, without the mark |
| ``FF FE``, ``FE FF``; a zero byte beside the first character | UTF-16 | read |
| ``1F 8B`` (RFC 1952) | gzip, of several members too | read |
| ``FF FE 00 00``, ``00 00 FE FF`` | UTF-32 | refused, with what to do |
| the marks of zstd, xz, bzip2, zip, Parquet, Arrow | a file that has no lines | refused, with what to do |
| anything else | UTF-8 | read |
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from ...errors import InvalidRequestError

# The longest mark that has to be seen whole.
_MARK_BYTES: Final = 6
# So much is decompressed at once: a gzip of zeros is a thousand times larger than its file.
PIECE_BYTES: Final = 8 * 2**20

_NO_LINES: Final = (
    (b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it first: zstd -dc FILE | deepseek-async batch run - -o OUTPUT"),
    (b"\xfd7zXZ\0", "an xz file", "decompress it first: xz -dc FILE | deepseek-async batch run - -o OUTPUT"),
    (b"BZh", "a bzip2 file", "decompress it first: bzip2 -dc FILE | deepseek-async batch run - -o OUTPUT"),
    (b"PK\x03\x04", "a zip file", "unpack it first; save a spreadsheet as CSV"),
    (b"PAR1", "a Parquet file", "give the file a name that ends with .parquet"),
    (b"ARROW1", "an Arrow file", "give its table as the source: pyarrow.ipc.open_file(FILE).read_all()"),
    (b"\xff\xfe\0\0", "UTF-32", "write it as UTF-8: iconv -f UTF-32 -t UTF-8 FILE"),
    (b"\0\0\xfe\xff", "UTF-32", "write it as UTF-8: iconv -f UTF-32 -t UTF-8 FILE"),
)


def utf8_of(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """What the pieces of a source are in UTF-8, in pieces of any size but none.

    Args:
        pieces: As reads have brought them; read on only when more is wanted.
        name: The source's, for messages.

    Raises:
        InvalidRequestError: It is something else than lines, or ends in the middle of a character or of a file.
    """
    start = b""
    while len(start) < _MARK_BYTES and (piece := next(pieces, b"")):
        start += piece
    for mark, what, todo in _NO_LINES:
        if start.startswith(mark):
            raise InvalidRequestError("source", name, message=f"{name} is {what}, which has no lines: {todo}")
    whole = chain((start,), pieces)
    try:
        if start.startswith(b"\x1f\x8b"):
            yield from utf8_of(_unzipped(whole), f"what is in {name}")
        elif (encoding := _utf16_of(start)) is not None:
            yield from _recoded(whole, encoding)
        else:  # a line that is no UTF-8 is that row's failure, and not the source's
            yield from filter(None, chain((start.removeprefix(codecs.BOM_UTF8),), pieces))
    except (UnicodeDecodeError, zlib.error, EOFError) as error:
        raise InvalidRequestError("source", name, message=f"{name} cannot be read: {error}") from None


def _utf16_of(start: bytes) -> str | None:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) > 1 and start[0] and not start[1]:
        return "utf-16-le"
    return "utf-16-be" if len(start) > 1 and start[1] and not start[0] else None


def _recoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text.encode()
    decoder.decode(b"", final=True)  # raises for half a character


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip file after another."""
    file = zlib.decompressobj(wbits=31)
    for piece in pieces:
        rest = piece
        while rest:
            if file.eof:
                if not (rest := rest.lstrip(b"\0")):  # tapes and downloads are filled up with zeros
                    break
                file = zlib.decompressobj(wbits=31)
            if plain := file.decompress(rest, PIECE_BYTES):
                yield plain
            rest = file.unused_data if file.eof else file.unconsumed_tail
    if not file.eof:
        raise EOFError("the gzip file ends in the middle; is it still being written?")
