"""A page for people: the requests as they come, with their answers, faults and timing."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ...scripts.actions import Event

if TYPE_CHECKING:
    from ..exchange import Exchange
    from ..wire import Played

__all__ = ["PAGE_PATHS", "send_page"]

PAGE_PATHS = ("/", "/index.html")
_HEADERS = (
    # Nothing but the page itself: it shows what tests were sent, which may be anything.
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'",
    ),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


async def send_page(exchange: Exchange) -> Played:
    """Answer with the page. It holds no data: it asks for them, with the key if there is one."""
    data = (files(__package__) / "page.html").read_bytes()
    return await exchange.send([Event(data, "last")], content_type="text/html; charset=utf-8", headers=_HEADERS)
