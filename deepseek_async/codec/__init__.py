"""JSON ↔ values: chunks and completions, the stream's states, the fold, requests, failures. No I/O."""

from .folding.fold import Fold, fold
from .reading.responses import chunk_from_json, completion_from_json

__all__ = ["Fold", "chunk_from_json", "completion_from_json", "fold"]
