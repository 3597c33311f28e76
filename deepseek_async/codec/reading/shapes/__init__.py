"""JSON → values in C: the documented shapes, those that learn a server's own fields, and who reads by them."""

from .lessons import parsed_answer, read_slowly
from .reader import AnswerReader

__all__ = ["AnswerReader", "parsed_answer", "read_slowly"]
