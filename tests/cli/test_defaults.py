"""Defaults of the shell: from one TOML file, and from the environment over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepseek_async import InvalidRequestError
from deepseek_async.cli.defaults import VARIABLE, defaults


def environment(path: Path, text: str, **others: str) -> dict[str, str]:
    path.write_text(text, encoding="utf-8")
    return {VARIABLE: str(path), **others}


def test_a_file_and_the_environment(tmp_path: Path) -> None:
    """The environment comes first; where there is nothing, there are no defaults."""
    path = tmp_path / "config.toml"
    said = environment(path, 'model = "a"\nthinking = false\ntemperature = 1\n', DEEPSEEK_MODEL="b")
    assert defaults(said) == {"model": "b", "thinking": False, "temperature": 1}
    assert defaults({"XDG_CONFIG_HOME": str(tmp_path / "none")}) == {}
    home = tmp_path / "home" / "deepseek-async"
    home.mkdir(parents=True)
    (home / "config.toml").write_text('system = "Be brief."')
    assert defaults({"XDG_CONFIG_HOME": str(home.parent)}) == {"system": "Be brief."}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model =", "Invalid"),
        ("colour = 1", "colour is no default"),
        ("model = 3", "must be str"),
        ("max_tokens = true", "int"),
    ],
)
def test_what_is_no_default_is_named(tmp_path: Path, text: str, told: str) -> None:
    """With the file, the key, and what is allowed."""
    path = tmp_path / "config.toml"
    with pytest.raises(InvalidRequestError, match=told) as caught:
        defaults(environment(path, text))
    assert str(path) in str(caught.value)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """A typo in the variable is not taken for "no defaults"."""
    with pytest.raises(InvalidRequestError, match="No such file"):
        defaults({VARIABLE: str(tmp_path / "none.toml")})
