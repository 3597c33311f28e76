"""What the values of a JSON answer are made of: chance, what the conversation mentions, and the model's own words."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..distribution import Distribution
from ..draft import Draft
from ..prompt import missing_bytes
from ..sampling import mix, uniform
from ..tokenizer import EOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..distribution import Tail
    from ..prediction import Predictor
    from ..prompt import Prompt
    from ..sampling import Sampling
    from ..tokenizer import Tokenizer

Option = TypeVar("Option")

_MAX_PHRASE: Final = 24  # tokens
_ENDINGS: Final = (0.0, 0.35, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)  # of a phrase, by its length in tokens
_AFTER_NAME: Final = 0.8
_BEGINNING: Final = 0.85  # share of the prompt's words at a phrase's start: an argument usually stands in the prompt
_USED_BEFORE: Final = 0.2  # factor for beginning two phrases alike
_LOOKED_AT: Final = 20_000  # characters at the conversation's end, for what it mentions
_LONGEST_TOKEN: Final = 24  # characters
_WORDS: Final = 0x5DEECE66D  # tells the draws of words from those of values
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,6})?(?![\w.]|,\d)")


class Material:
    """Where values come from. The same arguments give the same values.

    Args:
        tokenizer: The model's.
        predictor: Predicts the words of a text.
        prompt: What a text may copy.
        text: The whole conversation, for the numbers and words it mentions.
        sampling: How to draw.
        tail: The common tokens at the sampling's temperature.
        key: The key of all draws.

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
    ) -> None:
        self._tokenizer = tokenizer
        self._predictor = predictor
        self._prompt = prompt
        self._text = text[-_LOOKED_AT:]
        self._sampling = sampling
        self._tail = tail
        self._key = key
        self._draws = self._words = 0
        self._beginnings: set[int] = set()
        self._is_greedy = sampling.temperature == 0.0
        self._temperature, self._top_p = (1.0, 1.0) if self._is_greedy else (sampling.temperature, sampling.top_p)
        self.mentioned_numbers: list[Any] = list(dict.fromkeys(_NUMBER.findall(self._text)))

    def mentions(self, word: str) -> bool:
        """Whether the conversation contains a word."""
        return bool(word) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self._text, re.IGNORECASE) is not None

    def chance(self) -> float:
        """A draw in [0, 1)."""
        self._draws += 1
        return uniform(self._key, self._draws)

    def choose(self, options: Sequence[tuple[Option, float]]) -> Option:
        """One of several options, drawn by their weights as tokens are drawn: temperature and nucleus act.

        Args:
            options: Each with its weight; at least one weight is over 0.
        """
        ordered = sorted(options, key=lambda option: -option[1])
        if self._is_greedy:
            return ordered[0][0]
        whole, taken = math.fsum(weight for _, weight in ordered), 0.0
        kept: list[tuple[Option, float]] = []
        for option, weight in ordered:
            if taken >= self._top_p * whole:
                break
            kept.append((option, (weight / ordered[0][1]) ** (1.0 / self._temperature)))
            taken += weight
        place = self.chance() * math.fsum(weight for _, weight in kept)
        for option, weight in kept:
            place -= weight
            if place < 0.0:
                return option
        return kept[0][0]

    def phrase(self, least: int, most: int) -> str:
        """Some words of the model's own.

        Args:
            least: Characters that they have at least.
            most: Characters that they have at most.
        """
        draft = Draft((), (), self._prompt.recited)
        tokens: list[int] = []
        characters, enough = 0, max(most, least + _LONGEST_TOKEN) - _LONGEST_TOKEN
        while missing_bytes(draft.unit) or characters < least or (len(tokens) < _MAX_PHRASE and characters <= enough):
            token = self._next_token(draft, 0.0 if characters < least else self._ending(draft))
            if token == EOS:
                break
            if not tokens:
                self._beginnings.add(token)
            tokens.append(token)
            draft.push(token)
            characters = len(self._tokenizer.decode(tokens))
        return self._tokenizer.decode(tokens)[:most]

    def _next_token(self, draft: Draft, ending: float) -> int:
        predictor = self._predictor
        factors = predictor.factors(draft, self._sampling)
        if not draft.length:
            factors.update((token, _USED_BEFORE) for token in self._beginnings)
        overlay = predictor.overlay(draft, self._prompt, ending, _BEGINNING)
        listed, tail_share = predictor.spread(draft, self._prompt, overlay, factors)
        if not ending:
            listed.pop(EOS, None)
        distribution = Distribution(listed, self._tail, tail_share, self._temperature, self._top_p)
        self._words += 1
        return (
            distribution.likely()[0][0]
            if self._is_greedy
            else distribution.draw(uniform(mix(self._key ^ _WORDS), self._words))
        )

    def _ending(self, draft: Draft) -> float:
        if draft.has_recited:
            return 1.0
        if not draft.length or missing_bytes(draft.unit) or self._prompt.is_inside_word(draft.before, draft.unit):
            return 0.0
        if self._prompt.is_end_of_name(draft.before, draft.unit):
            return _AFTER_NAME
        return _ENDINGS[min(draft.length, len(_ENDINGS) - 1)]
