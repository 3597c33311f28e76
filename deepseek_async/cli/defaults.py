"""What a user wants by default: one TOML file, and the environment over it.

    # ~/.config/deepseek-async/config.toml (or where DEEPSEEK_ASYNC_CONFIG says)
    model = "deepseek-flash"
    system = "Be brief."
    thinking = false
    temperature = 0.3
    max_tokens = 2000

No key is read from it: files are copied and shown, and a key must not be.
"""

from __future__ import annotations

import os
import tomllib
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
}
_ENVIRONMENT: Mapping[str, str] = {"model": "DEEPSEEK_MODEL"}


def defaults(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The defaults, by the names of `chat`'s options.

    Raises:
        InvalidRequestError: The file is no TOML, or holds what is no default; the message names file and key.
    """
    said = environment.get(VARIABLE)
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    path = Path(said).expanduser() if said else Path(home) / "deepseek-async" / "config.toml"
    found: dict[str, Any] = {}
    if said or path.is_file():
        found = _read(path)
    return found | {name: environment[key] for name, key in _ENVIRONMENT.items() if environment.get(key)}


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidRequestError(str(path), None, message=f"{path}: {error}") from None
    for name, value in values.items():
        kinds = _KINDS.get(name)
        if kinds is None:
            known = ", ".join(_KINDS)
            raise InvalidRequestError(name, None, message=f"{path}: {name} is no default; there are {known}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise InvalidRequestError(name, None, message=f"{path}: {name} must be {wanted}")
    return values
