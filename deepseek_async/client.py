"""`AsyncClient`: what a user makes first. Long, because each of its settings is explained where it is set."""

from __future__ import annotations

import itertools
import os
import ssl as ssl_module
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack

from .calls.arguments.checks import check_budget, check_count, check_truth, check_type, hooks_of, secret_in
from .calls.arguments.official import OfficialRules
from .calls.arguments.parameters import check_via, hide_headers
from .calls.arguments.settings import API_KEY_VARIABLE, base_headers, endpoint_of, headers_of, key_of
from .calls.arguments.spellings import (
    WORDS_OF_CHAT,
    WORDS_OF_CHAT_ALONE,
    WORDS_OF_CLIENTS,
    SpelledSettings,
    settings_of,
)
from .calls.call import Surroundings
from .calls.caller import Caller, retry_of, timeouts_of
from .calls.chat import Chat, ChatCompletions
from .calls.watching.figures import Figures
from .codec.body import MAX_BODY_BYTES, MAX_EVENT_BYTES
from .errors import InvalidRequestError, name_ours, refuse_sync
from .hooks import Hook
from .policy.gate import Gate
from .policy.retry import RetryPolicy
from .policy.timeouts import Timeouts
from .transport import Transport, recorded
from .transport.network import AiohttpTransport, ClientSession
from .types.secrecy import hide

if TYPE_CHECKING:
    from .batch.batch import Batch
    from .batch.options import RateLimiter
    from .batch.source.rows import Source
    from .calls.parsing.ways import Mode
    from .calls.resources.account import Models, User
    from .calls.resources.completions import Completions
    from .calls.resources.files import Files
    from .calls.watching.statistics import Statistics
    from .policy.spending import Budget

T = TypeVar("T")

_numbers = itertools.count(1)
_ATTRIBUTES = frozenset(
    [
        "_settings",
        "_key",
        "_is_picklable",
        "_transport",
        "_figures",
        "_caller",
        "_chat",
        "_others",
    ]
)


