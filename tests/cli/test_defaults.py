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
    assert defaults(environment(path, '\ufeffmodel = "a"\r\n')) == {"model": "a"}  # as some editors write it
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


def test_every_default_has_a_variable() -> None:
    """What it says is read as what it is."""
    said = {
        "DEEPSEEK_MODEL": "m",
        "DEEPSEEK_SYSTEM": "s",
        "DEEPSEEK_THINKING": "off",
        "DEEPSEEK_REASONING": "fold",
        "DEEPSEEK_TEMPERATURE": "0.5",
        "DEEPSEEK_TOP_P": "1",
        "DEEPSEEK_MAX_TOKENS": "20",
        "DEEPSEEK_BASE_URL": "http://localhost:8000/v1",
        "XDG_CONFIG_HOME": "/nowhere",
    }
    assert defaults(said) == {
        "model": "m",
        "system": "s",
        "thinking": False,
        "reasoning": "fold",
        "temperature": 0.5,
        "top_p": 1.0,
        "max_tokens": 20,
        "base_url": "http://localhost:8000/v1",
    }


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("THINKING", "maybe", "on or off"),
        ("MAX_TOKENS", "2.5", "a whole number"),
        ("TEMPERATURE", "warm", "a number"),
        ("REASONING", "x", "show or fold"),
    ],
)
def test_variables_that_mean_nothing(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        defaults({f"DEEPSEEK_{name}": value, "XDG_CONFIG_HOME": "/nowhere"})


@pytest.mark.parametrize("name", ["api_key", "DEEPSEEK_API_KEY", "token"])
def test_a_key_does_not_belong_in_the_file(tmp_path: Path, name: str) -> None:
    """It is not read, and not shown."""
    with pytest.raises(InvalidRequestError, match="set DEEPSEEK_API_KEY") as caught:
        defaults(environment(tmp_path / "config.toml", f'{name} = "sk-secret"'))
    assert "sk-secret" not in str(caught.value)
