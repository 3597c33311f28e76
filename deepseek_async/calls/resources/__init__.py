"""What a client has besides ``chat``: fill in the middle, files, models, the account."""

from .account import Models, User
from .completions import Completions
from .files import Files

__all__ = ["Completions", "Files", "Models", "User"]
