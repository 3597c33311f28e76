"""A naive reading of the standard, to hold the decoder against: the whole stream at once, as text, one rule a line.

Written from the WHATWG HTML standard, sections 9.2.5 and 9.2.6, without a look at the decoder: no bytes, no state
between calls, no care for speed. What the standard leaves open is decided as `deepseek_async.sse` documents it.
"""

from __future__ import annotations

import re

import attrs

from deepseek_async.sse import Comment, ServerSentEvent

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r)")


@attrs.frozen
class Reading:
    """What a stream says.

    Attributes:
        items: Events and comments, in order.
        unfinished: The event that the end of the stream cut off.
        unframed: The lines that are neither fields nor comments, each ended by LF, as text.
    """

    items: list[ServerSentEvent | Comment]
    unfinished: ServerSentEvent | None
    unframed: str


def read(stream: bytes) -> Reading:
    """Interpret a whole stream; for what is unfinished, interpret it once more with the line ends it lacks."""
    items, _ = _interpret(stream)
    flushed, ignored = _interpret(stream + b"\n\n")
    cut_off = [item for item in flushed if isinstance(item, ServerSentEvent)]
    events = [item for item in items if isinstance(item, ServerSentEvent)]
    unfinished = cut_off[-1] if len(cut_off) > len(events) else None
    return Reading(items, unfinished, "".join(line + "\n" for line in ignored))


def _interpret(stream: bytes) -> tuple[list[ServerSentEvent | Comment], list[str]]:
    text = stream.decode("utf-8", errors="replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    items: list[ServerSentEvent | Comment] = []
    ignored: list[str] = []
    data_buffer = event_type_buffer = last_event_id_buffer = ""
    reconnection_time: int | None = None
    for match in _LINE.finditer(text):
        line = match[1]
        if line == "":
            if data_buffer == "":
                event_type_buffer = ""
                continue
            if data_buffer[-1] == "\n":
                data_buffer = data_buffer[:-1]
            event_type = "message" if event_type_buffer == "" else event_type_buffer
            items.append(ServerSentEvent(event_type, data_buffer, last_event_id_buffer, reconnection_time))
            data_buffer = event_type_buffer = ""
        elif line[0] == ":":
            items.append(Comment(line[2:] if line[1:2] == " " else line[1:]))
        else:
            field, value = line, ""
            if ":" in line:
                colon = line.index(":")
                field, value = line[:colon], line[colon + 1 :]
                if value[:1] == " ":
                    value = value[1:]
            if field == "event":
                event_type_buffer = value
            elif field == "data":
                data_buffer += value + "\n"
            elif field == "id":
                if "\0" not in value:
                    last_event_id_buffer = value
            elif field == "retry":
                if value != "" and set(value) <= set("0123456789"):
                    reconnection_time = _base_ten(value)
            else:
                ignored.append(line)
    return items, ignored


def _base_ten(digits: str) -> int:
    """As int(), for any number of digits; as the decoder, of a number longer than 640 only the first 640."""
    number = 0
    for digit in digits.lstrip("0")[:640]:
        number = number * 10 + "0123456789".index(digit)
    return number
