"""Counting what follows what."""

from __future__ import annotations

from deepseek_async.sandbox.model.ngram import count_ngrams, ranked
from deepseek_async.sandbox.model.tokenizer import BOS, RARE, Tokenizer

TOKENIZER = Tokenizer([" a", " b", " c", "un", " is"])
A, B, C, UN, IS = range(272, 277)


def _after(successors: object, context: int) -> dict[int, int] | None:
    found = successors.after(context)  # type: ignore[attr-defined]
    return None if found is None else dict(zip(found[0], found[1], strict=True)) | {-1: found[2]}


def test_counts_of_pairs_and_triples() -> None:
    """Successors come with their counts and the context's total, which is under -1 here; what never was has none."""
    ngrams = count_ngrams(TOKENIZER, [" a b a b a c", " a b"])
    assert _after(ngrams.pairs, A) == {B: 3, C: 1, -1: 4}
    assert _after(ngrams.pairs, BOS) == {A: 2, -1: 2}
    assert _after(ngrams.triples, A << 16 | B) == {A: 2, -1: 2}
    assert _after(ngrams.triples, BOS << 16 | BOS) == {A: 2, -1: 2}
    assert _after(ngrams.triples, B << 16 | C) is None
    assert _after(ngrams.pairs, 0xFFFF) is None
    assert ngrams.singles[A] == 4
    assert ranked(ngrams.singles) == [A, B, C]


def test_the_most_frequent_successors_come_first_and_the_rest_is_cut_off() -> None:
    """A context keeps 32; its total still counts all, so that what was cut off goes to the back-off."""
    tokenizer = Tokenizer([f" {chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)] + [" go"])
    words = [tokenizer.pieces[n] for n in range(60)]
    ngrams = count_ngrams(tokenizer, [" go" + word for word in words] + [" go" + words[59]])
    tokens, counts, total = ngrams.pairs.after(272 + 60) or ((), (), 0)
    assert (len(tokens), total) == (32, 61)
    assert (tokens[0], counts[0]) == (272 + 59, 2)
    assert list(tokens[1:]) == list(range(272, 272 + 31))


def test_what_follows_a_word_of_several_pieces_is_also_counted_for_unknown_words() -> None:
    """Any word may be followed by what follows words that the inventory has only in pieces."""
    ngrams = count_ngrams(TOKENIZER, ["xun is a", "yun is b"])
    assert _after(ngrams.pairs, RARE) == {IS: 2, -1: 2}


def test_nothing_is_counted_across_documents() -> None:
    """The last word of one text says nothing about the first of the next."""
    ngrams = count_ngrams(TOKENIZER, [" a", " b"])
    assert _after(ngrams.pairs, A) is None
