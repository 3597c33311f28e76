"""What a transport has in each event loop, and how it goes when the loop goes.

A session belongs to a loop and refers to it. If anything outside the loop referred to the session in turn (the client,
a registry, a finalizer), a loop that somebody closes without ceremony would stay in memory for ever, with session and
sockets. So the loop itself holds what belongs to it, in an attribute, and others look it up there.

- Where a loop ends well (`asyncio.run`), it closes its async generators, and `_keep` is one: it closes the session.
- Where a client is dropped while its loop runs on, a finalizer has the generator closed by a task of the loop's.
- Where a loop is closed and forgotten, the collector finds loop, session and sockets in one circle.

Closing a session leaves readers of its answers waiting: `_keep` breaks the answers off first.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable

import aiohttp
import attrs

from .answer import NetworkAnswer
from .direct import Direct
from .forks import FORKS, INHERITED

_ATTRIBUTE = "_deepseek_async"


@attrs.define(eq=False)
class Route:
    """How requests go out: through a session, or past it where there is no proxy; and the answers that come back.

    Answers are held as long as nobody has closed them. They stand with their session and not with the client: those of
    a session of the caller's live and end with that.

    Attributes:
        is_open: Of a session of ours, whether we have not closed it. To ask aiohttp is five calls a request.
    """

    session: aiohttp.ClientSession
    direct: Direct | None = None
    answers: set[NetworkAnswer] = attrs.field(factory=set, repr=False)
    is_open: bool = True


class _Belongings:
    """All that the transports of a process have in one loop.

    Attributes:
        bound: By transport. Who drops a client drops the value, and its finalizer has the keeper closed.
        keepers: Generators that hold sessions; by a number, which the finalizers know.
    """

    def __init__(self) -> None:
        self.bound: weakref.WeakKeyDictionary[object, Bound] = weakref.WeakKeyDictionary()
        self.keepers: dict[int, AsyncGenerator[None, None]] = {}


# For loops that take no attribute; such a loop is held until it is closed by `asyncio.run` or the like.
_OF_STRICT_LOOPS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Belongings] = weakref.WeakKeyDictionary()


def _belongings_of(loop: asyncio.AbstractEventLoop) -> _Belongings:
    found = getattr(loop, _ATTRIBUTE, None) or _OF_STRICT_LOOPS.get(loop)
    if not isinstance(found, _Belongings):
        found = _Belongings()
        try:
            setattr(loop, _ATTRIBUTE, found)
        except AttributeError:
            _OF_STRICT_LOOPS[loop] = found
    return found


def binding_of(owner: object) -> Bound | None:
    """What a transport has in the running loop, if it is of use."""
    loop = asyncio.get_running_loop()
    belongings: _Belongings | None = getattr(loop, _ATTRIBUTE, None) or _OF_STRICT_LOOPS.get(loop)
    bound = None if belongings is None else belongings.bound.get(owner)
    return bound if bound is not None and bound.forks == FORKS.count and bound.route.is_open else None


class Bound:
    """What one transport has in one loop.

    Args:
        route: The session, and what goes through it.
        proxy_for: The environment's proxy for a URL; ``None``: none is asked for.
    """

    def __init__(self, route: Route, proxy_for: Callable[[str], str | None] | None) -> None:
        self.route = route
        self.proxy_for = proxy_for
        self.forks: int = FORKS.count
        self._keeper: AsyncGenerator[None, None] | None = None

    @classmethod
    async def keep(cls, owner: object, route: Route, proxy_for: Callable[[str], str | None] | None) -> Bound:
        """Have the running loop keep a session for a transport until the loop or the transport ends."""
        loop = asyncio.get_running_loop()
        belongings = _belongings_of(loop)
        if (inherited := belongings.bound.get(owner)) is not None and inherited.forks != FORKS.count:
            INHERITED.append((inherited, inherited._keeper))  # noqa: SLF001 - one of this class
        bound = cls(route, proxy_for)
        keeper = bound._keeper = _keep(route)
        number = id(keeper)
        belongings.keepers[number] = keeper
        finalizer = weakref.finalize(bound, _close_soon, weakref.ref(loop), number, bound.forks)
        finalizer.atexit = False
        belongings.bound[owner] = bound
        await anext(keeper)
        return bound

    async def aclose(self) -> None:
        """Close the session, and break off what goes through it."""
        if self._keeper is not None:
            await self._keeper.aclose()


async def _keep(route: Route) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        route.is_open = False
        for answer in tuple(route.answers):
            answer.break_off()
        await route.session.close()


def _close_soon(owner: weakref.ref[asyncio.AbstractEventLoop], number: int, forks: int) -> None:
    """The client was dropped: close what it had in a loop that runs on."""
    loop = owner()
    if loop is None:
        return
    keeper = _belongings_of(loop).keepers.pop(number, None)
    if keeper is None:
        return
    if forks != FORKS.count:
        INHERITED.append(keeper)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(lambda: loop.create_task(keeper.aclose()))
