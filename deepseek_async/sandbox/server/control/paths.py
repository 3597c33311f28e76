"""The sandbox's own paths, for tests in another process or language: scripts, records, ceiling, counts.

    GET    /                    a page for people: requests as they come
    GET    /openapi.json        what is served, these paths included
    GET    /sandbox             counts: in flight, peak, admitted, refused, billed by row, money
    POST   /sandbox/scripts     {"scripts": [{…}], "times": 1, "caller": "a", "optional": false}: have them played
    DELETE /sandbox/scripts     forget those waiting
    GET    /sandbox/requests    every request seen, keys left out; with ?after=REVISION those that changed since
    DELETE /sandbox/requests    forget them
    PUT    /sandbox/ceiling     {"ceiling": 25}, {"ceiling": {"deepseek-flash": 25}}, {"ceiling": [[0, 300], [5, 100]]}

Requests to these are not recorded and no script is played for them. Those about scripts and requests speak of one
caller only if they name it: by the header ``x-sandbox-caller``, by the path (``/caller/NAME/sandbox/scripts``), or, for
scripts, in the body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ...requests import refusals
from ...requests.seen import to_json
from ...scripts.json_form import to_script
from ..admission import Ceiling, Schedule
from .orders import NewCeiling, NewScripts, Order

if TYPE_CHECKING:
    from ..state import Sandbox

__all__ = ["CONTROL", "Control"]

_MOST_CHANGES = 500  # records that one look at the changes shows


Control = Callable[["Sandbox", Order], object]


def _description(sandbox: Sandbox, _: Order) -> object:
    from .openapi import describe  # few ask for it, and every start would pay

    return describe(sandbox.base_url, CONTROL)


def _state(sandbox: Sandbox, _: Order) -> object:
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


def _add_scripts(sandbox: Sandbox, order: Order) -> object:
    given = _decoded(order.body, NewScripts)
    caller = order.caller if given.caller is None else given.caller
    try:
        scripts = [to_script(fields) for fields in given.scripts]
        sandbox.script(*scripts, times=given.times, caller=caller, optional=given.optional)
    except ValueError as error:
        raise refusals.bad_request(f"Invalid scripts: {error}") from None
    return {"scripts": len(sandbox.scripts)}


def _clear_scripts(sandbox: Sandbox, order: Order) -> object:
    sandbox.scripts.clear(order.caller)
    return {"scripts": len(sandbox.scripts)}


def _requests(sandbox: Sandbox, order: Order) -> object:
    after = order.query.get("after")
    if after is None:
        found = [seen for seen in sandbox.requests if order.caller is None or seen.is_from(order.caller)]
        return {"requests": [to_json(seen) for seen in found]}
    if not after.isdecimal():
        raise refusals.bad_request(f"after must be a revision, an integer of at least 0, got {after!r}")
    revision, changed = sandbox.changes_after(int(after), _MOST_CHANGES)
    return {"requests": [to_json(seen) for seen in changed], "revision": revision}


def _clear_requests(sandbox: Sandbox, order: Order) -> object:
    caller = order.caller
    sandbox.requests[:] = [seen for seen in sandbox.requests if caller is not None and not seen.is_from(caller)]
    return {"requests": []}


def _set_ceiling(sandbox: Sandbox, order: Order) -> object:
    given = _decoded(order.body, NewCeiling).ceiling
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
