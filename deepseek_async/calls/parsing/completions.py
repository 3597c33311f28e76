"""What `ChatCompletions` offers for answers of a given type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack, overload

import attrs

from ...errors import InvalidRequestError
from ...types import ChatCompletion, ChatRequest, ParsedChatCompletion
from ..arguments.parameters import CallOptions, ChatParameters, chat_request_of, hide_headers, split_off_options

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # in every checker's own stubs; never imported when the program runs

    from ..caller import Caller
    from ..stream import ChatCompletionStream
    from .streaming import ParsedStream
    from .ways import Mode

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Adapter(Protocol[T_co]):
    """What has a type and is none: a ``TypeAdapter`` of pydantic's."""

    def validate_json(self, data: str | bytes, /) -> T_co: ...


class ParsingCompletions:
    """``parse`` and ``stream_parse``, which ask by what `ChatCompletions` does."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def send(self, request: ChatRequest, options: CallOptions | None = None) -> ChatCompletion:
        """Ask for the answer to a request that is a value already."""
        raise NotImplementedError

    def _streamed(self, request: ChatRequest, options: CallOptions) -> ChatCompletionStream:
        raise NotImplementedError

    @overload
    async def parse(
        self,
        *,
        response_type: type[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedChatCompletion[T]: ...
    @overload
    async def parse(
        self,
        *,
        response_type: TypeForm[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedChatCompletion[T]: ...
    @overload
    async def parse(
        self,
        *,
        response_type: Adapter[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedChatCompletion[T]: ...
    async def parse(
        self,
        *,
        response_type: Any = attrs.NOTHING,
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedChatCompletion[Any]:
        """Ask for an answer of a given type.

        The type's JSON Schema is shown to the model. An answer that does not fit is shown to it again with all that is
        wrong, and asked for again; one that was cut by its limit of tokens is not, since it would be cut again. Before
        anything is sent, the type is tried with a value made from its own schema.

        Args:
            response_type: An attrs class, dataclass, TypedDict, NamedTuple, msgspec Struct, pydantic model or
                ``TypeAdapter``, enum, scalar, or a union or container of them.
            mode: How to ask. ``"tool"``: by a function, strict where the server and the type allow it. ``"json"``: in
                JSON mode. ``"auto"``: by a strict function, unless the model thinks or the type cannot be said there.
            attempts: At most so many answers, the first included.
            parameters: As for `create`, but for ``response_format``, ``tools`` and ``tool_choice``.

        Raises:
            InvalidRequestError: JSON cannot say the type, or a parameter is out of range. Nothing was sent.
            MalformedResponseError: No answer fitted; the message says what was wrong with the last.
            DeepSeekError: As `create`. Of each error ``attempts`` counts what was sent, ``usage`` what was paid for.
        """
        from .asking import Asking, Wanted, ask_until_it_fits  # not for those who ask for no types

        if "extra_headers" in parameters:
            hide_headers(parameters)
        given: dict[str, Any] = dict(parameters)
        response_type = _type_in(response_type, given)
        options = split_off_options(given)
        request = chat_request_of(given, stream=False, method=ParsingCompletions.parse)
        wanted: Wanted[Any] = Wanted(response_type, attempts, mode)
        asking = Asking(wanted, request, self._caller.strict_refusals)
        return await ask_until_it_fits(lambda asked: self.send(asked, options), asking)

    @overload
    def stream_parse(
        self,
        *,
        response_type: type[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedStream[T]: ...
    @overload
    def stream_parse(
        self,
        *,
        response_type: TypeForm[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedStream[T]: ...
    @overload
    def stream_parse(
        self,
        *,
        response_type: Adapter[T],
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedStream[T]: ...
    def stream_parse(
        self,
        *,
        response_type: Any = attrs.NOTHING,
        mode: Mode = "auto",
        attempts: int = 3,
        **parameters: Unpack[ChatParameters],
    ) -> ParsedStream[Any]:
        """Ask for a streamed answer of a given type: its objects can be shown as they grow.

            async with client.chat.completions.stream_parse(response_type=Trip, model=…, messages=[…]) as stream:
                async for partial in stream.partial_objects(): ...   # {"city": "Zür"}, {"city": "Zürich", "days": []}
                parsed = await stream.parsed()                       # parsed.parsed: Trip

        Args:
            response_type, mode, attempts, parameters: As for `parse`. An answer that does not fit is asked for again in
                one piece, by `ParsedStream.parsed`.

        Raises:
            InvalidRequestError: As `parse`, before anything is sent.
        """
        from .asking import Asking, Wanted
        from .streaming import ParsedStream

        if "extra_headers" in parameters:
            hide_headers(parameters)
        given: dict[str, Any] = dict(parameters)
        response_type = _type_in(response_type, given)
        options = split_off_options(given)
        wanted: Wanted[Any] = Wanted(response_type, attempts, mode)
        request = chat_request_of(given, stream=True, method=ParsingCompletions.stream_parse)
        asking = Asking(wanted, request, self._caller.strict_refusals)
        return ParsedStream(
            lambda asked: self._streamed(asked, options), lambda asked: self.send(asked, options), asking
        )


def _type_in(response_type: Any, given: dict[str, Any]) -> Any:
    """The type that is asked for. The openai package calls it ``response_format``, which is taken where it is a class.

    Raises:
        InvalidRequestError: There is none.
    """
    if response_type is attrs.NOTHING and isinstance(given.get("response_format"), type):
        return given.pop("response_format")
    if response_type is attrs.NOTHING:
        raise InvalidRequestError("response_type", None, "the type of the answer: parse(response_type=Class, …)")
    return response_type
