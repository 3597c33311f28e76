"""Server-sent events: what a stream of bytes says, however it was cut, without a network.

>>> decoder = Decoder()
>>> decoder.receive_data(b": keep-alive\\n\\ndata: {\\"n\\": 1}\\n\\nda")
[Comment(text='keep-alive'), ServerSentEvent(event='message', data='{"n": 1}', id='', retry=None)]
>>> decoder.receive_data(b"ta: [DONE]\\n\\n")
[ServerSentEvent(event='message', data='[DONE]', id='', retry=None)]
>>> decoder.receive_eof()
[]

`Decoder` takes the bytes of one response as they come and returns the events and comments that they complete. It
follows the WHATWG HTML standard, section 9.2.6, to the letter and is lenient nowhere: every leniency misreads some
valid stream. What the standard throws away though a reader may want to see it is kept apart, as told below.

Rules
=====

The stream is UTF-8. A byte order mark before everything is dropped; anywhere else U+FEFF is a character. Invalid bytes
become U+FFFD and harm nothing else, not even in their line.

A line ends at CRLF, LF or CR, mixed as they come, and at nothing else: U+2028, U+2029, U+0085, VT and FF are data, and
JSON texts do contain them. A CR ends its line at once, for what follows may never come; if it is an LF, it belonged to
the CR. A line is a comment, a field, or blank. A field's name is what stands before its first colon, its value what
stands behind it, less one space if there is one; without a colon the whole line is the name and the value is empty.

    line               what it does
    -----------------  ------------------------------------------------------------------------------------------
    (blank)            dispatches the event if it has a `data` line, else forgets its type; then begins another
    : text             is a `Comment`, returned at once, though the event around it goes on
    data: value        adds a line to the event's data; the lines are joined by LF, and an empty one is a line too
    event: value       sets the type of this event, in place of an earlier one; an empty one means "message"
    id: value          sets the ID of this event and of those after it; ignored if there is a NUL in it
    retry: value       sets the reconnection time likewise; ignored unless it is ASCII digits, at least one
    any: value         nothing; see `Decoder.unframed`

Names are taken as they are: ``Data``, `` data`` and ``data `` are not ``data``. Values too: of two leading spaces one
stays, trailing ones all.

The end of the stream dispatches nothing. An event that lacks its blank line is discarded, whole as it may look: half a
JSON text must not pass for one.

Beside the rules
================

- **A cap.** An event or a line beyond ``max_event_bytes`` is a `ResponseTooLargeError` rather than all of the memory.
- **Cost.** Linear in the bytes, for any cut: nothing is scanned twice, and a large event may come byte by byte.
- **Two views.** `Decoder.receive_data` returns text. `Decoder.receive_payloads` leaves the data of plain events as
  bytes, for a JSON decoder. One machine stands behind both.
- **What was thrown away.** `Decoder.unfinished` is the event that the end cut off; `Decoder.unframed` the text that no
  rule knows, such as the JSON error of a server that forgot to frame it. Whoever knows what the stream was to carry
  decides what they mean. The decoder does not know ``[DONE]``, for instance: it is an event like any other.
"""

from .decoder import Decoder
from .events import Comment, ServerSentEvent

__all__ = ["Comment", "Decoder", "ServerSentEvent"]
