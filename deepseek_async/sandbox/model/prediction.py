"""A `Predictor` says how likely each token is to come next.

At the base, what followed the last two tokens in the training text, what followed the last one, and how common a token
is at all, each taking over a part of what the longer context leaves open (absolute discounting). Laid over it, what the
prompt offers to copy, and the wish to end, which grows with the answer. Last, factors for single tokens: the penalties,
and a dislike of going in circles.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Final

from .distribution import Distribution, Tail, build_tail
from .ngram import ranked
from .prompt import missing_bytes
from .tokenizer import BOS, EOS, RARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .draft import Draft
    from .ngram import Ngrams
    from .prompt import Prompt
    from .sampling import Sampling
    from .tokenizer import Tokenizer

_DISCOUNT: Final = 0.6  # of each count, given to shorter contexts
_TAIL_SHARE: Final = 0.2  # of what the contexts leave open; the rest of it would only be noise
_RECITING: Final = 1.0  # whoever asks to repeat something wants exactly that
_BEGINNING: Final = 0.5  # share of the prompt's words at the start of an answer
_AFTER_COMMON_WORD: Final = 0.15  # " the", " of": where a noun fits
_ANYWHERE: Final = 0.02
_COMMON_WORDS: Final = 60
_CIRCLE: Final = 0.05  # factor for a token that followed the same three tokens earlier in this answer
_MAX_EXPONENT: Final = 200.0  # of a penalty's factor: as good as never, and far from overflow
_LISTED_TAIL: Final = 32
_MAX_BASES: Final = 8192  # contexts whose distribution is kept; about 1 KB each

# Probability of the end after a full stop, by the length of the answer in units of 16 tokens.
_ENDINGS: Final = (0.0, 0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_ENDING_UNIT: Final = 16
_OVERLONG: Final = 512  # tokens; from here an answer may end anywhere
_OVERLONG_ENDING: Final = 0.15


class Predictor:
    """What the counts and a prompt say about the next token.

    Attributes:
        ranks: The place of each token that occurred, the most common first.
    """

    __slots__ = ("_bases", "_ends", "_inner", "_ngrams", "_openers", "_tail", "_unigrams", "_words", "ranks")

    def __init__(self, tokenizer: Tokenizer, ngrams: Ngrams) -> None:
        order = ranked(ngrams.singles)
        total = sum(ngrams.singles)
        texts = [(token, tokenizer.token_text(token)) for token in order]
        self._ngrams = ngrams
        self._words = array("H", order)
        self._unigrams = array("d", [ngrams.singles[token] / total for token in order])
        self._ends = frozenset([token for token, text in texts if text[-1] in ".!?"])
        self._openers = frozenset(
            [token for token, text in texts[:_COMMON_WORDS] if text[0] == " " and text[1:].isalpha()]
        )
        self._inner = frozenset([token for token, text in texts if text[0].isalpha()])
        self.ranks: dict[int, int] = {token: rank for rank, token in enumerate(order)}
        self._tail = self.tail(1.0)
        self._bases: dict[int, Distribution] = {}

    def tail(self, temperature: float) -> Tail:
        """The tokens by how common they are, raised to a temperature."""
        return build_tail(self._words, self.ranks, self._unigrams, temperature)

    def ending(self, answer: Draft, min_tokens: int) -> float:
        """How probable the end is now."""
        length = answer.length
        if not length or length < min_tokens:
            return 0.0
        if answer.has_recited:
            return _RECITING
        if answer.unit[-1] in self._ends:
            return _ENDINGS[min(length // _ENDING_UNIT, len(_ENDINGS) - 1)]
        return _OVERLONG_ENDING if length >= _OVERLONG and not missing_bytes(answer.unit) else 0.0

    def factors(self, answer: Draft, sampling: Sampling) -> dict[int, float]:
        """What the answer so far does to the weight of single tokens: penalties, and not going in circles."""
        factors: dict[int, float] = {}
        frequency, presence = sampling.frequency_penalty, sampling.presence_penalty
        if frequency or presence:
            for token, count in answer.counts.items():
                factors[token] = math.exp(max(-_MAX_EXPONENT, min(_MAX_EXPONENT, -(frequency * count + presence))))
        followers = answer.followers()
        if followers and not answer.is_reciting and not missing_bytes(answer.unit):
            for token in followers:
                if token not in self._inner:  # the rest of a word is not a circle
                    factors[token] = factors.get(token, 1.0) * _CIRCLE
        return factors

    def overlay(self, answer: Draft, prompt: Prompt, ending: float, beginning: float = _BEGINNING) -> dict[int, float]:
        """What the prompt and the wish to end put over the counts.

        Args:
            answer: So far.
            prompt: What it may copy.
            ending: Probability that it ends here.
            beginning: Share of the prompt's words at the start of a text.

        Returns:
            Probabilities. What they lack to one is `base`'s; inside a character they lack nothing.
        """
        laid = prompt.continuing(answer.unit) if missing_bytes(answer.unit) else {}
        for share, tokens in self._copied(answer, prompt, beginning):
            if tokens:
                _mix_in(laid, share, tokens)
        if ending:
            _mix_in(laid, ending, {EOS: 1.0})
        return laid

    def base(self, answer: Draft, prompt: Prompt) -> Distribution:
        """What the counts say after the last tokens: trigrams over bigrams over what is common."""
        # What follows a piece of a known word must not follow the same piece at the end of an unknown one.
        is_rare = prompt.is_end_of_rare_word(answer.before, answer.unit)
        context = RARE if is_rare else answer.before << 16 | answer.unit[-1]
        found = self._bases.get(context)
        if found is None:
            if len(self._bases) >= _MAX_BASES:
                self._bases.clear()
            found = self._bases[context] = self._counted(context)
        return found

    def spread(
        self, answer: Draft, prompt: Prompt, overlay: dict[int, float], factors: dict[int, float]
    ) -> tuple[dict[int, float], float]:
        """The overlay and the base in one, each token's weight by its factor.

        Returns:
            Weights of listed tokens, and what the tail's probabilities are to be multiplied with.
        """
        if missing_bytes(answer.unit):
            listed, tail_share = dict(overlay), 0.0
        else:
            listed, tail_share = self.base(answer, prompt).scaled(1.0 - math.fsum(overlay.values()))
            for token, probability in overlay.items():
                if token not in listed:
                    listed[token] = self._from_tail(token, tail_share)
                listed[token] += probability
        if factors:
            self._weigh(listed, tail_share, factors)
        return listed, tail_share

    def _weigh(self, listed: dict[int, float], tail_share: float, factors: dict[int, float]) -> None:
        # At a low temperature the most common tokens are nearly all of the tail: were one of them taken out of it,
        # rounding would swallow the others.
        for rank, token in enumerate(self._words[:_LISTED_TAIL]):
            if token not in listed:
                listed[token] = self._unigrams[rank] * tail_share
        for token, factor in factors.items():
            if token not in listed:
                listed[token] = self._from_tail(token, tail_share)
            listed[token] *= factor

    def _from_tail(self, token: int, tail_share: float) -> float:
        rank = self.ranks.get(token)
        return 0.0 if rank is None else self._unigrams[rank] * tail_share

    def _counted(self, context: int) -> Distribution:
        open_share = 1.0
        listed: dict[int, float] = {}
        longer = self._ngrams.triples.after(context)
        if longer is not None:
            tokens, counts, total = longer
            listed = {token: (count - _DISCOUNT) / total for token, count in zip(tokens, counts, strict=True)}
            open_share -= math.fsum(listed.values())
        shorter = self._ngrams.pairs.after(context & 0xFFFF) or self._ngrams.pairs.after(RARE)
        if shorter is not None:
            tokens, counts, total = shorter
            scale, used = open_share / total, 0.0
            for token, count in zip(tokens, counts, strict=True):
                share = (count - _DISCOUNT) * scale
                used += share
                listed[token] = listed.get(token, 0.0) + share
            open_share -= used
        return Distribution(listed, self._tail, open_share * _TAIL_SHARE)

    def _copied(self, answer: Draft, prompt: Prompt, beginning: float) -> Iterator[tuple[float, dict[int, float]]]:
        """What the prompt offers here, each with its share of the distribution, the weakest first."""
        if answer.is_reciting and answer.length < len(answer.recited):
            yield _RECITING, {answer.recited[answer.length]: 1.0}
            return
        last = answer.unit[-1]
        if last == BOS:
            yield beginning, prompt.first
            return
        if not missing_bytes(answer.unit):
            yield (_AFTER_COMMON_WORD if last in self._openers else _ANYWHERE), prompt.later
        following = prompt.following(answer.before, answer.unit)
        if following is not None:
            yield following


def _mix_in(listed: dict[int, float], share: float, tokens: dict[int, float]) -> None:
    rest = 1.0 - share
    for token in listed:
        listed[token] *= rest
    for token, part in tokens.items():
        listed[token] = listed.get(token, 0.0) + share * part
