"""Ids and seeds: what makes an answer repeatable, and what makes it the only one.

With a seed, of the request or of the server, an answer is a function of the request alone: tokens, ids and ``created``
are the same each time, streamed or not. Without one they differ each time.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import Any

import msgspec
from msgspec import Struct

from .bodies import ChatBody, CompletionBody

__all__ = ["Identity", "identify"]


class Identity(Struct, frozen=True):
    """Who an answer is.

    Attributes:
        id: Of the completion, a UUID.
        seed: What its tokens are drawn with.
        created: Unix time, seconds.
    """

    id: str
    seed: int
    created: int


def identify(body: ChatBody | CompletionBody, *, server_seed: int | None, started: int, now: float) -> Identity:
    """Name an answer.

    Args:
        server_seed: Stands in where the request has no seed.
        started: When the server started, Unix time: that is when a repeatable answer was created.
        now: Unix time.
    """
    seed = body.seed if body.seed is not None else server_seed
    if seed is None:
        return Identity(str(uuid.uuid4()), random.getrandbits(63), int(now))
    asked: dict[str, Any] = msgspec.to_builtins(body)
    for name in ("stream", "stream_options"):  # how it is sent is no part of what is said
        asked.pop(name, None)
    digest = hashlib.sha256(msgspec.json.encode([seed, asked], order="sorted")).digest()
    return Identity(str(uuid.UUID(bytes=digest[:16], version=4)), seed, started)
