"""Texts for a schema's ``format``: invented ones, from the ranges and names that are reserved for examples."""

from __future__ import annotations

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


# RFC 2606 reserves the names, RFC 5737 and RFC 3849 the addresses.
FORMATS: Final[dict[str, Callable[[Chance], str]]] = {
    "email": lambda chance: f"{_one_of(_NAMES, chance)}@{_one_of(_HOSTS, chance)}",
    "hostname": lambda chance: _one_of(_HOSTS, chance),
    "ipv4": lambda chance: f"192.0.2.{int(chance() * 256)}",
    "ipv6": lambda chance: "2001:db8:" + ":".join(f"{1 + int(chance() * 0xFFFF):x}" for _ in range(6)),
    "uuid": _uuid,
    "date": _date,
    "time": _time,
    "date-time": lambda chance: f"{_date(chance)}T{_time(chance)}",
    "uri": lambda chance: f"https://{_one_of(_HOSTS, chance)}/{_one_of(_NAMES, chance)}",
    "uri-reference": lambda chance: f"/{_one_of(_NAMES, chance)}",
    "regex": lambda chance: f"^{_one_of(_NAMES, chance)}$",
    "json-pointer": lambda chance: f"/{_one_of(_NAMES, chance)}",
    "duration": lambda chance: f"PT{1 + int(chance() * 59)}M",
}
