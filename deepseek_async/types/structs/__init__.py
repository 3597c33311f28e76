"""attrs classes in msgspec's layout, and values some of whose fields are made when somebody looks."""

from .deferring import Deferrable
from .layout import as_structs, name_in_json

__all__ = ["Deferrable", "as_structs", "name_in_json"]
