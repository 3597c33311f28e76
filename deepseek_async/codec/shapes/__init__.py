"""JSON → values in C: the documented shapes, those that learn a server's own fields, and who reads by them."""

from .reader import Reader, parsed_answer, read_slowly

__all__ = ["Reader", "parsed_answer", "read_slowly"]
