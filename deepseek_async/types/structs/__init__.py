"""How values are made quickly: in msgspec's layout, late, or by a twin that is not frozen yet."""

from .deferring import Deferrable
from .layout import as_structs, name_in_json
from .twins import unfrozen

__all__ = ["Deferrable", "as_structs", "name_in_json", "unfrozen"]
