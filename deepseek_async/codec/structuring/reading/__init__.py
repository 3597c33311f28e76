"""Plain data → values of a type: what fits is made, and of what does not every place is named."""

from .reader import Reader
from .values import WRONG

__all__ = ["WRONG", "Reader"]
