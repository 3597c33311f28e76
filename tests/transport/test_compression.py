"""Bodies that came compressed although they were asked for plain, and headers that only look like it."""

from __future__ import annotations

import gzip
import zlib

import pytest

from deepseek_async.errors import MalformedResponseError
from deepseek_async.transport.compression import inflater_for


@pytest.mark.parametrize(
    "encoding",
    [
        *("", "identity", "none", "None", "null", "plain", "binary", "8bit"),
        *("utf-8", "UTF8", '"utf-8"', "charset=utf-8", "iso-8859-1", "windows-1252", "gb18030", "identity, utf-8"),
    ],
)
def test_what_names_no_coding_is_plain(encoding: str) -> None:
    """A word for nothing, or the name of a character set."""
    assert inflater_for(encoding) is None


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "deflate", "utf-8, gzip", "none, deflate"])
def test_what_names_one_that_is_known_is_read(encoding: str) -> None:
    """Also beside a word that names none."""
    inflater = inflater_for(encoding)
    assert inflater is not None
    inflater.put(zlib.compress(b"Hi") if "deflate" in encoding else gzip.compress(b"Hi"))
    assert inflater.take() == b"Hi"
    assert inflater.is_whole


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "aws-chunked"])
def test_what_names_another_is_an_error(encoding: str) -> None:
    """It cannot be guessed."""
    with pytest.raises(MalformedResponseError, match="compressed"):
        inflater_for(encoding)
