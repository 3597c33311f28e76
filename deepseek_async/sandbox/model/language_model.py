"""The model: answers drawn from the predicted distributions, token by token."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from .continuation import resume
from .distribution import Distribution, Mixture, Tail
from .draft import Draft
from .layout import last_user_turn, lay_out
from .prediction import Predictor
from .prompt import Prompt, missing_bytes
from .sampling import Sampling, Step, forced, logprob_of, salt, uniform
from .schema.material import Material
from .schema.outline import outlined
from .schema.schema import Root
from .schema.values import draw_value, spell
from .tokenizer import EOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from random import Random

    from .ngram import Ngrams
    from .tokenizer import Tokenizer

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_PLAIN: Final = Sampling()
_MAX_CONDITIONS: Final = 16
_MAX_ROWS: Final = 1024  # of a condition; 1 to 3 KB each
_JSON_INDENT: Final = 2


@attrs.frozen(eq=False)
class _Condition:
    """One prompt under one temperature and nucleus, with the distributions worked out so far."""

    prompt: Prompt
    tail: Tail
    temperature: float
    top_p: float
    rows: dict[tuple[float, ...], Distribution | Mixture] = attrs.field(factory=dict)


class LanguageModel:
    """An n-gram model over word pieces that copies from its prompt. Make one with `load_model`.

    Attributes:
        tokenizer: Text to token ids and back.
        fingerprint: ``fp_`` and eight hexadecimal digits: equal where the model is equal, on every machine and Python.
    """

    __slots__ = ("_conditions", "_predictor", "_prompts", "_tails", "fingerprint", "tokenizer")

    def __init__(self, tokenizer: Tokenizer, ngrams: Ngrams) -> None:
        self.tokenizer: Tokenizer = tokenizer
        self._predictor = Predictor(tokenizer, ngrams)
        self._tails: OrderedDict[float, Tail] = OrderedDict()
        self._prompts: OrderedDict[tuple[int, ...], Prompt] = OrderedDict()
        self._conditions: OrderedDict[tuple[object, ...], _Condition] = OrderedDict()
        checksum = zlib.crc32("\0".join(tokenizer.pieces).encode("ascii"))
        for values in (ngrams.singles, ngrams.pairs.counts, ngrams.triples.tokens, ngrams.triples.counts):
            checksum = zlib.crc32(b"".join(value.to_bytes(4, "little") for value in values), checksum)
        self.fingerprint: str = f"fp_{checksum:08x}"

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
        return lay_out(self.tokenizer, turns, thinking=thinking)

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
        prefix, cut anywhere, gives the rest of that answer; so does a prefix of the caller's with the beginning of what
        the model wrote after it. See `continuation`.

        Args:
            context: What stands before the answer, as `render` lays it out. After a special token a new text begins,
                after any other (fill in the middle) the text goes on.
            sampling: How to draw.
            begin: Tokens of the text to copy from; None for the last user message of the context.
            rng: Asked once for a seed where `sampling` has none; without both the seed is 0.
            prefix: Text of the answer that is there already. If it ends inside a token that the model would write, the
                first steps are the rest of that token, forced.
            logprobs: False leaves ``logprob`` 0.0 and ``top`` empty, which saves working them out.

        Yields:
            The steps after the prefix. The end of the answer is a step with the token `Tokenizer.eos`, always the last.
        """
        condition = self._condition(begin, context, sampling)
        key = salt(_seed(sampling, rng), context)
        written: Sequence[int] = ()
        if prefix:
            written, rest = resume(
                self.tokenizer,
                lambda before: self._steps(context, sampling, condition, key, before, logprobs=False),
                prefix,
            )
            yield from self._forced(rest, logprobs)
        yield from self._steps(context, sampling, condition, key, written, logprobs)

    def generate_json(
        self,
        context: Sequence[int],
        sampling: Sampling = _PLAIN,
        schema: Mapping[str, object] | bool | None = None,
        *,
        begin: Sequence[int] | None = None,
        rng: Random | None = None,
        prefix: str = "",
        logprobs: bool = True,
        indent: int | None = None,
    ) -> Iterator[Step]:
        """Write a JSON value: an answer in JSON mode, or the arguments of a tool call.

        The value is drawn first and then spelled, so each step is certain: its log probability is 0.0, and it has no
        alternative. Values that the prompt names are preferred.

        Args:
            context: As for `generate`.
            sampling: As for `generate`; it acts on the values that are chosen and on the words inside strings.
            schema: A JSON Schema for the value. None writes an object as the prompt describes it: like the first JSON
                object in it, with the keys that it names in quotes, or else about its words. A schema that cannot be
                met is met as far as possible.
            begin: As for `generate`.
            rng: As for `generate`.
            prefix: As for `generate`, except that a prefix of the caller's own is followed by a whole new value.
            logprobs: As for `generate`.
            indent: Spaces for each level, on lines of their own; None writes one line. None without a schema: 2.

        Yields:
            The steps after the prefix, the last of them the end.
        """
        condition = self._condition(begin, context, sampling)
        seed = 0 if sampling.temperature == 0.0 else _seed(sampling, rng)
        text = self.tokenizer.decode(context)
        material = Material(
            self.tokenizer, self._predictor, condition.prompt, text, sampling, condition.tail, salt(seed, context)
        )
        root = Root(outlined(text, condition.prompt.words) if schema is None else schema)
        value = draw_value(material, root, root.schema)
        spelled = spell(value, _JSON_INDENT if indent is None and schema is None else indent)
        # What the prefix has of this value already; before it may stand a text of the caller's own.
        own = next((prefix[place:] for place in range(len(prefix)) if spelled.startswith(prefix[place:])), "")
        yield from self._forced(spelled[len(own) :], logprobs)
        yield forced(EOS, logprobs=logprobs)

    def _forced(self, text: str, logprobs: bool) -> Iterator[Step]:
        return (forced(token, logprobs=logprobs) for token in self.tokenizer.encode(text))

    def _steps(
        self,
        context: Sequence[int],
        sampling: Sampling,
        condition: _Condition,
        key: int,
        written: Sequence[int],
        logprobs: bool,
    ) -> Iterator[Step]:
        answer = Draft(context, written, condition.prompt.recited)
        greedy = sampling.temperature == 0.0
        while True:
            distribution = self._distribution(answer, sampling, condition)
            token = distribution.likely()[0][0] if greedy else distribution.draw(uniform(key, answer.length))
            if logprobs:
                likely = distribution.likely()
                yield Step(token, logprob_of(token, likely), likely)
            else:
                yield Step(token, 0.0, ())
            if token == EOS:
                return
            answer.push(token)

    def _distribution(self, answer: Draft, sampling: Sampling, condition: _Condition) -> Distribution | Mixture:
        predictor, prompt = self._predictor, condition.prompt
        factors = predictor.factors(answer, sampling)
        ending = predictor.ending(answer, sampling.min_tokens)
        key = (ending, answer.length if answer.is_reciting else -1, answer.before, *answer.unit)
        if not factors:
            found = condition.rows.get(key)
            if found is not None:
                return found
        overlay = predictor.overlay(answer, prompt, ending)
        is_plain = condition.temperature == condition.top_p == 1.0
        made: Distribution | Mixture
        if is_plain and not factors and not missing_bytes(answer.unit):
            made = Mixture(overlay, predictor.base(answer, prompt))
        else:
            listed, tail_share = predictor.spread(answer, prompt, overlay, factors)
            made = Distribution(listed, condition.tail, tail_share, condition.temperature, condition.top_p)
        if not factors:
            if len(condition.rows) >= _MAX_ROWS:
                condition.rows.clear()
            condition.rows[key] = made
        return made

    def _condition(self, begin: Sequence[int] | None, context: Sequence[int], sampling: Sampling) -> _Condition:
        copied = last_user_turn(context) if begin is None else tuple(begin)
        greedy = sampling.temperature == 0.0
        temperature, top_p = (1.0, 1.0) if greedy else (sampling.temperature, sampling.top_p)
        return _remembered(
            self._conditions,
            (copied, temperature, top_p),
            lambda: _Condition(
                _remembered(self._prompts, copied, lambda: Prompt(self.tokenizer, copied, self._predictor.ranks)),
                _remembered(self._tails, temperature, lambda: self._predictor.tail(temperature)),
                temperature,
                top_p,
            ),
        )


def _seed(sampling: Sampling, rng: Random | None) -> int:
    if sampling.seed is not None:
        return sampling.seed
    return 0 if rng is None else rng.getrandbits(64)


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
