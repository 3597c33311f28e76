"""Lines that break between words, although the words come in pieces."""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.style import Style
from rich.text import Text

_TAB = "    "
# A line end, blanks, the rest of a word; wide characters (Chinese, Japanese, emoji) may be parted anywhere.
_PARTS = re.compile(
    r"\n|[^\S\n]+|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\U0001f300-\U0001faff]|"
    r"[^\s\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\U0001f300-\U0001faff]+"
)


class WordWrap:
    """Writes text to a terminal as it comes; a word that meets the edge is taken back and goes on the next line.

    Args:
        console: A terminal whose cursor can be moved. Its width is asked for each time: windows are resized.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._column = 0
        self._word: list[tuple[str, Style]] = []  # what of the word in progress stands on this line

    @property
    def is_at_line_start(self) -> bool:
        """Whether nothing stands on the line."""
        return self._column == 0

    def write(self, text: str, style: Style) -> None:
        """Write the next piece. Control characters must be gone from it but for line feed and tab."""
        for part in _PARTS.findall(text.replace("\t", _TAB)):
            if part == "\n":
                self._break_line()
            elif part.isspace():
                self._write_blanks(part, style)
            else:
                self._write_word(part, style)

    def _write_blanks(self, part: str, style: Style) -> None:
        self._word.clear()
        if self._column + len(part) >= self._limit:
            self._break_line()  # the line end stands for the blanks
        else:
            self._put(part, style)

    def _write_word(self, part: str, style: Style) -> None:
        cells = cell_len(part)
        if cells > 1 and len(part) == 1:
            self._word.clear()
        if self._column + cells > self._limit:
            begun = sum(cell_len(text) for text, _ in self._word)
            if self._column - begun > 0 and begun + cells <= self._limit:
                word = list(self._word)
                if begun:
                    back = Control((ControlType.CURSOR_BACKWARD, begun), (ControlType.ERASE_IN_LINE, 0))
                    self._console.control(back)
                self._break_line()
                for text, its_style in word:
                    self._put(text, its_style)
                self._word = word
            else:
                self._word.clear()  # longer than a line: the terminal breaks it where it will
        self._word.append((part, style))
        self._put(part, style)

    @property
    def _limit(self) -> int:
        # In the last column a terminal waits with the line break, and moving back from there counts differently.
        return max(1, self._console.width - 1)

    def _put(self, text: str, style: Style) -> None:
        self._console.print(Text(text, style), end="", soft_wrap=True)
        self._column = (self._column + cell_len(text)) % self._console.width

    def _break_line(self) -> None:
        self._console.print()
        self._column = 0
        self._word.clear()