class AsyncClient:
    """A client of DeepSeek's API, or of a server that speaks it.

    Can be made outside a running loop, used under one `asyncio.run` and then another, and pickled. Use it as an async
    context manager, or call `aclose`.

    Args:
        api_key: Else DEEPSEEK_API_KEY; a server on loopback (sandbox, vLLM, llama.cpp) needs none.
        base_url: Else DEEPSEEK_BASE_URL, else ``https://api.deepseek.com``.
        timeouts: See `Timeouts`, or a mapping of its fields; each call may have its own.
        retry: See `RetryPolicy`, or a mapping of its fields; each call may have its own.
        max_connections: Cap on open connections; ``None``: no cap of ours.
        session: An `aiohttp.ClientSession` of the caller's: used, never closed.
        headers: Sent with every request.
        proxy: Proxy URL; else, with ``trust_env``, HTTP(S)_PROXY.
        ssl: An `ssl.SSLContext`; ``None``: the system's trust.
        trust_env: Whether to heed HTTP(S)_PROXY, ALL_PROXY and NO_PROXY. A server on loopback is reached directly.
        hooks: Called with a frozen record for each thing that happens; see `deepseek_async.hooks`.
        allow_insecure: Allow plain http to another machine, which shows the key and the prompts to the network.
        pickle_key: Let a pickle of the client carry the key, and secret headers and a proxy's password. Otherwise it
            carries none, and DEEPSEEK_API_KEY is looked up where it is loaded. For clusters whose workers have no such
            environment; whoever has that pickle has the key.
        max_event_bytes: Cap on one event of a stream.
        max_body_bytes: Cap on an answer that is not streamed.
        transport: What moves the bytes instead of aiohttp: tests, recorders.
        record: A file of real exchanges, for tests: what it lacks is asked once and added. Where it exists no key is
            needed; without one nothing is added. See `RecordOnce`.
        via: How answers that are not streamed are asked for: ``"stream"`` asks as a stream and folds it, so that a
            server frees what is given up; ``"auto"`` does so where the server is known to need it (llama.cpp, once it
            has answered; batches do so by themselves). ``None``: in one piece.
        has_beta: Whether the server has DeepSeek's ``/beta`` beside the base URL, for prefixes, `resume`, strict tools
            and fill in the middle. ``None``: the official one and the sandbox have; every other server is asked for
            these at the base URL itself. A base URL that ends in ``/beta`` needs no word.
        budget: What all requests for answers are paid from; a call's own holds besides it. See `Budget`. A pickled
            client has a copy.
        official_rules: Whether the rules of the official API's own pages are held before anything is sent: what it
            refuses with certainty raises `InvalidRequestError`, what has no effect there is warned of once
            (`NoEffectWarning`). ``None``: at DeepSeek's own address alone; other servers may take it, and the sandbox
            answers for itself. True: of a gateway to DeepSeek, or a sandbox, too.
        spelled: ``timeout``, ``max_retries``, ``default_headers``, as the openai package calls them.

    Raises:
        InvalidRequestError: No key, no URL, or a value out of range.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeouts: Timeouts | Mapping[str, float | None] = Timeouts(),  # noqa: B008 - a frozen value
        retry: RetryPolicy | Mapping[str, Any] = RetryPolicy(),  # noqa: B008
        max_connections: int | None = None,
        session: ClientSession | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | None = None,
        trust_env: bool = True,
        hooks: Sequence[Hook] = (),
        allow_insecure: bool = False,
        pickle_key: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
        transport: Transport | None = None,
        record: str | os.PathLike[str] | None = None,
        via: Literal["stream", "whole", "auto"] | None = None,
        has_beta: bool | None = None,
        budget: Budget | None = None,
        official_rules: bool | None = None,
        **spelled: Unpack[SpelledSettings],
    ) -> None:
        if has_beta is None:
            has_beta = getattr(base_url, "has_beta", None)  # the sandbox's own address says so
        # Tools that render tracebacks with locals would show, for a wrong setting, what the right ones hold.
        api_key, base_url, headers, proxy = hide(api_key), hide(base_url), hide(headers), hide(proxy)
        if isinstance(timeouts, Mapping):
            timeouts = timeouts_of(timeouts, Timeouts())
        if isinstance(retry, Mapping):
            retry = retry_of(retry, RetryPolicy())
        if spelled:
            hide_headers(spelled)
            named, headers = settings_of(spelled, AsyncClient.__init__), {} if headers is None else headers
            timeouts = timeouts_of(named.get("timeouts"), timeouts)
            retry = retry_of(named.get("retry"), retry)
            headers = {**named.get("headers", {}), **headers} if isinstance(headers, dict) else headers
        check_type("timeouts", timeouts, Timeouts, or_else="timeout=20, a mapping such as {'total': 20}")
        check_type("retry", retry, RetryPolicy, or_else="max_retries=2, a mapping such as {'attempts': 3}")
        check_type("proxy", proxy, str, None)
        check_type("ssl", ssl, ssl_module.SSLContext, None)
        check_type("trust_env", trust_env, bool)
        check_type("allow_insecure", allow_insecure, bool)
        check_type("pickle_key", pickle_key, bool)
        check_via(via)
        check_type("has_beta", has_beta, bool, None)
        check_budget(budget)
        check_type("official_rules", official_rules, bool, None)
        max_event_bytes = check_count("max_event_bytes", max_event_bytes)
        max_body_bytes = check_count("max_body_bytes", max_body_bytes)
        if max_connections is not None:
            max_connections = check_count("max_connections", max_connections, ", or None")
        if transport is not None and not callable(getattr(transport, "send", None)):
            raise InvalidRequestError("transport", None, f"a Transport, not {type(transport).__name__}")
        hooks = hooks_of(hooks)
        endpoint = endpoint_of(base_url, allow_insecure=allow_insecure, has_beta=has_beta)
        has_rules = endpoint.is_official if official_rules is None else official_rules
        key = key_of(api_key, endpoint, is_needed=record is None or not Path(record).exists())
        self._settings: dict[str, Any] = {
            "base_url": endpoint.address,
            "timeouts": timeouts,
            "retry": retry,
            "max_connections": max_connections,
            "headers": headers,
            "proxy": proxy,
            "trust_env": trust_env,
            "hooks": hooks,
            "allow_insecure": allow_insecure,
            "pickle_key": pickle_key,
            "max_event_bytes": max_event_bytes,
            "max_body_bytes": max_body_bytes,
            "via": via,
            "has_beta": has_beta,
            "budget": budget,
            "official_rules": official_rules,
        }
        self._key = key if pickle_key else None
        self._is_picklable = session is None and ssl is None and transport is None and record is None
        self._transport: Transport = transport or AiohttpTransport(
            session=session,
            max_connections=max_connections,
            proxy=proxy,
            ssl=ssl,
            # A proxy of the environment's would carry what is for this machine out of it.
            trust_env=trust_env and not endpoint.is_loopback,
        )
        self._transport = recorded(self._transport, record, may_record=bool(key) or endpoint.is_loopback)
        self._figures = Figures()
        self._caller = Caller(
            endpoint,
            base_headers(key, headers_of(headers, "headers")),
            timeouts=timeouts,
            retry=retry,
            surroundings=Surroundings(self._transport, hooks, self._figures, Gate(), next(_numbers)),
            max_event_bytes=max_event_bytes,
            max_body_bytes=max_body_bytes,
            via=via,
            budget=budget,
            rules=OfficialRules(has_beta=endpoint.has_beta) if has_rules else None,
        )
        self._make_resources()

    def _make_resources(self) -> None:
        self._chat = Chat(self._caller)
        self._others: dict[Any, Any] = {}

    def _other(self, resource: Callable[[Caller], T]) -> T:
        """A resource besides chat. What brings it in is loaded when it is first asked for: most programs never do."""
        made: T | None = self._others.get(resource)
        if made is None:
            made = self._others[resource] = resource(self._caller)
        return made

    @property
    def chat(self) -> Chat:
        """Chat: ``chat.completions.create``, ``stream``, ``parse``, ``stream_parse`` and ``run_tools``."""
        return self._chat

    @property
    def completions(self) -> Completions:
        """Fill in the middle: ``completions.create``."""
        from .calls.resources.completions import Completions

        return self._other(Completions)

    @property
    def files(self) -> Files:
        """Uploaded images and documents: ``files.create``, ``list``, ``retrieve`` and ``delete``."""
        from .calls.resources.files import Files

        return self._other(Files)

    @property
    def models(self) -> Models:
        """The models that the server has: ``models.list`` and ``retrieve``."""
        from .calls.resources.account import Models

        return self._other(Models)

    @property
    def user(self) -> User:
        """The account: ``user.balance``."""
        from .calls.resources.account import User

        return self._other(User)

    @property
    def base_url(self) -> str:
        """Where requests go, without a slash at the end; with its query, if it has one."""
        return self._caller.endpoint.address

    def statistics(self) -> Statistics:
        """What the client is doing and has done."""
        return self._figures.frozen(self._caller.reader.slow_chunks, getattr(self._transport, "through_session", 0))

    def batch(
        self,
        source: Source,
        max_concurrency: int | None = None,
        ordered: bool = False,
        max_attempts: int = 8,
        *,
        warmup: int = 0,
        rate_limiter: RateLimiter | None = None,
        response_type: Any = None,
        mode: Mode = "auto",
        budget: Budget | None = None,
    ) -> Batch:
        """Send many requests, as many at once as the account allows.

            async with client.batch(requests, max_concurrency=64) as outcomes:
                async for outcome in outcomes:  # Succeeded or Failed
                    ...

        The limit of the account is hidden and moves; it is learned from admissions and refusals, and shared by all
        batches of this client that ask for one model. Failures are values; leaving the block cancels what is in flight.

        Args:
            source: An iterable or async iterable of `ChatRequest` or mappings (OpenAI batch lines, or with ``messages``
                or ``prompt``), a table with such columns (pandas, polars, pyarrow), a path of a file of such lines (it
                may be gzip), or ``"-"``. Pulled only when there is a slot. A generator is closed at the end.
            max_concurrency: Requests in flight at once, and outcomes waiting to be taken; ``None``: as many as the
                server lets in, up to 2,500.
            ordered: Whether outcomes come in the order of the source instead of as completed. Those behind a slow one
                wait for it; at most twice ``max_concurrency`` do, then nothing more is sent.
            max_attempts: How often a request is sent at most. Refusals (429) are free and do not count.
            warmup: So many requests of each distinct prompt prefix (all messages but the last; of a single message, its
                first 1,024 characters) go ahead, so that the others hit the context cache.
            rate_limiter: Entered before each sending, for servers that limit requests per minute; of 300 a minute,
                ``aiolimiter.AsyncLimiter(1, 60 / 300)``. Shared by batches of one event loop, it holds for all of them.
            response_type: A type, as of `parse`: every answer is asked for as a value of it, and is in the outcome's
                ``parsed``. One that does not fit is asked for again with what was wrong; that counts as an attempt.
            mode: How to ask for it, as of `parse`.
            budget: Shared with whatever else is given it; once it is used up, nothing more is sent, and
                after all outcomes `BudgetExceededError` is raised.

        Returns:
            An async context manager; entered, the async iterator of outcomes.

        Raises:
            InvalidRequestError: A value is out of range, or the source is no source.
        """
        from .batch.batch import Batch
        from .batch.options import SendingRules
        from .calls.parsing.asking import Wanted

        check_truth("ordered", ordered)
        rules = SendingRules(
            max_concurrency=max_concurrency,
            max_attempts=max_attempts,
            warmup=warmup,
            rate_limiter=rate_limiter,
            wanted=None if response_type is None else Wanted(response_type, max_attempts, mode),
            budget=budget,
        )
        return Batch(self._caller, source, rules, ordered=ordered)

    def with_options(
        self,
        *,
        timeouts: Timeouts | Mapping[str, float | None] | None = None,
        retry: RetryPolicy | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        **spelled: Unpack[SpelledSettings],
    ) -> Self:
        """The same client with other settings for its calls. It shares connections, statistics and what servers said.

        Closing either closes the connections of both; they open new ones when they are used again.

        Args:
            timeouts: What they name changes, the rest stays.
            retry: A policy, or a mapping of what changes of this client's.
            headers: Sent besides those of this client, or instead of those of the same name.
            budget: Instead of this client's.
            spelled: ``timeout``, ``max_retries``, ``default_headers``.

        Raises:
            InvalidRequestError: A value is out of range.
        """
        headers = hide(headers)
        hide_headers(spelled)
        check_budget(budget)
        named = settings_of(spelled, AsyncClient.with_options)
        given: dict[str, Any] = {"timeouts": timeouts, "retry": retry, "headers": headers, **named}
        settings = {
            **self._settings,
            "timeouts": timeouts_of(given["timeouts"], self._settings["timeouts"]),
            "retry": retry_of(given["retry"], self._settings["retry"]),
            "headers": {**(self._settings["headers"] or {}), **(given["headers"] or {})} or None,
            "budget": self._settings["budget"] if budget is None else budget,
        }
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, _settings=settings)
        twin._caller = self._caller.changed(
            settings["timeouts"], settings["retry"], headers_of(given["headers"], "headers"), settings["budget"]
        )
        twin._make_resources()
        return twin

    def copy(self, **options: Any) -> Self:
        """As `with_options`."""
        return self.with_options(**options)

    async def close(self) -> None:
        """As `aclose`."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of the running loop. The client can be used again; it then opens new ones."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.base_url}>" if "_caller" in vars(self) else "<AsyncClient, not made>"

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, _: object) -> Self:
        # Connections, figures, a budget and a key have no second: whoever copies what holds a client means that one.
        return self.with_options()

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings, and what a subclass has added."""
        if not self._is_picklable:
            raise TypeError("an AsyncClient with a session, ssl or transport of the caller's cannot be pickled")
        own = {name: value for name, value in vars(self).items() if name not in _ATTRIBUTES}
        if self._settings["pickle_key"]:
            return {**self._settings, "api_key": self._key}, own
        # The key stays here: where the pickle is loaded, the environment has to hold it.
        if (secret := secret_in(self._settings)) is not None:
            allowing = "the pickle would carry the secret; pickle_key=True allows that"
            raise TypeError(f"an AsyncClient with {secret} cannot be pickled: {allowing}")
        return self._settings, own

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        settings, own = state
        del state  # no frame shows what it holds
        self.__dict__.update(own)
        settings = {**settings, **{name: hide(settings.get(name)) for name in ("api_key", "headers", "proxy")}}
        try:
            AsyncClient.__init__(self, **settings)  # a subclass's may want other arguments
        except InvalidRequestError as error:
            if error.parameter != "api_key":
                raise
            advice = f"set {API_KEY_VARIABLE} where it is loaded, or make the client with pickle_key=True"
            raise InvalidRequestError("api_key", message=f"a pickled AsyncClient carries no key: {advice}") from None


name_ours(AsyncClient, WORDS_OF_CLIENTS)
refuse_sync(AsyncClient)
name_ours(Chat, WORDS_OF_CHAT_ALONE)
name_ours(ChatCompletions, WORDS_OF_CHAT)
