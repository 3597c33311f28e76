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
    from .admission import Schedule as Schedule
    from .background import in_background as in_background
    from .requests import SeenRequest as SeenRequest
    from .script_json import read_script as read_script
    from .script_json import write_script as write_script
    from .scripts import BareError as BareError
    from .scripts import BlankBody as BlankBody
    from .scripts import Body as Body
    from .scripts import Bom as Bom
    from .scripts import Call as Call
    from .scripts import Coalesce as Coalesce
    from .scripts import Comment as Comment
    from .scripts import ContentType as ContentType
    from .scripts import Cut as Cut
    from .scripts import EarlyEnd as EarlyEnd
    from .scripts import Garbage as Garbage
    from .scripts import InBandError as InBandError
    from .scripts import KeepAlives as KeepAlives
    from .scripts import LateHead as LateHead
    from .scripts import LineEnds as LineEnds
    from .scripts import Refuse as Refuse
    from .scripts import Reset as Reset
    from .scripts import Script as Script
    from .scripts import Split as Split
    from .scripts import Stall as Stall
    from .scripts import WholeCompletion as WholeCompletion
    from .scripts import WrongLength as WrongLength
    from .server import SandboxServer as SandboxServer
    from .serving import serve as serve

_HOMES = {
    "SandboxServer": "server",
    "Schedule": "admission",
    "SeenRequest": "requests",
    "in_background": "background",
    "read_script": "script_json",
    "serve": "serving",
    "write_script": "script_json",
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
_HOMES.update(dict.fromkeys(_FROM_SCRIPTS, "scripts"))

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
