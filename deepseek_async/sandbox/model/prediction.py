"""The next token's distribution.

Four things are mixed. What followed the last two tokens in the training text; what followed the last one; how common a
token is at all, each taking over what the longer context leaves open (absolute discounting); and what the prompt offers
to copy. On top comes the wish to end, which grows with the answer, and a dislike of going in circles.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Final

from .copying import missing_bytes
from .ngram import ranked
from .sampling import Tail, build_tail
from .tokenizer import BOS, EOS, RARE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .answer import Answer
    from .copying import Prompt
    from .ngram import Ngrams
    from .sampling import Sampling
    from .tokenizer import Tokenizer

_DISCOUNT: Final = 0.6  # of each count, given to shorter contexts
_TAIL_SHARE: Final = 0.2  # of what the contexts leave open; the rest of it would only be noise
_RECITING: Final = 0.97
_BEGINNING: Final = 0.5  # share of the prompt's words at the start of an answer
_AFTER_COMMON_WORD: Final = 0.15  # " the", " of": where a noun fits
_ANYWHERE: Final = 0.02
_COMMON_WORDS: Final = 60
_CIRCLE: Final = 0.05  # factor for a token that followed the same three tokens earlier in this answer
_MAX_EXPONENT: Final = 200.0  # of a penalty's factor: as good as never, and far from overflow
_LISTED_TAIL: Final = 32

# Probability of the end after a full stop, by the length of the answer in units of 16 tokens.
_ENDINGS: Final = (0.0, 0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_ENDING_UNIT: Final = 16
_OVERLONG: Final = 512  # tokens; from here an answer may end anywhere
_OVERLONG_ENDING: Final = 0.15

Listed = tuple[dict[int, float], float]


class Predictor:
    """What the counts and a prompt say about the next token.

    Attributes:
        ranks: The place of each token that occurred, the most common first.
    """

    __slots__ = ("_ends", "_inner", "_ngrams", "_openers", "_unigrams", "_words", "ranks")

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
        self.ranks = {token: rank for rank, token in enumerate(order)}

    def tail(self, temperature: float, is_allowed: Callable[[int], bool] | None = None) -> Tail:
        """The tokens by how common they are, raised to a temperature; some of them left out, if asked."""
        if is_allowed is None:
            return build_tail(self._words, self.ranks, self._unigrams, temperature)
        kept = [(token, share) for token, share in zip(self._words, self._unigrams, strict=True) if is_allowed(token)]
        words = array("H", [token for token, _ in kept])
        ranks = {token: rank for rank, token in enumerate(words)}
        return build_tail(words, ranks, array("d", [share for _, share in kept]), temperature)

    def ending(self, answer: Answer, min_tokens: int) -> float:
        """How probable the end is now."""
        length = answer.length
        if not length or length < min_tokens:
            return 0.0
        if answer.unit[-1] in self._ends:
            return _ENDINGS[min(length // _ENDING_UNIT, len(_ENDINGS) - 1)]
        return _OVERLONG_ENDING if length >= _OVERLONG and not missing_bytes(answer.unit) else 0.0

    def factors(self, answer: Answer, sampling: Sampling) -> dict[int, float]:
        """What the answer so far does to the weight of single tokens: penalties, and not going in circles."""
        factors: dict[int, float] = {}
        frequency, presence = sampling.frequency_penalty, sampling.presence_penalty
        if frequency or presence:
            for token, count in answer.counts.items():
                factors[token] = math.exp(max(-_MAX_EXPONENT, min(_MAX_EXPONENT, -(frequency * count + presence))))
        followers = answer.followers.get((answer.third, answer.before, answer.unit[-1]))
        if followers and not answer.is_reciting and not missing_bytes(answer.unit):
            for token in followers:
                if token not in self._inner:  # the rest of a word is not a circle
                    factors[token] = factors.get(token, 1.0) * _CIRCLE
        return factors

    def listed(self, answer: Answer, prompt: Prompt, ending: float, beginning: float = _BEGINNING) -> Listed:
        """The probabilities that the context gives, and the factor with which all other tokens keep theirs.

        Args:
            answer: So far.
            prompt: What it may copy.
            ending: Probability that it ends here.
            beginning: Share of the prompt's words at the start of a text.
        """
        unit = answer.unit
        if missing_bytes(unit):
            listed = prompt.continuing(unit)
            for share, tokens in self._copied(answer, prompt, beginning):
                _mix_in(listed, share, tokens)
            return listed, 0.0
        listed, open_share = self._counted(answer.before, unit[-1], prompt.is_end_of_rare_word(answer.before, unit))
        tail_share = open_share * _TAIL_SHARE
        for share, tokens in self._copied(answer, prompt, beginning):
            if tokens:
                _mix_in(listed, share, tokens)
                tail_share *= 1.0 - share
        if ending:
            _mix_in(listed, ending, {EOS: 1.0})
            tail_share *= 1.0 - ending
        return listed, tail_share

    def weighed(self, listed: dict[int, float], tail_share: float, factors: dict[int, float]) -> None:
        """Apply factors to listed tokens, and list those that are not."""
        unigrams, ranks = self._unigrams, self.ranks
        # At a low temperature the most common tokens are nearly all of the tail: were one of them taken out of it,
        # rounding would swallow the others.
        for rank, token in enumerate(self._words[:_LISTED_TAIL]):
            if token not in listed:
                listed[token] = unigrams[rank] * tail_share
        for token, factor in factors.items():
            if token not in listed:
                listed[token] = unigrams[ranks[token]] * tail_share if token in ranks else 0.0
            listed[token] *= factor

    def _counted(self, before: int, last: int, is_rare: bool) -> Listed:
        """Trigrams over bigrams; they sum to one less what the tail takes.

        Returns:
            Probabilities, and the share that neither context claims.
        """
        open_share = 1.0
        listed: dict[int, float] = {}
        # What follows a piece of a known word must not follow the same piece at the end of an unknown one.
        longer = None if is_rare else self._ngrams.triples.after(before << 16 | last)
        if longer is not None:
            tokens, counts, total = longer
            listed = {token: (count - _DISCOUNT) / total for token, count in zip(tokens, counts, strict=True)}
            open_share -= sum(listed.values())
        shorter = (None if is_rare else self._ngrams.pairs.after(last)) or self._ngrams.pairs.after(RARE)
        if shorter is not None:
            tokens, counts, total = shorter
            scale, used = open_share / total, 0.0
            for token, count in zip(tokens, counts, strict=True):
                share = (count - _DISCOUNT) * scale
                used += share
                listed[token] = listed.get(token, 0.0) + share
            open_share -= used
        if listed:
            growth = (1.0 - open_share * _TAIL_SHARE) / (1.0 - open_share)
            listed = {token: share * growth for token, share in listed.items()}
        return listed, open_share

    def _copied(self, answer: Answer, prompt: Prompt, beginning: float) -> Iterator[tuple[float, dict[int, float]]]:
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
