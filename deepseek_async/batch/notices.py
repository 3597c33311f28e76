"""What a person should hear while a batch runs."""

from __future__ import annotations

from ..client.connection import Connection
from ..client.resources import User
from ..errors import DeepSeekError, RateLimitError
from ..policy.limiter import Notice


async def words_of(notice: Notice, error: RateLimitError, connection: Connection) -> str:
    """A notice of the limiter's in words; where the balance runs out, with the balance."""
    if notice == "starved":
        return (
            "no answer for two minutes while requests are refused: something else uses the account's whole "
            "concurrency; trying one request every 10 s"
        )
    limit = "" if error.limit is None else f" to {error.limit}"
    text = f"the account's concurrency limit fell{limit}, because its balance runs out"
    try:
        balance = await User(connection).balance()
    except DeepSeekError:
        return text
    amounts = ", ".join(f"{info.total_balance} {info.currency}" for info in balance.balance_infos)
    return f"{text}: {amounts or 'nothing'} left"
