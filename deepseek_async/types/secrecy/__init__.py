"""What is secret, and what stands in its place: for settings, errors, recordings and the sandbox alike.

Keys travel in headers. Servers quote them back in bodies, headers and error texts, in any spelling, and in part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, SupportsIndex

SECRET_HEADERS: Final = frozenset(
    ("authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "set-cookie")
)
"""Headers whose values let their bearer in; names in lower case."""

REDACTED: Final = "[redacted]"

SHORTEST_SECRET: Final = 8
"""A shorter value is a stand-in for a key ("x", "EMPTY"): taking it out would cut every text to pieces."""

KEY: Final = re.compile(r"\bsk-[A-Za-z0-9_*-]{4,}|(?<=Bearer )\S+")
"""What looks like a key, whoever's it is."""


def without_keys(text: str) -> str:
    """A text without what looks like a key."""
    return KEY.sub("sk-…", text)


def secrets_in(headers: Mapping[str, str]) -> list[str]:
    """The secrets that a request's headers carry: long ones only, and each in the forms in which it may be quoted."""
    secrets: dict[str, None] = {}
    for name, value in headers.items():
        if name.lower() in SECRET_HEADERS:
            scheme, _, rest = value.partition(" ")
            for secret in (value, rest if scheme.lower() in ("bearer", "basic") else value):
                for form in (secret, secret.replace("\\", "\\\\").replace('"', '\\"')):
                    if len(form) >= SHORTEST_SECRET:
                        secrets[form] = None
    return sorted(secrets, key=len, reverse=True)


def without(secrets: Iterable[str], text: str) -> str:
    """The text without any of the secrets in it, and without long parts of them; see `parts`."""
    secrets = [secret for secret in secrets if secret]
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    if secrets:
        from .parts import parts_of_secrets  # only where something is told of a request

        text = without_spans(parts_of_secrets(secrets, text), text)
    return text


def without_spans(spans: Iterable[tuple[int, int]], text: str) -> str:
    """The text with "[redacted]" in place of each span; they come in order and apart."""
    parts: list[str] = []
    written = 0
    for start, end in spans:
        parts += (text[written:start], REDACTED)
        written = end
    return "".join((*parts, text[written:])) if parts else text


def masked(secrets: Sequence[str], data: bytes) -> bytes:
    """The same for bytes of any kind, with as many stars in place of what goes."""
    for secret in map(str.encode, secrets):
        data = data.replace(secret, b"*" * len(secret))
    from .parts import parts_of_secrets  # only where something is recorded

    starred = bytearray(data)
    for start, end in parts_of_secrets(secrets, data.decode("latin-1")):
        starred[start:end] = b"*" * (end - start)
    return bytes(starred)


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with their names, and without the values that let their bearer in."""
    return {name: REDACTED if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def without_password(url: str) -> str:
    """A URL without the user and the password in it, for messages; also of what is no valid URL."""
    scheme, separator, rest = url.rpartition("://")
    host = rest.rpartition("@")[2]
    return f"{scheme}{separator}{host}"


def in_one_line(text: str) -> str:
    """A text as a line of a log: what would end the line, or command a terminal, is a space."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


class Secret(str):
    """A text whose repr does not show it: for variables, which tools show that render tracebacks with locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<secret of {len(self)} characters>"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:  # such tools cut long texts before they show them
        return Secret(super().__getitem__(key))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class Opaque:
    """Something of a wrong type that was given where a secret goes: of what type it was, and nothing else."""

    def __init__(self, value: object) -> None:
        self.kind: str = type(value).__name__

    def __repr__(self) -> str:
        return f"<secret {self.kind}>"


def hide(value: Any) -> Any:
    """The same value in a form whose repr does not show it; a mapping's keys stay. What is no text becomes `Opaque`."""
    if value is None or isinstance(value, Secret | Opaque):
        return value
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, Mapping):
        return {name: hide(item) for name, item in value.items()}
    return Opaque(value)


def kind_of(value: object) -> str:
    """The name of a value's type, for messages; of a hidden one, of what it hides."""
    if isinstance(value, Opaque):
        return value.kind
    return "str" if isinstance(value, str) else type(value).__name__
