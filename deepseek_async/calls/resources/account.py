"""``client.models`` and ``client.user``: what an account has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from ...codec.reading.account import balance_from_json, models_from_json
from ...errors import InvalidRequestError, name_ours, refuse_sync
from ...transport import Form
from ...types.account import Balance, Model, ModelList
from ..arguments.parameters import CallOptions, call_options_of
from ..arguments.spellings import WORDS_OF_RESOURCES
from ..attempt import Attempt

if TYPE_CHECKING:
    from ..caller import Caller

T = TypeVar("T")


class Models:
    """``client.models``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, **options: Unpack[CallOptions]) -> ModelListing:
        """``GET /models``: to be awaited, or iterated by ``async for``. Raises as `ChatCompletions.create`."""
        options = call_options_of(options, Models.list)
        return ModelListing(lambda: ask(self._caller, "GET", "/models", models_from_json, options))

    async def retrieve(self, model: str, **options: Unpack[CallOptions]) -> Model:
        """One model, out of the list: servers differ in whether they tell of one alone.

        Raises:
            InvalidRequestError: It is not among them.
            DeepSeekError: As `ChatCompletions.create`.
        """
        options = call_options_of(options, Models.retrieve)
        models = await self.list(**options)
        for found in models:
            if found.id == model:
                return found
        raise InvalidRequestError("model", model, ", ".join(found.id for found in models) or "none: the list is empty")


class ModelListing:
    """The list of models, asked for when it is awaited or iterated."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, ModelList]]) -> None:
        self._ask = ask

    def __await__(self) -> Generator[Any, Any, ModelList]:
        return self._ask().__await__()

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in await self._ask():
            yield model


class User:
    """``client.user``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def balance(self, **options: Unpack[CallOptions]) -> Balance:
        """``GET /user/balance``. Raises as `ChatCompletions.create`."""
        options = call_options_of(options, User.balance)
        return await ask(self._caller, "GET", "/user/balance", balance_from_json, options)


name_ours(Models, WORDS_OF_RESOURCES)
name_ours(User, WORDS_OF_RESOURCES)
name_ours(ModelListing, {"data": "(await client.models.list()).data"})
refuse_sync(ModelListing)


async def ask(
    caller: Caller,
    method: str,
    path: str,
    read: Callable[[bytes], T],
    options: CallOptions,
    form: Form | None = None,
) -> T:
    """Ask for what is no answer of a model's, with all attempts. Raises as `ChatCompletions.create`.

    Args:
        path: Below the base URL, with its query.
        read: The body → its value.
        form: What is sent, if anything is.
    """
    path, _, query = path.partition("?")
    url = caller.endpoint.url(path)
    url += ("&" if "?" in url else "?") + query if query else ""
    request = caller.http_request(method, url, None, options, form)
    call = caller.call(request, options, model=None, streamed=False)

    async def ask_once(attempt: Attempt) -> T:
        return read(await attempt.whole(caller.max_body_bytes))

    return await call.run(ask_once)
