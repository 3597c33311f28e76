"""Objects out of a real model's words, as far as a model of 135 million parameters has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from deepseek_async import AsyncClient, MalformedResponseError

from ..tables import Cell
from .engines import Engine

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]


@attrs.frozen
class City:
    """What is asked for."""

    name: str
    inhabitants: int


def held_to(name: str, inhabitants: object) -> dict[str, Any]:
    """A response format that leaves the model no choice."""
    properties = {"name": {"const": name}, "inhabitants": {"const": inhabitants}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}}


async def test_an_object(client: AsyncClient, engine: Engine, case: Case) -> None:
    """The model is held to the very words: what it says becomes the object."""
    case("parse", needs="saying")
    parsed = await client.chat.completions.parse(
        model=engine.model,
        messages=[{"role": "user", "content": "Describe Bern."}],
        response_type=City,
        max_tokens=60,
        extra_body=held_to("Bern 🐻", 134000),
    )
    assert parsed.parsed == City("Bern 🐻", 134000)


async def test_an_object_that_does_not_fit(client: AsyncClient, engine: Engine, case: Case) -> None:
    """Asked again, and then an error that names the place."""
    case("parse: an answer that does not fit", needs="saying")
    with pytest.raises(MalformedResponseError, match="inhabitants"):
        await client.chat.completions.parse(
            model=engine.model,
            messages=[{"role": "user", "content": "Describe Bern."}],
            response_type=City,
            attempts=2,
            max_tokens=60,
            extra_body=held_to("Bern", "many"),
        )
