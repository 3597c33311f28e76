"""Bodies that come compressed although they were asked for plain, read without letting a small body become a huge one.

The client asks for ``identity``; some gateways compress all the same. What can be read is read, a slice at a time and
up to a cap, so that ten gigabytes of zeros in ten megabytes cost neither the memory nor the event loop.
"""

from __future__ import annotations

import zlib
from typing import Final

from ..errors import MalformedResponseError, ResponseTooLargeError

SLICE_BYTES: Final = 2**18
# As large as the cap on a whole body: an answer that is longer is refused plain, too.
MAX_INFLATED_BYTES: Final = 256 * 2**20

_GZIP = zlib.MAX_WBITS | 16
_FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class Inflater:
    """Compressed bytes in, plain bytes out in slices.

    Args:
        encoding: The ``Content-Encoding``, one that this can read.
        max_bytes: Cap on all that comes out.
    """

    def __init__(self, encoding: str, max_bytes: int = MAX_INFLATED_BYTES) -> None:
        self._encoding = encoding
        self._max_bytes = max_bytes
        self._wbits = _FORMATS[encoding]
        self._stream = zlib.decompressobj(self._wbits)
        self._pending = b""
        self._has_begun = False
        self._may_hold_more = False  # zlib may have taken all its input and not yet given all its output
        self._size = 0

    def put(self, data: bytes) -> None:
        """Take compressed bytes."""
        if not self._has_begun and self._wbits == zlib.MAX_WBITS and data[0] & 0x0F != 8:
            # RFC 9110 section 8.4.1.2: deflate has a zlib header, and some implementations leave it out.
            self._wbits = -zlib.MAX_WBITS
            self._stream = zlib.decompressobj(self._wbits)
        self._has_begun = True
        self._pending += data

    def take(self) -> bytes:
        """The next plain bytes, at most `SLICE_BYTES`; ``b""``: more compressed ones are needed.

        Raises:
            MalformedResponseError: They are not what the header says.
            ResponseTooLargeError: More has come out than is allowed.
        """
        while self.has_more:
            if self._stream.eof:
                self._stream = zlib.decompressobj(self._wbits)  # gzip: several members, one after the other
            try:
                data = self._stream.decompress(self._pending, SLICE_BYTES)
            except zlib.error as error:
                raise MalformedResponseError(f"the body is not {self._encoding} as its header says: {error}") from None
            self._pending = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            self._may_hold_more = len(data) == SLICE_BYTES and not self._stream.eof
            self._size += len(data)
            if self._size > self._max_bytes:
                raise ResponseTooLargeError(
                    f"the {self._encoding} body is larger than the cap of {self._max_bytes:,} bytes when inflated",
                    limit=self._max_bytes,
                )
            if data:
                return data
        return b""

    @property
    def has_more(self) -> bool:
        """Whether `take` may bring something without more compressed bytes."""
        return self._may_hold_more or bool(self._pending)

    @property
    def is_whole(self) -> bool:
        """Whether the compressed bytes so far are a whole body."""
        return not self._pending and (self._stream.eof or not self._has_begun)


# No codings (RFC 9110 section 8.4.1), but said where one would stand: "none", "plain" and the like by servers that mean
# it, the name of a character set by those that confuse the two.
_PLAIN = frozenset(("identity", "none", "null", "plain", "text", "raw", "binary", "7bit", "8bit", "ascii", "us-ascii"))
_CHARACTER_SETS = ("utf", "iso-", "iso8859", "latin", "windows-", "cp125", "gb2312", "gb18030", "gbk", "charset=")


def _is_plain(encoding: str) -> bool:
    return encoding in _PLAIN or encoding.startswith(_CHARACTER_SETS)


def inflater_for(content_encoding: str) -> Inflater | None:
    """What reads a body of that ``Content-Encoding``; ``None``: it is plain.

    Raises:
        MalformedResponseError: It cannot be read.
    """
    encodings = [encoding for part in content_encoding.split(",") if (encoding := part.strip().strip("\"'").lower())]
    encodings = [encoding for encoding in encodings if not _is_plain(encoding)]
    if not encodings:
        return None
    if len(encodings) > 1 or encodings[0] not in _FORMATS:
        raise MalformedResponseError(
            f"the body is compressed ({', '.join(encodings)[:60]}) although plain was asked for: something between "
            "here and the server compresses on its own; gzip or deflate could be read"
        )
    return Inflater(encodings[0])
