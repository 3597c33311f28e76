"""Writing text of which parts are fixed, parts are a choice, and parts are the model's own.

`JsonWriter` turns such a text into steps. Fixed text waits until what follows it is known and is then split into tokens
together with it, so that the tokens are those of the finished text. A choice is a tree of tokens: at each branch the
weights of the texts below give the distribution that is drawn from and reported.
"""

from __future__ import annotations

import re
from array import array
from copy import copy
from typing import TYPE_CHECKING, Final

from ..answer import Answer
from ..copying import missing_bytes
from ..distribution import Distribution, Tail
from ..sampling import Step, forced, logprob_of, mix, uniform
from ..tokenizer import EOS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from ..copying import Prompt
    from ..prediction import Predictor
    from ..sampling import Sampling
    from ..tokenizer import Tokenizer

_QUOTE: Final = 0x22
_MAX_STRING: Final = 24  # tokens; a string of the model's own is closed then
_ENDINGS: Final = (0.0, 0.35, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)  # of a string, by its length in tokens
_RECITED: Final = 0.97
_AFTER_NAME: Final = 0.8
_BEGINNING: Final = (
    0.85  # share of the prompt's words at the start of a string: an argument usually stands in the prompt
)
_USED_BEFORE: Final = 0.2  # factor for beginning two strings alike
_LOOKED_AT: Final = 20_000  # characters at the conversation's end, for what it mentions
_LONGEST_STEP: Final = 24  # characters that one token may add
_UNSEEN: Final = 0x5DEECE66D  # sets the draws that no step shows apart from those that one does
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,6})?(?![\w.]|,\d)")
_NO_TAIL: Final = Tail(array("H"), {}, array("d"), array("d", (0.0,)), 1.0)


