"""The network, by aiohttp. The one folder that knows aiohttp's client, its defaults and its traps."""

from .connections import AiohttpTransport, ClientSession
from .failures import MAX_HEADER_BYTES

__all__ = ["MAX_HEADER_BYTES", "AiohttpTransport", "ClientSession"]
