"""A streamed fill-in-the-middle answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..codec.stream import StreamDecoder
from ..codec.text_fold import TextFold
from ..types import TextCompletion
from .call import Call
from .event_stream import EventStream
from .reading import Reading


class TextCompletionStream(EventStream[TextCompletion, TextCompletion]):
    """A streamed fill-in-the-middle answer: ``async for`` over `TextCompletion`, each a piece."""

    def __init__(self, start: Callable[[], Call], make_decoder: Callable[[], StreamDecoder[TextCompletion]]) -> None:
        super().__init__(start, make_decoder, TextFold, lambda piece: any(choice.text for choice in piece.choices))

    def text_deltas(self, index: int = 0) -> Reading[TextCompletion, str]:
        """The text of one choice as it comes; never empty strings."""
        return Reading(self, index, _texts_in)


def _texts_in(piece: TextCompletion, index: int) -> Iterator[str]:
    for choice in piece.choices:
        if choice.index == index and choice.text:
            yield choice.text
