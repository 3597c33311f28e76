"""JSON → values in C: the documented shapes, those that learn a server's own fields, and who reads by them."""

from .reader import AnswerReader

__all__ = ["AnswerReader"]
