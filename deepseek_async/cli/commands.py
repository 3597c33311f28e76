"""What may be said to the shell's conversation besides questions: ``/model``, ``/save`` and the like."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from ..calls.conversation.conversation import Conversation
from ..calls.conversation.saved import saved_from_json
from ..errors import DeepSeekError, InvalidRequestError
from ..types import SystemMessage
from .attachments import parts_of
from .screen import visible


@attrs.define
class Dialogue:
    """A conversation in the shell, and how it is shown.

    Attributes:
        chat: The conversation; `load` puts another in its place.
        shows_reasoning: Whether the reasoning is shown, or folded into one line.
        asks_again: A question to ask next without the user's typing it: what ``/retry`` leaves.
        unanswered: The last question, if it has no whole answer.
        attached: Parts that go with the next question: what ``/file`` leaves.
        is_over: Whether the user wants to leave.
    """

    chat: Conversation
    shows_reasoning: bool = True
    asks_again: object = None
    is_over: bool = False
    unanswered: object = None
    attached: list[dict[str, Any]] = attrs.field(factory=list)


def obey(line: str, dialogue: Dialogue) -> str:
    """Do what a line that begins with ``/`` says; return what to tell the user. Raises nothing."""
    name, _, rest = line[1:].partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        return f"there is no /{visible(name)}; /help lists what there is"
    try:
        return command(dialogue, rest.strip())
    except DeepSeekError as error:
        return error.message
    except (OSError, ValueError) as error:  # no file, no text, quotes that are not closed
        return f"{rest.strip()}: {getattr(error, 'strerror', None) or error}"


def _model(dialogue: Dialogue, name: str) -> str:
    """[NAME]: who answers"""
    if name:
        dialogue.chat.model = name
    return f"model: {dialogue.chat.model}"


def _system(dialogue: Dialogue, text: str) -> str:
    """[TEXT]: what the model is told first; "-" for nothing"""
    if text:
        dialogue.chat.system = None if text == "-" else SystemMessage(text)
    system = dialogue.chat.system
    return "no system message" if system is None else f"system: {system.content}"


def _thinking(dialogue: Dialogue, said: str) -> str:
    """on|off: whether the model reasons first"""
    if said not in ("on", "off"):
        raise InvalidRequestError("/thinking", said, "on or off")
    dialogue.chat.parameters["thinking"] = {"type": "enabled" if said == "on" else "disabled"}
    return f"thinking: {said}"


def _reasoning(dialogue: Dialogue, said: str) -> str:
    """show|fold: how the reasoning is shown"""
    if said not in ("show", "fold"):
        raise InvalidRequestError("/reasoning", said, "show or fold")
    dialogue.shows_reasoning = said == "show"
    return f"reasoning: {said}"


def _save(dialogue: Dialogue, file: str) -> str:
    """FILE: write the conversation down"""
    if not file:
        raise InvalidRequestError("/save", None, "a file")
    path = Path(file).expanduser()
    if path.exists() and not _is_conversation(path):
        raise InvalidRequestError(
            "/save", file, message=f"{path} holds something else than a conversation; choose another name"
        )
    target = path.resolve()  # a link stays one
    part = target.with_name(f"{target.name}.part")  # whole or not at all: the disk may be full
    part.write_text(dialogue.chat.to_json(), encoding="utf-8")
    part.replace(target)
    count = len(dialogue.chat.turns)
    return f"{count} {'turn' if count == 1 else 'turns'} written to {path}"


def _is_conversation(path: Path) -> bool:
    try:
        saved_from_json(path.read_bytes())
    except DeepSeekError:
        return not path.stat().st_size
    return True


def _load(dialogue: Dialogue, file: str) -> str:
    """FILE: go on with a conversation that was written down"""
    if not file:
        raise InvalidRequestError("/load", None, "a file")
    dialogue.chat = dialogue.chat.reloaded(Path(file).expanduser().read_text(encoding="utf-8"))
    return f"{len(dialogue.chat.turns)} turns read"


def _undo(dialogue: Dialogue, count: str) -> str:
    """[N]: take the last turn back, or the last N"""
    if count and not count.isdecimal():
        raise InvalidRequestError("/undo", count, "a number of turns")
    if not dialogue.chat.turns:
        return "there is nothing to take back"
    taken = dialogue.chat.undo(int(count or 1))
    return f"{len(taken)} taken back, {len(dialogue.chat.turns)} left"


def _retry(dialogue: Dialogue, _: str) -> str:
    """: ask the last question again"""
    question, turns = dialogue.unanswered, dialogue.chat.turns
    if turns and (question is None or not turns[-1].complete):
        question = dialogue.chat.undo()[0].messages[0]
    if question is None:
        return "nothing has been asked yet"
    dialogue.asks_again = question
    return ""


def _file(dialogue: Dialogue, files: str) -> str:
    """FILE …: add text, images or PDFs to the next question"""
    if not files:
        raise InvalidRequestError("/file", None, "one file or several")
    names = [files] if Path(files).expanduser().exists() else shlex.split(files)  # a name may hold blanks
    dialogue.attached += parts_of(names)
    return f"{len(dialogue.attached)} go with the next question"


def _cost(dialogue: Dialogue, _: str) -> str:
    """: tokens and money so far"""
    usage, cost = dialogue.chat.usage, dialogue.chat.cost
    if usage is None:
        return "nothing so far"
    money = "price not known" if cost is None else f"{cost:f} USD"
    cached = f", {usage.cached_tokens:,} of them cached" if usage.cached_tokens else ""
    return f"{usage.prompt_tokens:,} prompt tokens{cached}, {usage.completion_tokens:,} answered; {money}"


def _help(_: Dialogue, __: str) -> str:
    """: this list"""
    lines = []
    for name, command in COMMANDS.items():
        arguments, _colon, meaning = (command.__doc__ or "").partition(":")
        lines.append(f"/{name} {arguments}".ljust(24) + meaning.strip())
    return "\n".join(
        [
            *lines,
            "A line that ends with \\ goes on in the next; so does Alt-Enter. Ctrl-C stops an answer, Ctrl-D leaves.",
        ]
    )


def _quit(dialogue: Dialogue, _: str) -> str:
    """: leave"""
    dialogue.is_over = True
    return ""


COMMANDS: Mapping[str, Callable[[Dialogue, str], str]] = {
    "model": _model,
    "system": _system,
    "thinking": _thinking,
    "reasoning": _reasoning,
    "save": _save,
    "load": _load,
    "retry": _retry,
    "file": _file,
    "undo": _undo,
    "cost": _cost,
    "help": _help,
    "quit": _quit,
}
