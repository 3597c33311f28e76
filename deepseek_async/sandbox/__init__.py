"""A DeepSeek-shaped server on loopback, with an embedded language model and scripted faults.

    async with SandboxServer(seed=1) as server:
        server.script(Script(say="Hello.", faults=(Cut(after_chunk=2),)))
        ...                                                   # any client, with base_url=server.base_url
        assert server.requests[-1].json["messages"]

Scripts and faults are in `scripts`; a client in another language sends one as JSON in the header ``x-sandbox-script``
(`write_script` makes it). Everything is loaded when it is first asked for, ``aiohttp.web`` with `SandboxServer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .requests.seen import SeenRequest as SeenRequest
    from .scripts.faults import BareError as BareError
    from .scripts.faults import BlankBody as BlankBody
    from .scripts.faults import Body as Body
    from .scripts.faults import Bom as Bom
    from .scripts.faults import Coalesce as Coalesce
    from .scripts.faults import Comment as Comment
    from .scripts.faults import ContentType as ContentType
    from .scripts.faults import Cut as Cut
    from .scripts.faults import EarlyEnd as EarlyEnd
    from .scripts.faults import Garbage as Garbage
    from .scripts.faults import InBandError as InBandError
    from .scripts.faults import KeepAlives as KeepAlives
    from .scripts.faults import LateHead as LateHead
    from .scripts.faults import LineEnds as LineEnds
    from .scripts.faults import Refuse as Refuse
    from .scripts.faults import Reset as Reset
    from .scripts.faults import Split as Split
    from .scripts.faults import Stall as Stall
    from .scripts.faults import WholeCompletion as WholeCompletion
    from .scripts.faults import WrongLength as WrongLength
    from .scripts.json_form import read_script as read_script
    from .scripts.json_form import write_script as write_script
    from .scripts.script import Call as Call
    from .scripts.script import Script as Script
    from .server.admission import Schedule as Schedule
    from .server.background import in_background as in_background
    from .server.foreground import serve as serve
    from .server.server import SandboxServer as SandboxServer

_HOMES = {
    "Call": "scripts.script",
    "SandboxServer": "server.server",
    "Schedule": "server.admission",
    "Script": "scripts.script",
    "SeenRequest": "requests.seen",
    "in_background": "server.background",
    "read_script": "scripts.json_form",
    "serve": "server.foreground",
    "write_script": "scripts.json_form",
}
_FAULTS = (
    "BareError",
    "BlankBody",
    "Body",
    "Bom",
    "Coalesce",
    "Comment",
    "ContentType",
    "Cut",
    "EarlyEnd",
    "Garbage",
    "InBandError",
    "KeepAlives",
    "LateHead",
    "LineEnds",
    "Refuse",
    "Reset",
    "Split",
    "Stall",
    "WholeCompletion",
    "WrongLength",
)
_HOMES.update(dict.fromkeys(_FAULTS, "scripts.faults"))

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
