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
    from .scripts.json_form import read_script as read_script
    from .scripts.json_form import write_script as write_script
    from .scripts.script import BareError as BareError
    from .scripts.script import BlankBody as BlankBody
    from .scripts.script import Body as Body
    from .scripts.script import Bom as Bom
    from .scripts.script import Call as Call
    from .scripts.script import Coalesce as Coalesce
    from .scripts.script import Comment as Comment
    from .scripts.script import ContentType as ContentType
    from .scripts.script import Cut as Cut
    from .scripts.script import EarlyEnd as EarlyEnd
    from .scripts.script import Garbage as Garbage
    from .scripts.script import InBandError as InBandError
    from .scripts.script import KeepAlives as KeepAlives
    from .scripts.script import LateHead as LateHead
    from .scripts.script import LineEnds as LineEnds
    from .scripts.script import Refuse as Refuse
    from .scripts.script import Reset as Reset
    from .scripts.script import Script as Script
    from .scripts.script import Split as Split
    from .scripts.script import Stall as Stall
    from .scripts.script import WholeCompletion as WholeCompletion
    from .scripts.script import WrongLength as WrongLength
    from .server.admission import Schedule as Schedule
    from .server.background import in_background as in_background
    from .server.foreground import serve as serve
    from .server.server import SandboxServer as SandboxServer

_HOMES = {
    "SandboxServer": "server.server",
    "Schedule": "server.admission",
    "SeenRequest": "requests.seen",
    "in_background": "server.background",
    "read_script": "scripts.json_form",
    "serve": "server.foreground",
    "write_script": "scripts.json_form",
}
_FROM_SCRIPTS = (
    "BareError",
    "BlankBody",
    "Body",
    "Bom",
    "Call",
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
    "Script",
    "Split",
    "Stall",
    "WholeCompletion",
    "WrongLength",
)
_HOMES.update(dict.fromkeys(_FROM_SCRIPTS, "scripts.script"))

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
