"""Texts for a schema's ``format``: invented ones, from the ranges and names that are reserved for examples."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Chance = Callable[[], float]

_NAMES: Final = ("ada", "alan", "barbara", "grace", "hedy", "katherine", "linus", "margaret")
_HOSTS: Final = ("example.com", "example.net", "example.org", "mail.example.com", "www.example.org", "api.example.net")
_BITS: Final = 32


def _bits(chance: Chance, size: int) -> int:
    value = 0
    for _ in range(0, size, _BITS):
        value = value << _BITS | int(chance() * 2**_BITS)
    return value & ((1 << size) - 1)


def _one_of(choices: tuple[str, ...], chance: Chance) -> str:
    return choices[int(chance() * len(choices))]


def _uuid(chance: Chance) -> str:
    digits = f"{_bits(chance, 128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(chance() * 4)]}{digits[17:20]}-{digits[20:]}"


def _date(chance: Chance) -> str:
    return f"20{int(chance() * 30):02d}-{1 + int(chance() * 12):02d}-{1 + int(chance() * 28):02d}"


def _time(chance: Chance) -> str:
    return f"{int(chance() * 24):02d}:{int(chance() * 60):02d}:{int(chance() * 60):02d}Z"


def _decimal(chance: Chance) -> str:
    return f"{int(chance() * 1000)}.{int(chance() * 100):02d}"


def _duration(chance: Chance) -> str:
    """RFC 3339, appendix A, without months and years, which no duration in seconds can hold."""
    days, minutes = int(chance() * 7), 1 + int(chance() * 59)
    return f"P{days}DT{int(chance() * 24)}H{minutes}M" if days else f"PT{minutes}M"


def _email(chance: Chance) -> str:
    return f"{_one_of(_NAMES, chance)}@{_one_of(_HOSTS, chance)}"


def _uri(chance: Chance) -> str:
    return f"https://{_one_of(_HOSTS, chance)}/{_one_of(_NAMES, chance)}"


def _ipv4(chance: Chance) -> str:
    return f"192.0.2.{int(chance() * 256)}"


def _ipv6(chance: Chance) -> str:
    return "2001:db8:" + ":".join(f"{1 + int(chance() * 0xFFFF):x}" for _ in range(6))


def _path(chance: Chance) -> str:
    return f"{_one_of(_NAMES, chance)}/{_one_of(_NAMES, chance)}.txt"


# JSON Schema's own (2020-12, "Validation", section 7.3), and those that pydantic, msgspec and OpenAPI write.
# RFC 2606 reserves the names, RFC 5737 and RFC 3849 the addresses.
FORMATS: Final[dict[str, Callable[[Chance], str]]] = {
    "date-time": lambda chance: f"{_date(chance)}T{_time(chance)}",
    "date": _date,
    "time": _time,
    "duration": _duration,
    "email": _email,
    "idn-email": _email,
    "hostname": lambda chance: _one_of(_HOSTS, chance),
    "idn-hostname": lambda chance: _one_of(_HOSTS, chance),
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "uuid": _uuid,
    "uuid4": _uuid,
    "uri": _uri,
    "url": _uri,
    "iri": _uri,
    "uri-reference": lambda chance: f"/{_one_of(_NAMES, chance)}",
    "iri-reference": lambda chance: f"/{_one_of(_NAMES, chance)}",
    "uri-template": lambda chance: f"/{_one_of(_NAMES, chance)}/{{id}}",
    "json-pointer": lambda chance: f"/{_one_of(_NAMES, chance)}",
    "relative-json-pointer": lambda chance: f"{int(chance() * 4)}/{_one_of(_NAMES, chance)}",
    "regex": lambda chance: f"^{_one_of(_NAMES, chance)}$",
    "decimal": _decimal,
    "fraction": lambda chance: f"{1 + int(chance() * 9)}/{2 + int(chance() * 8)}",
    "ipvanyaddress": _ipv4,
    "ipv4network": lambda chance: f"192.0.2.{16 * int(chance() * 16)}/28",
    "ipv6network": lambda chance: f"2001:db8:{1 + int(chance() * 0xFFFF):x}::/48",
    "ipvanynetwork": lambda chance: f"192.0.2.{16 * int(chance() * 16)}/28",
    "ipv4interface": lambda chance: f"{_ipv4(chance)}/24",
    "ipv6interface": lambda chance: f"{_ipv6(chance)}/64",
    "ipvanyinterface": lambda chance: f"{_ipv4(chance)}/24",
    "path": _path,
    "file-path": _path,
    "json-string": lambda chance: str(int(chance() * 100)),
    "byte": lambda chance: base64.b64encode(_one_of(_NAMES, chance).encode()).decode(),
    "base64url": lambda chance: base64.urlsafe_b64encode(_one_of(_NAMES, chance).encode()).decode(),
}
