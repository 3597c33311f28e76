"""`Sandbox`: everything a server knows, without the network."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Literal

from ..answers.prefix_cache import PrefixCache
from ..model import LanguageModel
from ..requests.bodies import ChatBody, CompletionBody
from ..requests.identity import Identity, identify
from ..requests.rules import Rules
from ..requests.seen import SeenRequest
from ..scripts.repertoire import Repertoire
from ..scripts.script import Script
from .admission import Admission, Ceiling
from .ledger import Ledger
from .pace import Wheel

__all__ = ["Sandbox"]

_NOT_STARTED = "the sandbox is not started: use `async with SandboxServer() as server`"


class Sandbox:
    """The options, the account, the scripts in waiting and the requests seen. `SandboxServer` describes them.

    Attributes:
        base_url: Where it is served; empty before.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        api_key: str | None = None,
        rules: Rules = "seed",
        beta_everywhere: bool = False,
        rate: float | None = None,
        latency: float = 0.0,
        heads: Literal["early", "late"] = "early",
        ceiling: Ceiling = None,
        balance: Decimal | str | int | None = None,
        prefix_cache: bool = True,
        clock: Callable[[], float] = time.time,
        keep_requests: int | None = None,
    ) -> None:
        if rate is not None and rate <= 0:
            raise ValueError(f"rate must be over 0 tokens a second, got {rate}")
        if latency < 0:
            raise ValueError(f"latency must not be negative, got {latency}")
        self.base_url = ""
        self.seed = seed
        self.api_key = api_key
        self.rules: Rules = rules
        self.beta_everywhere = beta_everywhere
        self.rate = rate
        self.latency = latency
        self.heads: Literal["early", "late"] = heads
        self.admission = Admission(ceiling, self.elapsed)
        self.ledger = Ledger(None if balance is None else _amount(balance))
        self.prefix_cache = PrefixCache() if prefix_cache else None
        self.requests: list[SeenRequest] = []
        self.scripts = Repertoire()
        self._keep_requests = keep_requests
        self._clock = clock
        self._started_at = 0.0
        self._model: LanguageModel | None = None
        self._wheel: Wheel | None = None

    @property
    def model(self) -> LanguageModel:
        """The language model, once the server was started."""
        if self._model is None:
            raise RuntimeError(_NOT_STARTED)
        return self._model

    @property
    def wheel(self) -> Wheel:
        """What paced answers wait by, once the server was started."""
        if self._wheel is None:
            raise RuntimeError(_NOT_STARTED)
        return self._wheel

    @property
    def billed(self) -> dict[str, int]:
        """How often each row was billed; see `Ledger`."""
        return dict(self.ledger.billed)

    def begin(self, model: LanguageModel, wheel: Wheel) -> None:
        """Start the clocks."""
        self._model, self._wheel = model, wheel
        self._started_at = time.monotonic()

    def script(
        self, *scripts: Script, times: int | None = 1, when: Callable[[SeenRequest], bool] | None = None
    ) -> None:
        """Have scripts played, one a request, in this order, after those already waiting.

        Args:
            times: How often each is played before the next one; None: for ever.
            when: Only for requests for which this is true.
        """
        for script in scripts:
            self.scripts.add(script, times=times, when=when)

    def elapsed(self) -> float:
        """Seconds since the start, on the monotonic clock."""
        return time.monotonic() - self._started_at

    def identify(self, body: ChatBody | CompletionBody) -> Identity:
        """The id, seed and time of an answer."""
        return identify(body, server_seed=self.seed, now=self._clock())

    def record(self, seen: SeenRequest) -> None:
        """Keep a request, and forget the oldest if there are too many."""
        self.requests.append(seen)
        if self._keep_requests is not None:
            del self.requests[: -self._keep_requests]


def _amount(balance: Decimal | str | int) -> Decimal:
    try:
        amount = Decimal(balance)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise ValueError(f"balance must be an amount in US dollars, got {balance!r}")
    return amount
