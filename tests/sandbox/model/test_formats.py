"""Texts for a schema's format."""

from __future__ import annotations

import datetime
import ipaddress
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async.sandbox.model.schema.formats import FORMATS

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})+"

CHECKS: dict[str, Callable[[str], Any]] = {
    "email": re.compile(rf"[a-z]+@{_NAME}").fullmatch,
    "hostname": re.compile(_NAME).fullmatch,
    "ipv4": lambda text: ipaddress.IPv4Address(text) in ipaddress.ip_network("192.0.2.0/24"),
    "ipv6": lambda text: ipaddress.IPv6Address(text) in ipaddress.ip_network("2001:db8::/32"),
    "uuid": lambda text: uuid.UUID(text).version == 4 and str(uuid.UUID(text)) == text,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "date-time": datetime.datetime.fromisoformat,
    "uri": re.compile(rf"https://{_NAME}/[a-z]+").fullmatch,
    "uri-reference": re.compile(r"/[a-z]+").fullmatch,
    "regex": re.compile,
    "json-pointer": re.compile(r"/[a-z]+").fullmatch,
    "duration": re.compile(r"PT[1-9]\d?M").fullmatch,
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
