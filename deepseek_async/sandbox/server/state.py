"""`Sandbox` holds everything that a server knows, without the network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Literal

from ..answers.prefix_cache import PrefixCache
from ..model import LanguageModel
from ..requests.bodies import ChatBody, CompletionBody
from ..requests.files import FileStore
from ..requests.identity import Identity, identify
from ..requests.rules import Rules
from ..requests.seen import SeenRequest
from ..scripts.repertoire import Repertoire
from ..scripts.script import Script
from .admission import Admission, Ceiling
from .ledger import Ledger
from .pace import Wheel

__all__ = ["Sandbox"]

CALLER_PREFIX = "/caller/"
CALLER_NAME = r"[A-Za-z0-9._-]+"
_NOT_STARTED = "the sandbox is not started: use `async with SandboxServer() as server`"


class BaseURL(str):
    """Where a sandbox is served: a URL that tells a client in the same process that there is ``/beta`` under it."""

    __slots__ = ()
    has_beta = True


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
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise ValueError(f"seed must be an integer or None, got {seed!r}")
        if rules not in ("seed", "today"):
            raise ValueError(f"rules must be 'seed' or 'today', got {rules!r}")
        if heads not in ("early", "late"):
            raise ValueError(f"heads must be 'early' or 'late', got {heads!r}")
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
        self.admission: Admission = Admission(ceiling, self.elapsed)
        self.ledger: Ledger = Ledger(None if balance is None else _amount(balance))
        self.files: FileStore = FileStore(clock)
        self.prefix_cache: PrefixCache | None = PrefixCache() if prefix_cache else None
        self.requests: list[SeenRequest] = []
        self.scripts: Repertoire = Repertoire()
        self._keep_requests = keep_requests
        self._seen = 0
        self._revision = 0
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
        self,
        *scripts: Script,
        times: int | None = 1,
        when: Callable[[SeenRequest], bool] | None = None,
        caller: str | None = None,
        optional: bool = False,
    ) -> None:
        """Have scripts played, one a request, in this order, after those already waiting.

        Args:
            times: How often each is played before the next one; None: for ever.
            when: Only for requests for which this is true.
            caller: Only for requests of one caller: those with this name in the header ``x-sandbox-caller``, with this
                API key, or below `caller_url`. None: of anybody.
            optional: Whether it may stay unplayed. Else the pytest plugin fails the test that gave it.

        Raises:
            TypeError: Something is no `Script`.
            ValueError: ``times`` is less than 1.
        """
        for script in scripts:
            self.scripts.add(script, times=times, when=when, caller=caller, optional=optional)

    def caller_url(self, caller: str) -> str:
        """A base URL whose requests are one caller's, so that several can share the server.

        Args:
            caller: A name of letters, digits, ``-``, ``_`` and ``.``.

        Raises:
            ValueError: The name has other characters.
        """
        if not re.fullmatch(CALLER_NAME, caller):
            raise ValueError(f"a caller's name is made of letters, digits, '-', '_' and '.', got {caller!r}")
        return BaseURL(f"{self.base_url}{CALLER_PREFIX}{caller}")

    def reset(self) -> None:
        """Forget the scripts in waiting and the requests seen: a server that is shared begins anew."""
        self.scripts.clear()
        self.requests.clear()

    def elapsed(self) -> float:
        """Seconds since the start, on the monotonic clock."""
        return time.monotonic() - self._started_at

    def identify(self, body: ChatBody | CompletionBody) -> Identity:
        """The id, seed and time of an answer."""
        return identify(body, server_seed=self.seed, now=self._clock())

    def record(self, seen: SeenRequest) -> None:
        """Keep a request, and forget the oldest if there are too many."""
        self._seen += 1
        seen.number = self._seen
        self.changed(seen)
        self.requests.append(seen)
        if self._keep_requests is not None:
            del self.requests[: -self._keep_requests]

    def changed(self, seen: SeenRequest) -> None:
        """Note that a record says something new."""
        self._revision += 1
        seen.revision = self._revision

    def changes_after(self, revision: int, most: int) -> tuple[int, list[SeenRequest]]:
        """The latest revision, and the records that changed since another, at most so many of the latest."""
        return self._revision, [seen for seen in self.requests if seen.revision > revision][-most:]


def _amount(balance: Decimal | str | int) -> Decimal:
    try:
        amount = Decimal(balance)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise ValueError(f"balance must be an amount in US dollars, got {balance!r}")
    return amount
