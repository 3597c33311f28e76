"""`Conversation`: a dialogue that keeps its own history, right over tools, thinking, errors and cancellations.

    chat = Conversation(client, system="Be brief.", model="deepseek-flash", tools=[ferry])
    answer = await chat.say("When does the ferry leave?")
    async for delta in chat.stream("And on Sunday?"):
        print(delta.content or "", end="")

A turn is kept as a whole or not at all, so that the history can always be sent as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, Self, Unpack

import attrs

from ...errors import InvalidRequestError, name_ours
from ...policy.spending import Budget
from ...policy.trimming import Trim
from ...types import AssistantMessage, ChatCompletion, FinishReason, SystemMessage, Usage, UserMessage
from ...types.messages import Content
from ...types.requests.numbers import integer_in
from ..arguments.checks import check_budget, check_type
from ..arguments.parameters import AskingParameters, check_names
from ..arguments.spellings import WORDS_OF_CONVERSATIONS
from ..chat import Chat
from ..tools.function_tool import FunctionTool
from .saved import SavedConversation, saved_from_json
from .turn import Turn
from .turn_stream import Question, TurnStream


class Chatting(Protocol):
    """What a conversation needs of a client."""

    @property
    def chat(self) -> Chat:
        """Where its calls are."""
        ...


class Conversation:
    """A dialogue with a model. One turn at a time.

    Args:
        client: An `AsyncClient`; it stays the caller's to close.
        system: What the model is told first; text, or a `SystemMessage`.
        model: Who answers.
        tools: Functions that the model may call; see `ChatCompletions.run_tools`.
        budget: What all requests are paid from; a client's own holds besides it. A turn may be given another.
        trim: Which finished turns are sent, see `policy.trimming`; ``None``: all of them. The history keeps all.
        partial: What becomes of a turn that is cut, fails or is cancelled after some text came: ``"drop"`` forgets it,
            its question too; ``"keep"`` keeps what came, marked by ``Turn.complete`` False.
        parameters: For every request of it, as for `ChatCompletions.create`.

    Attributes:
        model, system, parameters: As given; what is changed holds from the next turn on.
        turns: The finished turns, oldest first.

    Raises:
        InvalidRequestError: A value is not allowed.
    """

    def __init__(
        self,
        client: Chatting,
        *,
        model: str,
        system: str | SystemMessage | None = None,
        tools: Sequence[FunctionTool | Callable[..., Any]] = (),
        trim: Trim | None = None,
        partial: Literal["drop", "keep"] = "drop",
        **parameters: Unpack[AskingParameters],
    ) -> None:
        check_names(parameters, AskingParameters, Conversation.__init__)
        if partial not in ("drop", "keep"):
            raise InvalidRequestError("partial", partial, "'drop' or 'keep'")
        if not hasattr(client, "chat"):
            raise InvalidRequestError("client", None, f"an AsyncClient, not {type(client).__name__}")
        check_type("model", model, str)
        check_type("system", system, str, SystemMessage, Mapping, None)
        check_budget(parameters.get("budget"))
        if trim is not None and not callable(trim):
            raise InvalidRequestError("trim", None, f"such as last_messages(20), or None, not {type(trim).__name__}")
        self._client = client
        self.system: Any = SystemMessage(system) if isinstance(system, str) else system
        self.model = model
        self._tools = tuple(tools)
        self._budget = parameters.pop("budget", None)
        self._trim = trim
        self._partial = partial
        self.parameters: dict[str, Any] = dict(parameters)
        self._open: TurnStream | None = None
        self.turns: list[Turn] = []

    # -- what has been said ------------------------------------------------------------------------------------------

    @property
    def messages(self) -> list[Any]:
        """The whole history, ready for ``messages=`` of any call."""
        return [*self._first(), *(message for turn in self.turns for message in turn.messages)]

    @property
    def usage(self) -> Usage | None:
        """Token counts of all turns together; ``None`` before the first."""
        usages = [turn.usage for turn in self.turns if turn.usage is not None]
        return sum(usages[1:], usages[0]) if usages else None

    @property
    def cost(self) -> Decimal | None:
        """What all turns cost, in US dollars; ``None`` if that is not known of one of them."""
        costs = [turn.cost for turn in self.turns]
        return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))

    def _first(self) -> list[Any]:
        return [] if self.system is None else [self.system]

    # -- saying ------------------------------------------------------------------------------------------------------

    async def say(self, content: Content | UserMessage, **parameters: Unpack[AskingParameters]) -> ChatCompletion:
        """Ask, and return the model's last words of the turn.

        Args:
            content: Text, parts, or a whole `UserMessage`.
            parameters: For this turn, over those of the conversation.

        Raises:
            DeepSeekError: As `ChatCompletions.create` and `run_tools`. The history is as before, or with
                ``partial="keep"`` ends with what came.
            BudgetExceededError: Nothing was sent.
        """
        return await self._turn(content, parameters, is_streamed=False).completion()

    def stream(self, content: Content | UserMessage, **parameters: Unpack[AskingParameters]) -> TurnStream:
        """Ask, and iterate the deltas of the answer as they come; arguments and errors are those of `say`.

        Leaving the iteration early, without ``async with``, leaves the turn open; the next one ends it.
        """
        return self._turn(content, parameters, is_streamed=True)

    def _turn(self, content: Any, parameters: Mapping[str, Any], *, is_streamed: bool) -> TurnStream:
        message = content if isinstance(content, (UserMessage, Mapping)) else UserMessage(content)

        async def begin(stream: TurnStream) -> Question:
            before, self._open = self._open, stream
            if before is not None:  # one that was left is ended by the next
                await before.aclose()
            turns = self.turns if self._trim is None else self._trim(tuple(self.turns))
            return Question(
                completions=self._client.chat.completions,
                messages=[*self._first(), *(each for turn in turns for each in turn.messages), message],
                parameters=self._given(parameters),
                tools=self._tools,
                is_streamed=is_streamed,
                keeps_partial=self._partial == "keep",
            )

        return TurnStream(begin, self.turns.append)

    def _given(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        given = {**self.parameters, **parameters, "model": self.model}
        return given if self._budget is None else {"budget": self._budget, **given}

    async def extend(self, **parameters: Unpack[AskingParameters]) -> ChatCompletion:
        """Let the model go on with an answer that ``max_tokens`` or a cut ended; its text is then one.

        Returns:
            The continuation alone.

        Raises:
            InvalidRequestError: The last turn has no answer that could go on.
            DeepSeekError: As `ChatCompletions.create`; the history is as before.
        """
        last = self.turns[-1] if self.turns else None
        ended = last is not None and (last.finish_reason == FinishReason.LENGTH or not last.complete)
        message = last.messages[-1] if last is not None else None
        if last is None or not ended or not isinstance(message, AssistantMessage) or not message.content:
            raise InvalidRequestError("extend", None, "a conversation whose last answer was cut or reached max_tokens")
        before = [*self.messages[:-1], attrs.evolve(message, prefix=True)]
        given: Any = self._given(parameters)
        sent_at = datetime.now(UTC)
        completion: ChatCompletion = await self._client.chat.completions.create(messages=before, **given)
        more = completion.message
        joined = attrs.evolve(message, content=(message.content or "") + (more.content or ""))
        self.turns[-1] = Turn(
            (*last.messages[:-1], joined),
            _sum(last.usage, completion.usage),
            _sum(last.cost, completion.cost(sent_at)),
            completion.finish_reason,
        )
        return completion

    # -- taking back, branching, keeping -----------------------------------------------------------------------------

    def undo(self, turns: int = 1) -> list[Turn]:
        """Take the last turns back, and return them.

        Raises:
            InvalidRequestError: There are not so many.
        """
        if (number := integer_in(turns)) is None or not 1 <= number <= len(self.turns):
            raise InvalidRequestError("turns", turns, f"1 to {len(self.turns)}, which the conversation has")
        taken, self.turns[-number:] = self.turns[-number:], []
        return taken

    def fork(self) -> Conversation:
        """Another conversation with the same history, client, tools and budget; from here on they know nothing of each
        other."""
        twin = object.__new__(Conversation)
        twin.__dict__.update(self.__dict__, _open=None, turns=list(self.turns), parameters=dict(self.parameters))
        return twin

    def to_json(self) -> str:
        """The history and parameters as JSON; tools, budget and client are not in it.

        Raises:
            InvalidRequestError: A parameter is nothing that JSON can say.
        """
        return SavedConversation(self.model, self.system, self._partial, self.parameters, self.turns).to_json()

    @classmethod
    def from_json(
        cls,
        text: str | bytes,
        client: Chatting,
        *,
        tools: Sequence[FunctionTool | Callable[..., Any]] = (),
        budget: Budget | None = None,
        trim: Trim | None = None,
    ) -> Self:
        """The conversation that `to_json` wrote, with a client, and with tools, budget and trimming given anew.

        Raises:
            MalformedResponseError: No JSON.
            InvalidRequestError: JSON, but no conversation.
        """
        saved = saved_from_json(text)
        given: Any = {"system": saved.system, "partial": saved.partial, **saved.parameters}
        try:
            chat = cls(client, model=saved.model, tools=tools, budget=budget, trim=trim, **given)
        except TypeError as error:
            raise InvalidRequestError("text", None, f"a conversation that to_json wrote ({error})") from None
        chat.turns = list(saved.turns)
        return chat

    def reloaded(self, text: str | bytes) -> Self:
        """The conversation that `to_json` wrote, with this one's client, tools, budget and trimming. As `from_json`."""
        return self.from_json(text, self._client, tools=self._tools, budget=self._budget, trim=self._trim)


def _sum(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one + other


name_ours(Conversation, WORDS_OF_CONVERSATIONS)
