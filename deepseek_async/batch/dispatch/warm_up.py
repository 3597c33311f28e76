"""One row of each distinct prompt prefix first, so that the others hit the context cache. Pure.

The cache works by prefix, stores a prompt when its request ends, and makes a hit on Flash 50 times cheaper than a miss:
a thousand rows with one long instruction, sent at once, would all miss it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ...codec.requests import body_of
from ...types import ChatRequest
from ..source.row import Row

# Of a prompt that is one message, so many characters count as its prefix.
PREFIX_CHARACTERS: Final = 1024
# Prefixes that are remembered as warm, the latest used. The server's cache forgets within hours, too.
REMEMBERED: Final = 10_000


class WarmUp:
    """Sends the first ``count`` rows of each prefix ahead, and holds back the other rows that begin with it.

    As soon as one of those that went ahead has its outcome, the server has the prefix in its cache, and the rows that
    were held back may go.

    Args:
        count: How many rows of each prefix go ahead. At least 1.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._groups: OrderedDict[bytes, _Group] = OrderedDict()

    def may_go(self, row: Row) -> bool:
        """Whether a row may be sent now. If not it is kept, and comes back from `ended`."""
        prefix = prefix_of(row.request) if row.request is not None else None
        if prefix is None:
            return True
        group = self._groups.get(prefix)
        if group is None:
            group = self._groups[prefix] = _Group()
            self._forget()
        else:
            self._groups.move_to_end(prefix)
        if group.is_warm:
            return True
        if len(group.leaders) < self._count:
            group.leaders.add(row.number)
            return True
        group.parked.append(row)
        return False

    def ended(self, row: Row) -> list[Row]:
        """Take that a row has its outcome. Returns the rows that were held back until now and may go."""
        prefix = prefix_of(row.request) if row.request is not None else None
        group = self._groups.get(prefix) if prefix is not None else None
        if group is None or group.is_warm or row.number not in group.leaders:
            return []
        group.is_warm = True
        freed, group.parked = group.parked, []
        group.leaders.clear()
        return freed

    def _forget(self) -> None:
        if len(self._groups) <= REMEMBERED:
            return
        for prefix, group in self._groups.items():
            if not group.parked and not group.leaders:
                del self._groups[prefix]
                return


class _Group:
    __slots__ = ("is_warm", "leaders", "parked")

    def __init__(self) -> None:
        self.is_warm = False
        self.leaders: set[int] = set()
        self.parked: list[Row] = []  # 10,000 deques would be 6 MB


def prefix_of(request: ChatRequest) -> bytes | None:
    """Hash of what rows of one kind have in common: model, tools and all messages but the last.

    Of a prompt that is one message, its first 1,024 characters; ``None`` for one that is shorter: not worth the wait.
    """
    body: Mapping[str, Any] = body_of(request)
    shared: list[Any] = list(body["messages"][:-1])
    if not shared:
        content = body["messages"][0].get("content")
        if not isinstance(content, str) or len(content) < PREFIX_CHARACTERS:
            return None
        shared = [content[:PREFIX_CHARACTERS]]
    data = msgspec.json.encode([request.model, body.get("tools"), request.user_id, shared])
    return hashlib.blake2b(data, digest_size=16).digest()
