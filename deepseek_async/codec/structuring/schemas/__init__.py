"""A plan → the JSON Schemas that accept what is read, and nothing else."""

from .plain import WRAPPED, is_wrapped, schema_of, value_schema_of
from .strict import is_wrapped_in_strict, strict_schema_of
from .strict_foreign import InexpressibleError

__all__ = [
    "WRAPPED",
    "InexpressibleError",
    "is_wrapped",
    "is_wrapped_in_strict",
    "schema_of",
    "strict_schema_of",
    "value_schema_of",
]
