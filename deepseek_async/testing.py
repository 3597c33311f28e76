"""Everything for the tests of programs that use DeepSeek, in one place; each name is loaded when it is first used.

    from deepseek_async.testing import Cut, SandboxServer, Script      # a server with a language model and faults
    async with AsyncClient(record="calls.jsonl") as client: ...        # real exchanges, recorded once and then replayed
    AsyncClient(transport=Replayer("calls.jsonl"))                     # only replayed
    AsyncClient(transport=ScriptedTransport([Answer(...)]))            # bytes of your own, without a network

With pytest, the fixtures ``deepseek_sandbox``, ``deepseek_sandbox_module`` and ``deepseek_sandbox_session`` are there
by themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sandbox import BareError as BareError
    from .sandbox import BlankBody as BlankBody
    from .sandbox import Body as Body
    from .sandbox import Bom as Bom
    from .sandbox import Call as Call
    from .sandbox import Coalesce as Coalesce
    from .sandbox import Comment as Comment
    from .sandbox import ContentType as ContentType
    from .sandbox import Cut as Cut
    from .sandbox import EarlyEnd as EarlyEnd
    from .sandbox import Garbage as Garbage
    from .sandbox import InBandError as InBandError
    from .sandbox import KeepAlives as KeepAlives
    from .sandbox import LateHead as LateHead
    from .sandbox import LineEnds as LineEnds
    from .sandbox import Refuse as Refuse
    from .sandbox import Reset as Reset
    from .sandbox import SandboxServer as SandboxServer
    from .sandbox import Schedule as Schedule
    from .sandbox import Script as Script
    from .sandbox import SeenRequest as SeenRequest
    from .sandbox import Split as Split
    from .sandbox import Stall as Stall
    from .sandbox import WholeCompletion as WholeCompletion
    from .sandbox import WrongLength as WrongLength
    from .sandbox import in_background as in_background
    from .sandbox import read_script as read_script
    from .sandbox import write_script as write_script
    from .transport import Answer as Answer
    from .transport import Pause as Pause
    from .transport import Recorder as Recorder
    from .transport import RecordOnce as RecordOnce
    from .transport import Replayer as Replayer
    from .transport import ScriptedTransport as ScriptedTransport

_FROM_TRANSPORT = ("Answer", "Pause", "RecordOnce", "Recorder", "Replayer", "ScriptedTransport")
_FROM_SANDBOX = (
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
    "SandboxServer",
    "Schedule",
    "Script",
    "SeenRequest",
    "Split",
    "Stall",
    "WholeCompletion",
    "WrongLength",
    "in_background",
    "read_script",
    "write_script",
)
_HOMES = {**dict.fromkeys(_FROM_TRANSPORT, "transport"), **dict.fromkeys(_FROM_SANDBOX, "sandbox")}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __package__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
