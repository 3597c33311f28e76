"""The form in which texts are compared that say the same: what changes when a text is quoted is undone, or left out.

Whoever quotes a text writes it on one line, in other letters, or as JSON, HTML, a URL or Python have it. So one form
stands for all in which a text may be written:

| written as | is compared as |
| --- | --- |
| ``\\u4f60``, ``\\U0001f600``, ``\\u{1f600}``, ``%u4f60``, also with more backslashes | the character |
| ``\\xe4\\xbd\\xa0``, ``\\344\\275\\240``, ``%E4%BD%A0``, ``%25E4…`` | the character that these bytes of UTF-8 are, else of Latin-1 |
| ``&quot;``, ``&#39;``, ``&#x27;``, ``&amp;quot;`` | the character |
| ``\\n``, ``\\t`` and the like (``%5Cn``, too), white space, control characters, characters without width | nothing |
| backslashes, quotation marks, ``+`` | nothing |
| upper case | lower case |
"""  # noqa: E501 - rows of a table

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

# It begins with one of three characters, so that the search for it is quick. No quantifier is without an end but those
# of groups, so that no run of backslashes takes square time.
_CODED: Final = re.compile(
    r"""
    [\\%&](?:
      (?<=\\)\\{0,3}(?:
          U(?P<long>00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})
        | (?P<unit>[uU][0-9a-fA-F]{4}(?:\\{1,4}(?!U00(?:0|10))[uU][0-9a-fA-F]{4})*)
        | [uU]\{(?P<braced>[0-9a-fA-F]{1,6})\}
        | (?P<hex>[xX][0-9a-fA-F]{2}(?:\\{1,4}[xX][0-9a-fA-F]{2})*)
        | (?P<octal>[0-3][0-7]{2}(?:\\{1,4}[0-3][0-7]{2})*)
        | (?P<blank>[abfnrtvABFNRTV0])
      )
    | (?<=%)(?:25){0,3}(?:
          5[cC](?:%(?:25){0,3}5[cC]){0,3}(?:
              (?P<coded_unit>[uU][0-9a-fA-F]{4}(?:(?:%(?:25){0,3}5[cC]){1,4}[uU][0-9a-fA-F]{4})*)
            | (?P<coded_blank>[abfnrtvABFNRTV0]?)
          )
        | (?P<percent>[0-9a-fA-F]{2}(?:%(?!(?:25){0,3}5[cC])(?:25){0,3}[0-9a-fA-F]{2})*)
        | (?P<percent_unit>[uU][0-9a-fA-F]{4}(?:%(?:25){0,3}[uU][0-9a-fA-F]{4})*)
      )
    | (?<=&)(?:amp;){0,3}(?P<entity>(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)
    )
    """,
    re.VERBOSE,
)
# The single codes of a group: of each, the digits that tell it.
_CODES: Final = {
    "unit": re.compile(r"\\{1,4}[uU]([0-9a-fA-F]{4})"),
    "percent_unit": re.compile(r"%(?:25){0,3}[uU]([0-9a-fA-F]{4})"),
    "coded_unit": re.compile(r"(?:%(?:25){0,3}5[cC]){1,4}[uU]([0-9a-fA-F]{4})"),
    "hex": re.compile(r"\\{1,4}[xX]([0-9a-fA-F]{2})"),
    "octal": re.compile(r"\\{1,4}([0-3][0-7]{2})"),
    "percent": re.compile(r"%(?:25){0,3}([0-9a-fA-F]{2})"),
}
_ESCAPED: Final = re.compile("[\udc80-\udcff]")
_BLANKS: Final = re.compile(
    r"[\x80-\xa0\xad\u1680\u2000-\u200f\u2018\u2019\u201c\u201d\u2028-\u202f\u205f-\u2064\u3000\ufeff]+"
)
_LEFT_OUT: Final = bytes((*range(33), 127)) + b"\\\"'`+"


def plain(text: str) -> bytes:
    """A text in the form in which it is compared, as UTF-8; most of it is done in C."""
    return _encoded(_CODED.sub(_decoded, text)).translate(None, _LEFT_OUT)


def plain_each(texts: Sequence[str]) -> list[bytes]:
    """The same of many texts, at the price of one that is as long as all of them."""
    if not texts:
        return []
    joined = _CODED.sub(_decoded_between, "\0".join([text.replace("\0", "") for text in texts]))
    return _encoded(joined).translate(None, _LEFT_OUT[1:]).split(b"\0")


def _encoded(text: str) -> bytes:
    text = text.casefold()
    return (text if text.isascii() else _BLANKS.sub("", text)).encode("utf-8", "replace")


def plain_with_places(text: str) -> tuple[bytes, list[int], list[int]]:
    """The same, and for each of its bytes where what it was made of begins and ends in the text."""
    data = bytearray()
    starts: list[int] = []
    ends: list[int] = []
    known: dict[str, bytes] = {}
    for character, start, end in _characters(text):
        made = known.get(character)
        if made is None:
            made = known[character] = plain(character)
        if len(made) == 1:
            data += made
            starts.append(start)
            ends.append(end)
        elif made:
            data += made
            starts += [start] * len(made)
            ends += [end] * len(made)
    return bytes(data), starts, ends


def _characters(text: str) -> Iterator[tuple[str, int, int]]:
    """The characters that a text tells, and where each is told."""
    at = 0
    for coded in _CODED.finditer(text):
        for place in range(at, coded.start()):
            yield text[place], place, place + 1
        at = coded.end()
        kind = coded.lastgroup or ""
        if kind not in _CODES:
            for character in _decoded(coded):
                yield character, coded.start(), at
            continue
        spans = [code.span() for code in _CODES[kind].finditer(text, coded.start(), at)]
        first = 0
        for character in _grouped(kind, coded[0]):
            if kind.endswith("unit"):
                last = first + 1 + (character > "\uffff")
            else:
                last = first + len(character.encode("utf-8", "surrogateescape"))
            yield _of_one_byte(character), spans[first][0], spans[last - 1][1]
            first = last
    for place in range(at, len(text)):
        yield text[place], place, place + 1


def _decoded(coded: re.Match[str]) -> str:
    kind, told = coded.lastgroup or "", coded[coded.lastgroup or 0]
    if kind.endswith("blank"):
        return ""
    if kind == "entity":
        from html import unescape  # for those texts only that have some

        return unescape("&" + told)
    if kind in ("braced", "long"):
        code = int(told, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return _ESCAPED.sub(lambda escaped: _of_one_byte(escaped[0]), _grouped(kind, coded[0]))


def _decoded_between(coded: re.Match[str]) -> str:
    return _decoded(coded).replace("\0", "")


def _grouped(kind: str, codes: str) -> str:
    """What a group of codes tells; a byte that is no UTF-8 stands as half a surrogate."""
    digits = _CODES[kind].findall(codes)
    if kind.endswith("unit"):
        return bytes.fromhex("".join(digits)).decode("utf-16-be", "surrogatepass")
    values = bytes(int(each, 8) & 0xFF for each in digits) if kind == "octal" else bytes.fromhex("".join(digits))
    return values.decode("utf-8", "surrogateescape")


def _of_one_byte(character: str) -> str:
    """The same, or the character of Latin-1 that a byte stands for which is no UTF-8."""
    return chr(ord(character) & 0xFF) if "\udc80" <= character <= "\udcff" else character


def agreeing(one: bytes, other: bytes) -> int:
    """How many bytes the two have in common at their beginnings."""
    if one == other:
        return len(one)
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
