"""The sandbox's language model: small, but a real one.

An n-gram model with back-off over word pieces, learned at the first start from a text that ships with the package, and
kept in the user's cache: the same on every machine and Python. Its answers make little sense; their distributions do:
temperature, nucleus, penalties, seed and log probabilities act on, and report, the very probabilities that tokens are
drawn from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from . import cache
from .corpus import documents
from .language_model import LanguageModel
from .ngram import count_ngrams
from .sampling import UNLIKELY, Sampling, Step
from .tokenizer import Tokenizer, learn_pieces

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "UNLIKELY",
    "LanguageModel",
    "Sampling",
    "Step",
    "Tokenizer",
    "load_model",
]


def load_model(cache_dir: Path | None = None) -> LanguageModel:
    """The model: from the cache (some 10 ms), or trained and cached (a quarter of a second).

    Args:
        cache_dir: Folder of the cache; None for ``DEEPSEEK_ASYNC_CACHE``, else the user's cache folder. One that cannot
            be read or written costs the time of training, nothing else.

    Returns:
        The model. Asked again in the same process, the same one.
    """
    return _load(cache_dir or cache.default_folder())


@lru_cache(maxsize=4)
def _load(folder: Path | None) -> LanguageModel:
    texts = documents()
    path = None if folder is None else cache.path_in(folder, texts)
    if path is not None:
        kept = cache.read(path)
        if kept is not None:
            return LanguageModel(Tokenizer(kept[0]), kept[1])
    pieces = learn_pieces(texts)
    tokenizer = Tokenizer(pieces)
    ngrams = count_ngrams(tokenizer, texts)
    if path is not None:
        cache.write(path, pieces, ngrams)
    return LanguageModel(tokenizer, ngrams)
