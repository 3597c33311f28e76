"""Texts for a schema's format."""

from __future__ import annotations

import base64
import datetime
import decimal
import fractions
import ipaddress
import json
import pathlib
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from deepseek_async.sandbox.model.schema.formats import FORMATS

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})+"

HOST = re.compile(_NAME).fullmatch
EMAIL = re.compile(rf"[a-z]+@{_NAME}").fullmatch
URI = re.compile(rf"https://{_NAME}/[a-z]+").fullmatch
REFERENCE = re.compile(r"/[a-z]+").fullmatch


def is_v4(text: str) -> bool:
    return ipaddress.IPv4Address(text) in ipaddress.ip_network("192.0.2.0/24")


def is_uuid(text: str) -> bool:
    return uuid.UUID(text).version == 4 and str(uuid.UUID(text)) == text


def is_duration(text: str) -> bool:
    return msgspec.convert(text, datetime.timedelta) > datetime.timedelta()


CHECKS: dict[str, Callable[[str], Any]] = {
    "date-time": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "duration": is_duration,
    "email": EMAIL,
    "idn-email": EMAIL,
    "hostname": HOST,
    "idn-hostname": HOST,
    "ipv4": is_v4,
    "ipv6": lambda text: ipaddress.IPv6Address(text) in ipaddress.ip_network("2001:db8::/32"),
    "uuid": is_uuid,
    "uuid4": is_uuid,
    "uri": URI,
    "url": URI,
    "iri": URI,
    "uri-reference": REFERENCE,
    "iri-reference": REFERENCE,
    "uri-template": re.compile(r"/[a-z]+/\{id\}").fullmatch,
    "json-pointer": REFERENCE,
    "relative-json-pointer": re.compile(r"\d/[a-z]+").fullmatch,
    "regex": re.compile,
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "ipvanyaddress": is_v4,
    "ipv4network": ipaddress.IPv4Network,
    "ipv6network": ipaddress.IPv6Network,
    "ipvanynetwork": ipaddress.ip_network,
    "ipv4interface": ipaddress.IPv4Interface,
    "ipv6interface": ipaddress.IPv6Interface,
    "ipvanyinterface": ipaddress.ip_interface,
    "path": pathlib.PurePosixPath,
    "file-path": pathlib.PurePosixPath,
    "json-string": json.loads,
    "byte": lambda text: base64.b64decode(text, validate=True),
    "base64url": base64.urlsafe_b64decode,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_is_of_its_format(name: str) -> None:
    """For many draws; from the ranges that are reserved for examples; not always the same."""
    chance = random.Random(1).random
    texts = [FORMATS[name](chance) for _ in range(300)]
    assert all(CHECKS[name](text) is not None and CHECKS[name](text) is not False for text in texts)
    assert len(set(texts)) > 3
    assert FORMATS[name](lambda: 0.0)
    assert CHECKS[name](FORMATS[name](lambda: 1.0 - 2**-53)) is not None
