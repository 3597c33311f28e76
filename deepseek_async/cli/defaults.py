"""What a user wants by default: one TOML file, and the environment over it.

    # ~/.config/deepseek-async/config.toml (or where DEEPSEEK_ASYNC_CONFIG says)
    model = "deepseek-flash"                  # DEEPSEEK_MODEL
    system = "Be brief."                      # DEEPSEEK_SYSTEM
    thinking = false                          # DEEPSEEK_THINKING: on, off
    reasoning = "fold"                        # DEEPSEEK_REASONING: show, fold
    temperature = 0.3                         # DEEPSEEK_TEMPERATURE
    top_p = 0.9                               # DEEPSEEK_TOP_P
    max_tokens = 2000                         # DEEPSEEK_MAX_TOKENS
    base_url = "http://localhost:8000/v1"     # DEEPSEEK_BASE_URL

No key is read from it: files are copied and shown, and a key must not be.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import InvalidRequestError

VARIABLE: Final = "DEEPSEEK_ASYNC_CONFIG"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "system": (str,),
    "thinking": (bool,),
    "temperature": (int, float),
    "top_p": (int, float),
    "max_tokens": (int,),
    "reasoning": (str,),
    "base_url": (str,),
}
_KEYS: Final = ("api_key", "key", "token", "deepseek_api_key")
_SAID: Mapping[str, bool] = {"on": True, "true": True, "1": True, "yes": True} | {
    "off": False,
    "false": False,
    "0": False,
    "no": False,
}


def defaults(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The defaults, by the names of `chat`'s options.

    Raises:
        InvalidRequestError: The file is no TOML, or it or the environment holds what is no default; the message names
            what, and where.
    """
    said = environment.get(VARIABLE)
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    path = Path(said).expanduser() if said else Path(home) / "deepseek-async" / "config.toml"
    found: dict[str, Any] = {}
    if said or path.is_file():
        found = _read(path)
    for name, kinds in _KINDS.items():
        variable = f"DEEPSEEK_{name.upper()}"
        if said := environment.get(variable):
            found[name] = _value(said, kinds, variable)
    if (reasoning := found.get("reasoning")) not in (None, "show", "fold"):
        raise InvalidRequestError("reasoning", reasoning, "show or fold")
    return found


def _value(said: str, kinds: tuple[type, ...], variable: str) -> Any:
    """What a variable of the environment means."""
    if bool in kinds:
        if said.lower() in _SAID:
            return _SAID[said.lower()]
        raise InvalidRequestError(variable, said, "on or off")
    try:
        return kinds[-1](said)
    except ValueError:
        allowed = "a whole number" if kinds[-1] is int else "a number"
        raise InvalidRequestError(variable, said, allowed) from None


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # most have no such file

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidRequestError(str(path), None, message=f"{path}: {error}") from None
    for name, value in values.items():
        kinds = _KINDS.get(name)
        if kinds is None and name.lower() in _KEYS:
            message = f"{path}: {name} does not belong here, files are copied and shown; set DEEPSEEK_API_KEY"
            raise InvalidRequestError(name, None, message=message)
        if kinds is None:
            known = ", ".join(_KINDS)
            raise InvalidRequestError(name, None, message=f"{path}: {name} is no default; there are {known}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise InvalidRequestError(name, None, message=f"{path}: {name} must be {wanted}")
    return values
