"""How values are made: in msgspec's layout, late, by a twin that is not frozen yet; and by names that there are."""

from .deferring import Deferrable
from .layout import as_structs, name_in_json
from .names import KnowsItsNames, knows_its_names
from .twins import unfrozen

__all__ = ["Deferrable", "KnowsItsNames", "as_structs", "knows_its_names", "name_in_json", "unfrozen"]
