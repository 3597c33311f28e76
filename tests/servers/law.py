"""Whether two answers are the same field for field, and what a server itself does differently.

What no answer can repeat is left out: its id, the second it was made, how long it took. A server's own difference
between whole and streamed answers is known by name; any other is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Json = dict[str, Any]
UNREPEATABLE = frozenset({"id", "created", "request_id", "timings"})


def plain(value: Any) -> Any:
    """A value as plain data, less what cannot be repeated; log probabilities to six digits."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items() if name not in UNREPEATABLE}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return round(value, 5)
    return value


def as_data(completion: Any) -> Json:
    """A completion as plain data."""
    data = plain(attrs.asdict(completion))
    assert isinstance(data, dict)
    return data


def differences(first: Any, second: Any, path: str = "$") -> list[str]:
    """Where two values differ, and how."""
    if isinstance(first, dict) and isinstance(second, dict):
        return [
            line
            for name in first.keys() | second.keys()
            for line in differences(first.get(name), second.get(name), f"{path}.{name}")
        ]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = enumerate(zip(first, second, strict=True))
        return [line for at, pair in pairs for line in differences(*pair, f"{path}[{at}]")]
    return [] if first == second else [f"{path}: {str(first)[:200]} | {str(second)[:200]}"]


def without_empty_tokens(data: Json) -> None:
    """Entries without text: the end token, stop tokens."""
    for choice in data["choices"]:
        logprobs = choice.get("logprobs") or {}
        for name in ("content", "reasoning_content"):
            if logprobs.get(name):
                logprobs[name] = [token for token in logprobs[name] if token["token"]]
        if tokens := logprobs.get("tokens"):  # of /completions: lists side by side
            kept = [at for at, token in enumerate(tokens) if token]
            for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
                if logprobs.get(name):
                    logprobs[name] = [logprobs[name][at] for at in kept]


def without_null_extras(data: Any) -> None:
    """Fields of the server's own whose value is null."""
    if isinstance(data, dict):
        if isinstance(data.get("extra"), dict):
            data["extra"] = {name: value for name, value in data["extra"].items() if value is not None}
        for part in data.values():
            without_null_extras(part)
    elif isinstance(data, list):
        for part in data:
            without_null_extras(part)


def without_empty_fingerprint(data: Json) -> None:
    """A fingerprint that says nothing."""
    data["system_fingerprint"] = data["system_fingerprint"] or None


DEVIATIONS: dict[str, dict[str, Callable[[Json], None]]] = {
    "llama.cpp": {"entries without text (the end, stop tokens) stand in whole answers only": without_empty_tokens},
    "vLLM": {
        "fields of its own that are null stand in whole answers or in chunks only": without_null_extras,
        "entries without text differ": without_empty_tokens,
    },
    "transformers serve": {"system_fingerprint is empty in streams only": without_empty_fingerprint},
}
"""What each server itself does differently, streamed and whole, by its name."""


def judge(server_name: str, whole: Any, streamed: Any) -> str:
    """How two answers to one request compare, in words for the table.

    Raises:
        AssertionError: They differ by more than what the server is known to do differently.
    """
    first, second = as_data(whole), as_data(streamed)
    if first == second:
        return "equal"
    said = []
    for words, mend in DEVIATIONS.get(server_name, {}).items():
        mend(first)
        mend(second)
        said.append(words)
        if first == second:
            return "equal, but: " + "; ".join(said)
    raise AssertionError("\n".join(differences(first, second)))
