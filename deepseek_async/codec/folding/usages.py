"""What several usages of one answer say together: servers repeat them, let them grow, or send them in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ...types import Usage
from .joining import keep


def later(old: Usage | None, new: Usage) -> Usage:
    """The usage after another has come: its counts, and the old ones where it has none.

    Counts are not added up, for those of servers that send several grow. A usage without a total, or with one that is
    not the sum, is no full statement: a count of 0 in it may be one that was left out.
    """
    if old is None or _says_all(old, new):
        return new
    adds_up = _adds_up(new)
    changes: dict[str, Any] = {}
    for field in attrs.fields(Usage):
        name = field.name
        before, now = getattr(old, name), getattr(new, name)
        if isinstance(now, Mapping):
            if before and before != now:
                changes[name] = _joined(before, now)
        elif now is None:
            if before is not None:
                changes[name] = before
        elif attrs.has(type(now)):
            if before is not None:
                changes[name] = _details(before, now)
        elif not now and not adds_up and before:
            changes[name] = before
    if not changes:
        return new
    joined = attrs.evolve(new, **changes)
    if not new.total_tokens and _adds_up(old):
        joined = attrs.evolve(joined, total_tokens=joined.prompt_tokens + joined.completion_tokens)
    return joined


def _adds_up(usage: Usage) -> bool:
    return bool(usage.total_tokens) and usage.prompt_tokens + usage.completion_tokens == usage.total_tokens


def _says_all(old: Usage, new: Usage) -> bool:
    """Whether nothing of the old usage is missing from the new; asked first, since some send one with each chunk."""
    return bool(
        new.total_tokens
        and ((new.prompt_tokens and new.completion_tokens) or _adds_up(new))
        and _has_all(old.prompt_tokens_details, new.prompt_tokens_details)
        and _has_all(old.completion_tokens_details, new.completion_tokens_details)
        and (new.prompt_cache_hit_tokens is not None or old.prompt_cache_hit_tokens is None)
        and (new.prompt_cache_miss_tokens is not None or old.prompt_cache_miss_tokens is None)
        and (not old.extra or old.extra.keys() <= new.extra.keys())
    )


def _has_all(old: Any, new: Any) -> bool:
    return old is None or (new is not None and (not old.extra or old.extra.keys() <= new.extra.keys()))


def _details(old: Any, new: Any) -> Any:
    changes: dict[str, Any] = {}
    for field in attrs.fields(type(new)):
        before, now = getattr(old, field.name), getattr(new, field.name)
        if isinstance(now, Mapping):
            changes[field.name] = _joined(before, now)
        elif now is None:
            changes[field.name] = before
    return attrs.evolve(new, **changes)


def _joined(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    joined = dict(old)
    keep(joined, new)
    return joined or new
