"""How values are made: in msgspec's layout, late, by a quick function; and by names that there are."""

from .deferring import Deferrable
from .layout import as_structs, name_in_json
from .names import KnowsItsNames, knows_its_names
from .twins import maker_of

__all__ = ["Deferrable", "KnowsItsNames", "as_structs", "knows_its_names", "maker_of", "name_in_json"]