class JsonWriter:
    """Steps for a text that is put together piece by piece.

    Args:
        tokenizer: The model's.
        predictor: Predicts the text inside strings.
        prompt: What such text may copy.
        text: The whole conversation, for the numbers and words it mentions.
        sampling: How to draw.
        tail: The common tokens that need no escape in a string, at the sampling's temperature.
        key: The key of all draws.
        indent: Spaces for a level; None for one line.
        logprobs: Whether steps list alternatives.

    Attributes:
        mentioned_numbers: The numbers in the last part of the conversation, as text, without repetition.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        predictor: Predictor,
        prompt: Prompt,
        text: str,
        sampling: Sampling,
        tail: Tail,
        key: int,
        *,
        indent: int | None,
        logprobs: bool,
    ) -> None:
        self._tokenizer = tokenizer
        self._predictor = predictor
        self._prompt = prompt
        self._text = text[-_LOOKED_AT:]
        self._sampling = sampling
        self._tail = tail
        self._key = key
        self._indent = indent
        self._logprobs = logprobs
        self._is_greedy = sampling.temperature == 0.0
        self._temperature = 1.0 if self._is_greedy else sampling.temperature
        self._top_p = 1.0 if self._is_greedy else sampling.top_p
        self._waiting = ""
        self._steps = self._unseen = 0
        self._counts: dict[int, int] = {}
        self._beginnings: set[int] = set()
        self.mentioned_numbers = list(dict.fromkeys(_NUMBER.findall(self._text)))

    def mentions(self, word: str) -> bool:
        """Whether the conversation contains a word."""
        return bool(word) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self._text, re.IGNORECASE) is not None

    def chance(self) -> float:
        """A draw in [0, 1) that no step shows: for deciding what is on offer."""
        self._unseen += 1
        return uniform(mix(self._key ^ _UNSEEN), self._unseen)

    def fixed(self, text: str) -> None:
        """Write text that cannot be otherwise."""
        self._waiting += text

    def line_break(self, depth: int, otherwise: str = "") -> str:
        """What stands between two parts at a depth of nesting."""
        return otherwise if self._indent is None else "\n" + " " * (self._indent * depth)

    def choose(self, options: Sequence[tuple[str, float]]) -> Generator[Step, None, int]:
        """Write one of several texts.

        Args:
            options: Texts and their weights.

        Returns:
            The index of the one that was written.
        """
        encode, waiting = self._tokenizer.encode, self._waiting
        self._waiting = ""
        alive = [(encode(waiting + text), weight, index) for index, (text, weight) in enumerate(options)]
        place = 0
        while True:
            ended = [option for option in alive if len(option[0]) == place]
            if ended:
                alive = [option for option in alive if len(option[0]) > place]
                # That the text ends here shows only in what comes after it, which is no part of this choice.
                if not alive or self._ends_here(ended[0][1], sum(option[1] for option in alive)):
                    return ended[0][2]
            masses: dict[int, float] = {}
            for tokens, weight, _ in alive:
                masses[tokens[place]] = masses.get(tokens[place], 0.0) + weight
            token = yield from self._draw(masses, _NO_TAIL, 0.0)
            alive = [option for option in alive if option[0][place] == token]
            place += 1

    def string(self, least: int, most: int) -> Generator[Step, None, None]:
        """Write a JSON string in the model's own words, quotes included.

        Args:
            least: Characters that it has at least.
            most: Characters that it has at most: `MIN_ROOM` more than the least, or more.
        """
        self._waiting += '"'
        yield from self._flush()
        answer = Answer((), (), self._prompt.recited)
        characters = 0
        while True:
            inside = missing_bytes(answer.unit)
            if not inside and (
                characters + _LONGEST_STEP > most or (answer.length >= _MAX_STRING and characters >= least)
            ):
                self._waiting = '"'
                return
            listed, tail_share = self._listed(answer, 0.0 if characters < least else self._ending(answer))
            token = yield from self._draw(listed, self._tail, tail_share)
            if token == _QUOTE:
                return
            if not answer.length:
                self._beginnings.add(token)
            self._counts[token] = self._counts.get(token, 0) + 1
            answer.push(token)
            if not missing_bytes(answer.unit):
                characters += 1 if token < 256 else len(self._tokenizer.token_text(token))

    def phrase(self, least: int, most: int) -> str:
        """Draw a text as `string` writes it, without quotes and without showing a step: to offer it as a choice."""
        aside = copy(self)
        aside._key = mix(self._key ^ int(self.chance() * 2**53))  # noqa: SLF001 - a copy of ourselves
        aside._waiting, aside._counts, aside._beginnings, aside._logprobs = "", {}, set(), False  # noqa: SLF001
        tokens = [step.token for step in aside.string(least, max(most, least + MIN_ROOM))]
        return self._tokenizer.decode(tokens).strip('"')[:most]

    def end(self) -> Iterator[Step]:
        """Write what is left, and the end."""
        yield from self._flush()
        yield forced(EOS, logprobs=self._logprobs)

    def _flush(self) -> Generator[Step, None, None]:
        tokens = self._tokenizer.encode(self._waiting)
        self._waiting = ""
        for token in tokens:
            yield from self._draw({token: 1.0}, _NO_TAIL, 0.0)

    def _listed(self, answer: Answer, ending: float) -> tuple[dict[int, float], float]:
        """The prediction inside a string: no token that would need an escape, and the quote for the end."""
        predictor, is_plain = self._predictor, self._tokenizer.is_plain_in_json
        factors = predictor.factors(answer, self._sampling)
        if not answer.length:
            factors.update((token, _USED_BEFORE) for token in self._beginnings)
        overlay = predictor.overlay(answer, self._prompt, ending, _BEGINNING)
        listed, tail_share = predictor.spread(answer, self._prompt, overlay, factors)
        plain = {token: weight for token, weight in listed.items() if is_plain(token)}
        if EOS in listed and ending:
            plain[_QUOTE] = listed[EOS]
        return plain, tail_share

    def _ending(self, answer: Answer) -> float:
        if answer.has_recited:
            return _RECITED
        if not answer.length or missing_bytes(answer.unit) or self._prompt.is_inside_word(answer.before, answer.unit):
            return 0.0
        if self._prompt.is_end_of_name(answer.before, answer.unit):
            return _AFTER_NAME
        return _ENDINGS[min(answer.length, len(_ENDINGS) - 1)]

    def _ends_here(self, ending: float, going_on: float) -> bool:
        share = ending / (ending + going_on)
        return share >= 0.5 if self._is_greedy else self.chance() < share

    def _draw(self, listed: dict[int, float], tail: Tail, tail_share: float) -> Generator[Step, None, int]:
        self._steps += 1
        if len(listed) == 1 and not tail_share:
            token = next(iter(listed))
            yield forced(token, logprobs=self._logprobs)
            return token
        distribution = Distribution(listed, tail, tail_share, self._temperature, self._top_p)
        token = distribution.likely()[0][0] if self._is_greedy else distribution.draw(uniform(self._key, self._steps))
        if self._logprobs:
            likely = distribution.likely()
            yield Step(token, logprob_of(token, likely), likely)
        else:
            yield Step(token, 0.0, ())
        return token


MIN_ROOM: Final = 2 * _LONGEST_STEP  # between a string's least and most characters, for it to be written freely
