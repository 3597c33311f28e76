"""The sandbox's own paths, for tests in another process or language: scripts, records, ceiling, counts.

    GET    /openapi.json        what is served
    GET    /sandbox             counts: in flight, peak, admitted, refused, billed by row, money
    POST   /sandbox/scripts     {"scripts": [{…}], "times": 1}: have them played
    DELETE /sandbox/scripts     forget those waiting
    GET    /sandbox/requests    every request seen, keys left out
    DELETE /sandbox/requests    forget them
    PUT    /sandbox/ceiling     {"ceiling": 25}, {"ceiling": {"deepseek-flash": 25}}, {"ceiling": [[0, 300], [5, 100]]}

Requests to these are not recorded and no script is played for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..requests import refusals
from ..requests.seen import to_json
from ..scripts.json_form import to_script
from .admission import Ceiling, Schedule

if TYPE_CHECKING:
    from .state import Sandbox

__all__ = ["CONTROL"]

Control = Callable[["Sandbox", bytes], object]


class _Scripts(msgspec.Struct, forbid_unknown_fields=True):
    scripts: list[dict[str, Any]]
    times: int | None = 1


class _NewCeiling(msgspec.Struct, forbid_unknown_fields=True):
    ceiling: int | dict[str, int] | list[tuple[float, int]] | None


def _description(sandbox: Sandbox, _: bytes) -> object:
    from .openapi import describe  # few ask for it, and every start would pay

    return describe(sandbox.base_url)


def _state(sandbox: Sandbox, _: bytes) -> object:
    admission, ledger = sandbox.admission, sandbox.ledger
    return {
        "in_flight": dict(admission.in_flight),
        "peak": dict(admission.peak),
        "admitted": admission.admitted,
        "refused": admission.refused,
        "billed": dict(ledger.billed),
        "spent": str(ledger.spent),
        "balance": None if ledger.balance is None else str(ledger.balance),
        "requests": len(sandbox.requests),
        "scripts": len(sandbox.scripts),
    }


def _add_scripts(sandbox: Sandbox, body: bytes) -> object:
    given = _decoded(body, _Scripts)
    try:
        scripts = [to_script(fields) for fields in given.scripts]
        sandbox.script(*scripts, times=given.times)
    except ValueError as error:
        raise refusals.bad_request(f"Invalid scripts: {error}") from None
    return {"scripts": len(sandbox.scripts)}


def _clear_scripts(sandbox: Sandbox, _: bytes) -> object:
    sandbox.scripts.clear()
    return {"scripts": 0}


def _requests(sandbox: Sandbox, _: bytes) -> object:
    return {"requests": [to_json(seen) for seen in sandbox.requests]}


def _clear_requests(sandbox: Sandbox, _: bytes) -> object:
    sandbox.requests.clear()
    return {"requests": []}


def _set_ceiling(sandbox: Sandbox, body: bytes) -> object:
    given = _decoded(body, _NewCeiling).ceiling
    ceiling: Ceiling
    try:
        ceiling = Schedule(given) if isinstance(given, list) else given
        if any(limit < 0 for limit in _limits(given)):
            raise ValueError("a ceiling must not be negative")
    except ValueError as error:
        raise refusals.bad_request(f"Invalid ceiling: {error}") from None
    sandbox.admission.ceiling = ceiling
    return {"ceiling": given}


def _limits(given: int | dict[str, int] | list[tuple[float, int]] | None) -> list[int]:
    if isinstance(given, dict):
        return list(given.values())
    if isinstance(given, list):
        return [limit for _, limit in given]
    return [] if given is None else [given]


def _decoded(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusals.bad_request(str(error)) from None


CONTROL: dict[str, dict[str, Control]] = {
    "/openapi.json": {"GET": _description},
    "/sandbox": {"GET": _state},
    "/sandbox/scripts": {"POST": _add_scripts, "DELETE": _clear_scripts},
    "/sandbox/requests": {"GET": _requests, "DELETE": _clear_requests},
    "/sandbox/ceiling": {"PUT": _set_ceiling},
}
