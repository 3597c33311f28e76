"""Whether a client's settings are what they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import InvalidRequestError
from ...hooks import PLAIN, Hook, is_async
from ...types.requests.numbers import integer_in
from ...types.secrecy import SECRET_HEADERS, kind_of


def check_type(name: str, value: object, *wanted: type | None, or_else: str = "") -> None:
    """Refuse what is of no wanted type; ``None`` among them allows ``None``. Raises `InvalidRequestError`.

    Args:
        or_else: What else is taken, for the message.
    """
    if not any(value is None if cls is None else isinstance(value, cls) for cls in wanted):
        allowed = " or ".join("None" if cls is None else cls.__name__ for cls in wanted)
        allowed += f", {or_else}" if or_else else ""
        raise InvalidRequestError(name, None, f"{allowed}, not {kind_of(value)}")


def check_count(name: str, value: object, or_else: str = "") -> int:
    """The value, an integer of at least 1. Raises `InvalidRequestError`."""
    count = integer_in(value)
    if count is None or count < 1:
        raise InvalidRequestError(name, value, f"an integer of at least 1{or_else}")
    return count


def check_truth(name: str, value: object) -> None:
    """Refuse what is neither True nor False, and would stand for one by chance. Raises `InvalidRequestError`."""
    if not isinstance(value, bool):
        raise InvalidRequestError(name, value, "True or False")


def check_budget(budget: object) -> None:
    """Refuse what is no `Budget` and not ``None``. Raises `InvalidRequestError`."""
    if budget is not None:
        from ...policy.spending import Budget  # brings prices in, and decimals

        check_type("budget", budget, Budget, None, or_else="such as Budget(max_cost=5)")


def hooks_of(given: Any) -> tuple[Hook, ...]:
    """The hooks, each of which can be called. Raises `InvalidRequestError`."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise InvalidRequestError("hooks", None, f"a list of callables, such as [hook], not {type(given).__name__}")
    for number, hook in enumerate(given):
        if not callable(hook):
            raise InvalidRequestError(f"hooks[{number}]", None, f"a callable, not {type(hook).__name__}")
        if is_async(hook):
            raise InvalidRequestError(f"hooks[{number}]", None, PLAIN)
    return tuple(given)


def secret_in(settings: Mapping[str, Any]) -> str | None:
    """What among the settings, besides the key, lets its bearer in somewhere."""
    for name in settings["headers"] or ():
        if name.lower() in SECRET_HEADERS:
            return f"the header {name!r}"
    proxy = settings["proxy"]
    return "a password in its proxy's URL" if proxy is not None and "@" in proxy else None
