"""The model: the next token's distribution, and answers drawn from it.

Four things are mixed. What followed the last two tokens in the training text; what followed the last one; how common a
token is at all, each taking over what the longer context leaves open (absolute discounting); and what the prompt offers
to copy. On top comes the wish to end, which grows with the answer, and a dislike of going in circles.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeVar

from .copying import Prompt, missing_bytes
from .ngram import ranked
from .sampling import Distribution, Sampling, Step, Tail, build_tail, forced, salt, uniform
from .tokenizer import ASSISTANT, BOS, BYTES, EOS, FIRST_PIECE, RARE, SYSTEM, THINK, TOOL, USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from random import Random

    from .ngram import Ngrams
    from .tokenizer import Tokenizer

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_DISCOUNT = 0.6  # of each count, given to shorter contexts
_TAIL_SHARE = 0.2  # of what the contexts leave open; the rest of it would only be noise
_RECITING = 0.97
_BEGINNING = 0.5  # share of the prompt's words at the start of an answer
_AFTER_COMMON_WORD = 0.15  # " the", " of": where a noun fits
_ANYWHERE = 0.02
_COMMON_WORDS = 60
_CIRCLE = 0.05  # factor for a token that followed the same three tokens earlier in this answer

# Probability of the end after a full stop, by the length of the answer in units of 16 tokens.
_ENDINGS: Final = (0.0, 0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_ENDING_UNIT = 16
_OVERLONG = 512  # tokens; from here an answer may end anywhere
_OVERLONG_ENDING = 0.15

_PLAIN: Final = Sampling()
_MAX_EXPONENT = 200.0  # of a penalty's factor: as good as never, and far from overflow
_LISTED_TAIL = 32  # most common tokens, listed where factors act: see `_distribution`

_MAX_CONDITIONS = 16
_MAX_ROWS = 1024  # of a condition; about 3 KB each

_TEMPLATE: Final = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT, "tool": TOOL}


class _Condition:
    """One prompt under one temperature and nucleus, with the distributions worked out so far."""

    __slots__ = ("prompt", "rows", "tail", "temperature", "top_p")

    def __init__(self, prompt: Prompt, tail: Tail, temperature: float, top_p: float) -> None:
        self.prompt = prompt
        self.tail = tail
        self.temperature = temperature
        self.top_p = top_p
        self.rows: dict[tuple[float, ...], Distribution] = {}


class _Answer:
    """What the next step depends on beside the prompt: a function of the tokens written so far."""

    __slots__ = ("before", "circles", "counts", "length", "reciting", "third", "unit")

    def __init__(self, context: Sequence[int]) -> None:
        self.before, self.third = BOS, BOS
        self.unit: tuple[int, ...] = (BOS,)
        self.circles: dict[tuple[int, int, int], list[int]] = {}
        self.counts: dict[int, int] = {}
        self.length = 0
        self.reciting = True
        # A special token at the end opens a new text. Eight tokens hold the last three units.
        for token in context[-8:]:
            if BYTES <= token < FIRST_PIECE:
                self.third = self.before = BOS
                self.unit = (BOS,)
            else:
                self._move(token)

    def push(self, token: int, recited: tuple[int, ...]) -> None:
        self.reciting = self.reciting and self.length < len(recited) and recited[self.length] == token
        self.length += 1
        self.counts[token] = self.counts.get(token, 0) + 1
        self.circles.setdefault((self.third, self.before, self.unit[-1]), []).append(token)
        self._move(token)

    def _move(self, token: int) -> None:
        if 0x80 <= token < 0xC0 and self.unit[0] < BYTES:
            self.unit += (token,)
        else:
            self.third = self.before
            self.before = self.unit[-1]
            self.unit = (token,)


class LanguageModel:
    """An n-gram model over word pieces that copies from its prompt. Make one with `load_model`.

    Attributes:
        tokenizer: Text to token ids and back.
        fingerprint: ``fp_`` and eight hexadecimal digits: equal where the model is equal. It differs from Python to
            Python, since each has other docstrings.
    """

    __slots__ = (
        "_conditions",
        "_ends",
        "_inner",
        "_ngrams",
        "_openers",
        "_prompts",
        "_ranks",
        "_tails",
        "_unigrams",
        "_words",
        "fingerprint",
        "tokenizer",
    )

    def __init__(self, tokenizer: Tokenizer, ngrams: Ngrams) -> None:
        self.tokenizer = tokenizer
        self._ngrams = ngrams
        order = ranked(ngrams.singles)
        total = sum(ngrams.singles)
        self._words = array("H", order)
        self._ranks = {token: rank for rank, token in enumerate(order)}
        self._unigrams = array("d", [ngrams.singles[token] / total for token in order])
        self._ends = frozenset(token for token in order if tokenizer.token_text(token)[-1] in ".!?")
        texts = [(token, tokenizer.token_text(token)) for token in order]
        self._openers = frozenset(
            token for token, text in texts[:_COMMON_WORDS] if text[0] == " " and text[1:].isalpha()
        )
        self._inner = frozenset(token for token, text in texts if text[0].isalpha())
        self._tails: OrderedDict[float, Tail] = OrderedDict()
        self._prompts: OrderedDict[tuple[int, ...], Prompt] = OrderedDict()
        self._conditions: OrderedDict[tuple[object, ...], _Condition] = OrderedDict()
        checksum = zlib.crc32("\0".join(tokenizer.pieces).encode("ascii"))
        for values in (ngrams.singles, ngrams.pairs.counts, ngrams.triples.tokens, ngrams.triples.counts):
            checksum = zlib.crc32(values, checksum)
        self.fingerprint = f"fp_{checksum:08x}"

    def __repr__(self) -> str:
        return f"<LanguageModel {self.fingerprint}, {len(self.tokenizer)} tokens>"

    def render(self, turns: Iterable[tuple[str, str]], *, thinking: bool = False) -> list[int]:
        """Lay out a conversation as tokens, ready for `generate`: this is the prompt that usage counts.

        Args:
            turns: Role and text of each message; a role that has no token of its own is laid out as the user's.
            thinking: End with the token that opens the reasoning instead of the one that opens the answer.

        Returns:
            The prompt's tokens, the last of them special.
        """
        tokens = [BOS]
        for role, text in turns:
            tokens.append(_TEMPLATE.get(role, USER))
            tokens += self.tokenizer.encode(text)
            if role == "assistant":
                tokens.append(EOS)
        tokens.append(ASSISTANT)
        if thinking:
            tokens.append(THINK)
        return tokens

    def generate(
        self,
        context: Sequence[int],
        sampling: Sampling = _PLAIN,
        *,
        begin: Sequence[int] | None = None,
        rng: Random | None = None,
        prefix: str = "",
        logprobs: bool = True,
    ) -> Iterator[Step]:
        """Write an answer, token by token.

        The answer is a function of the context, the sampling, the seed and the prefix. An answer's own beginning as
        prefix, cut anywhere, gives the rest of that answer.

        Args:
            context: What stands before the answer, as `render` lays it out. After a special token a new text begins,
                after any other (fill in the middle) the text goes on.
            sampling: How to draw.
            begin: Tokens of the text to copy from; None for the last user message of the context.
            rng: Asked once for a seed where `sampling` has none; without both the seed is 0.
            prefix: Text of the answer that is there already. If it is how this answer would begin, that answer goes on,
                a token that it cuts in two included; if not, the answer continues the prefix as given.
            logprobs: False leaves ``logprob`` 0.0 and ``top`` empty, which saves working them out.

        Yields:
            The steps after the prefix. The end of the answer is a step with the token `Tokenizer.eos`, always the last.
        """
        context = tuple(context)
        if begin is None:
            begin = last_user_turn(context)
        condition = self._condition(tuple(begin), sampling)
        seed = sampling.seed if sampling.seed is not None else rng.getrandbits(64) if rng is not None else 0
        key = salt(seed, context)
        written: Sequence[int] = ()
        if prefix:
            written, rest = self._resume(context, sampling, condition, key, prefix)
            if rest:
                yield from map(forced, self.tokenizer.encode(rest))
        yield from self._steps(context, sampling, condition, key, written, logprobs)

    def _steps(
        self,
        context: Sequence[int],
        sampling: Sampling,
        condition: _Condition,
        key: int,
        written: Sequence[int],
        logprobs: bool,
    ) -> Iterator[Step]:
        recited = condition.prompt.recited
        answer = _Answer(context)
        for token in written:
            answer.push(token, recited)
        greedy = sampling.temperature == 0.0
        while True:
            distribution = self._distribution(answer, sampling, condition)
            token = distribution.likely()[0][0] if greedy else distribution.draw(uniform(key, answer.length))
            if logprobs:
                yield Step(token, distribution.logprob(token), distribution.likely())
            else:
                yield Step(token, 0.0, ())
            if token == EOS:
                return
            answer.push(token, recited)

    def _resume(
        self, context: Sequence[int], sampling: Sampling, condition: _Condition, key: int, prefix: str
    ) -> tuple[list[int], str]:
        """Find the place in the answer where a text ends.

        Returns:
            The tokens up to there, and the part of the last one that is not in the text.
        """
        wanted = prefix.encode("utf-8")
        written: list[int] = []
        text = b""
        for step in self._steps(context, sampling, condition, key, (), logprobs=False):
            data = self.tokenizer.token_bytes(step.token)
            if data is None:
                break
            written.append(step.token)
            text += data
            if len(text) >= len(wanted):
                if text.startswith(wanted):
                    return written, text[len(wanted) :].decode("utf-8")
                break
            if not wanted.startswith(text):
                break
        return self.tokenizer.encode(prefix), ""

    def _distribution(self, answer: _Answer, sampling: Sampling, condition: _Condition) -> Distribution:
        factors = self._factors(answer, sampling)
        ending = self._ending(answer, sampling)
        reciting = answer.length if answer.reciting and condition.prompt.recited else -1
        key = (ending, reciting, answer.before, *answer.unit)
        if not factors:
            found = condition.rows.get(key)
            if found is not None:
                return found
        listed, tail_share = self._listed(answer, condition.prompt, ending)
        if factors:
            unigrams, ranks = self._unigrams, self._ranks
            # At a low temperature the most common tokens are nearly all of the tail: were one of them taken out of it,
            # rounding would swallow the others.
            for rank, token in enumerate(self._words[:_LISTED_TAIL]):
                if token not in listed:
                    listed[token] = unigrams[rank] * tail_share
            for token, factor in factors.items():
                if token not in listed:
                    listed[token] = unigrams[ranks[token]] * tail_share if token in ranks else 0.0
                listed[token] *= factor
        made = Distribution(listed, condition.tail, tail_share, condition.temperature, condition.top_p)
        if not factors:
            if len(condition.rows) >= _MAX_ROWS:
                condition.rows.clear()
            condition.rows[key] = made
        return made

    def _factors(self, answer: _Answer, sampling: Sampling) -> dict[int, float]:
        """What the answer so far does to the weight of single tokens: penalties, and not going in circles."""
        factors: dict[int, float] = {}
        frequency, presence = sampling.frequency_penalty, sampling.presence_penalty
        if frequency or presence:
            for token, count in answer.counts.items():
                factors[token] = math.exp(max(-_MAX_EXPONENT, min(_MAX_EXPONENT, -(frequency * count + presence))))
        followers = answer.circles.get((answer.third, answer.before, answer.unit[-1]))
        if followers and not answer.reciting and not missing_bytes(answer.unit):
            for token in followers:
                if token not in self._inner:  # the rest of a word is not a circle
                    factors[token] = factors.get(token, 1.0) * _CIRCLE
        return factors

    def _ending(self, answer: _Answer, sampling: Sampling) -> float:
        """How probable the end is now."""
        length = answer.length
        if not length or length < sampling.min_tokens or missing_bytes(answer.unit):
            return 0.0
        if answer.unit[-1] in self._ends:
            return _ENDINGS[min(length // _ENDING_UNIT, len(_ENDINGS) - 1)]
        return _OVERLONG_ENDING if length >= _OVERLONG else 0.0

    def _listed(self, answer: _Answer, prompt: Prompt, ending: float) -> tuple[dict[int, float], float]:
        """The probabilities that the context gives, and what it leaves to all other tokens."""
        unit = answer.unit
        if missing_bytes(unit):
            return prompt.continuing(unit), 0.0
        listed, open_share = self._counted(answer.before, unit[-1] if len(unit) == 1 else RARE)
        tail_share = open_share * _TAIL_SHARE
        for share, tokens in self._copied(answer, prompt):
            if tokens:
                _mix_in(listed, share, tokens)
                tail_share *= 1.0 - share
        if ending:
            _mix_in(listed, ending, {EOS: 1.0})
            tail_share *= 1.0 - ending
        return listed, tail_share

    def _counted(self, before: int, last: int) -> tuple[dict[int, float], float]:
        """Trigrams over bigrams; they sum to one less what the tail takes.

        Returns:
            Probabilities, and the share that neither context claims.
        """
        open_share = 1.0
        listed: dict[int, float] = {}
        longer = self._ngrams.triples.after(before << 16 | last)
        if longer is not None:
            tokens, counts, total = longer
            listed = {token: (count - _DISCOUNT) / total for token, count in zip(tokens, counts, strict=True)}
            open_share -= sum(listed.values())
        shorter = self._ngrams.pairs.after(last) or self._ngrams.pairs.after(RARE)
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

    def _copied(self, answer: _Answer, prompt: Prompt) -> Iterator[tuple[float, dict[int, float]]]:
        """What the prompt offers here, each with its share of the distribution, the weakest first."""
        if answer.reciting and answer.length < len(prompt.recited):
            yield _RECITING, {prompt.recited[answer.length]: 1.0}
            return
        last = answer.unit[-1]
        if last == BOS:
            yield _BEGINNING, prompt.first()
            return
        yield (_AFTER_COMMON_WORD if last in self._openers else _ANYWHERE), prompt.later()
        following = prompt.following(answer.before, answer.unit)
        if following is not None:
            yield following

    def _condition(self, begin: tuple[int, ...], sampling: Sampling) -> _Condition:
        greedy = sampling.temperature == 0.0
        temperature, top_p = (1.0, 1.0) if greedy else (sampling.temperature, sampling.top_p)
        return _remembered(
            self._conditions,
            (begin, temperature, top_p),
            lambda: _Condition(
                _remembered(self._prompts, begin, lambda: Prompt(self.tokenizer, begin, self._ranks)),
                _remembered(
                    self._tails, temperature, lambda: build_tail(self._words, self._ranks, self._unigrams, temperature)
                ),
                temperature,
                top_p,
            ),
        )


def last_user_turn(context: Sequence[int]) -> tuple[int, ...]:
    """The text of the last user message in a rendered conversation; without one, all that is text."""
    end = len(context)
    for place in range(len(context) - 1, -1, -1):
        if BYTES <= context[place] < FIRST_PIECE:
            if context[place] == USER:
                return tuple(context[place + 1 : end])
            end = place
    return tuple(token for token in context if not BYTES <= token < FIRST_PIECE)


def _mix_in(listed: dict[int, float], share: float, tokens: dict[int, float]) -> None:
    rest = 1.0 - share
    for token in listed:
        listed[token] *= rest
    for token, part in tokens.items():
        listed[token] = listed.get(token, 0.0) + share * part


def _remembered(memory: OrderedDict[_Key, _Value], key: _Key, make: Callable[[], _Value]) -> _Value:
    """Look up, or make and keep; the least recently used entry goes."""
    found = memory.get(key)
    if found is None:
        found = memory[key] = make()
        if len(memory) > _MAX_CONDITIONS:
            memory.popitem(last=False)
    else:
        memory.move_to_end(key)
    return found
