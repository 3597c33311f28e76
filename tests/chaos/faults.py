"""What a proxy may do to one answer, and how that is drawn.

An answer is known as HTTP frames it: its head, then pieces of its body. A plan says what happens to them; `played`
makes of both the steps that the proxy takes. Pure: the same seed draws the same plans, and a plan does the same to the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Literal

import attrs

Ending = Literal["none", "close", "reset", "stall"]


@attrs.frozen
class Plan:
    """What happens to one answer.

    Attributes:
        refuse: Do this as soon as the request has come, instead of passing it on.
        ending: How the answer ends before its time.
        ends_at: After which share of its bytes, head and framing counted.
        ends_in_form: Leave out all chunks from this one on, and end the body as if it were whole.
        lie: Say a length that is wrong by so many bytes, for the body or for one of its chunks.
        lies_about: Which chunk.
        comments: Before which chunks, where an event begins, a comment or a blank line is put in.
        cuts: How many places the bytes are cut at between writes.
        pauses: How many of the cuts take a moment.
        pause: How long that is, in seconds.
        seed: For where all of that is.
    """

    refuse: Ending = "none"
    ending: Ending = "none"
    ends_at: float = 1.0
    ends_in_form: int | None = None
    lie: int = 0
    lies_about: int = 0
    comments: tuple[int, ...] = ()
    cuts: int = 0
    pauses: int = 0
    pause: float = 0.002
    seed: int = 0

    @property
    def is_harmless(self) -> bool:
        """Whether the answer still says what it said."""
        return self.refuse == self.ending == "none" and self.ends_in_form is None and not self.lie


def draw_plan(random: Random, *, stalls: bool = True) -> Plan:
    """A plan at random: half of them leave the answer whole, and do to its bytes what a network may."""
    endings: list[Ending] = ["close", "reset", "stall"] if stalls else ["close", "reset"]
    kind = random.choice(("whole", "whole", "whole", "ending", "ending", "refuse", "lie", "form"))
    return Plan(
        refuse=random.choice(endings) if kind == "refuse" else "none",
        ending=random.choice(endings) if kind == "ending" else "none",
        ends_at=random.random(),
        ends_in_form=random.randrange(12) if kind == "form" else None,
        lie=random.choice((-40, -7, -2, -1, 1, 2, 5, 9, 300)) if kind == "lie" else 0,
        lies_about=random.randrange(12),
        comments=tuple(random.randrange(40) for _ in range(random.choice((0, 0, 1, 5)))),
        cuts=random.choice((0, 1, 3, 20, 200)),
        pauses=random.choice((0, 0, 1, 2)),
        pause=random.choice((0.002, 0.002, 0.002, 0.04)),
        seed=random.randrange(2**32),
    )


@attrs.frozen
class Framed:
    """An answer, taken apart.

    Attributes:
        head: Status line and fields, with the blank line after them.
        chunks: The body in the chunks of its framing; of a body with a length, one.
        is_chunked: Which of the two it is.
    """

    head: bytes
    chunks: tuple[bytes, ...]
    is_chunked: bool


@attrs.frozen
class Write:
    """Send these bytes."""

    data: bytes


@attrs.frozen
class Wait:
    """Do nothing for so long."""

    seconds: float


@attrs.frozen
class End:
    """End the connection so; ``stall``: say nothing more, and leave it open."""

    how: Ending


Step = Write | Wait | End


def played(answer: Framed, plan: Plan) -> Iterator[Step]:
    """The steps in which an answer goes out under a plan."""
    random = Random(plan.seed)
    data = _written(answer, plan)
    if plan.ending != "none":
        data = data[: int(plan.ends_at * len(data))]
    places = sorted({0, len(data), *(random.randrange(len(data) + 1) for _ in range(plan.cuts))})
    pauses = {random.choice(places) for _ in range(plan.pauses)}
    for start, end in pairwise(places):
        if start in pauses:
            yield Wait(plan.pause)
        yield Write(data[start:end])
    if plan.ending != "none":
        yield End(plan.ending)
    elif plan.lie:
        yield End("close")  # after a lie nobody can tell where the next answer would begin


def _written(answer: Framed, plan: Plan) -> bytes:
    chunks, head = list(answer.chunks), answer.head
    if not answer.is_chunked:
        body = b"".join(chunks)
        if plan.lie:
            said, true = b"content-length: %d" % max(0, len(body) + plan.lie), b"content-length: %d" % len(body)
            head = head.lower().replace(true, said)
        return head + body
    if plan.ends_in_form is not None:
        del chunks[plan.ends_in_form :]
    parts = [head]
    at_event = True
    is_document = b"application/json" in head.lower()
    for number, chunk in enumerate(chunks):
        if at_event and number in plan.comments:
            comment = (b": keep-alive\n\n", b":\n", b"\n", b": OPENROUTER PROCESSING\r\n\r\n")[number % 4]
            parts.append(_framed(b"\n" if is_document else comment, 0))  # a document is kept alive by blank lines
        parts.append(_framed(chunk, plan.lie if number == plan.lies_about else 0))
        at_event = chunk.endswith(b"\n\n")
    parts.append(b"0\r\n\r\n")
    return b"".join(parts)


def _framed(chunk: bytes, lie: int) -> bytes:
    return b"%x\r\n%b\r\n" % (max(1, len(chunk) + lie), chunk)
