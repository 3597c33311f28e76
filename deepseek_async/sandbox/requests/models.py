"""The models that are served, and what is known of each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

__all__ = ["MODELS", "ServedModel", "listed_models", "supported_names"]


@attrs.frozen(kw_only=True)
class ServedModel:
    """A name that may stand in ``model``.

    Attributes:
        name: The name.
        served_as: What the answer says in ``model``: an alias tells the name of what served it.
        thinking: Whether it thinks unless told otherwise.
        vision: Whether messages may hold images.
        retired: Refused by today's API; the page of 2024 has it.
        hit, miss, output: US dollars for a million tokens, off-peak.
    """

    name: str
    served_as: str
    thinking: bool
    vision: bool = False
    retired: bool = False
    hit: Decimal = Decimal("0.003")
    miss: Decimal = Decimal("0.15")
    output: Decimal = Decimal("0.60")

    def price(self, *, hit_tokens: int, miss_tokens: int, completion_tokens: int) -> Decimal:
        """What a request costs, in US dollars."""
        return (self.hit * hit_tokens + self.miss * miss_tokens + self.output * completion_tokens) / 1_000_000


_FLASH, _PRO = "deepseek-flash", "deepseek-v4-pro"

MODELS = {
    model.name: model
    for model in (
        ServedModel(name=_FLASH, served_as=_FLASH, thinking=True, vision=True),
        ServedModel(
            name=_PRO,
            served_as=_PRO,
            thinking=True,
            hit=Decimal("0.022"),
            miss=Decimal("0.66"),
            output=Decimal("1.98"),
        ),
        ServedModel(name="deepseek-v4-flash", served_as=_FLASH, thinking=True, vision=True),
        ServedModel(name="deepseek-v4-flash-vision-exp", served_as=_FLASH, thinking=True, vision=True),
        ServedModel(name="deepseek-chat", served_as="deepseek-chat", thinking=False, retired=True),
        ServedModel(name="deepseek-reasoner", served_as="deepseek-reasoner", thinking=True, retired=True),
        ServedModel(name="deepseek-coder", served_as="deepseek-coder", thinking=False, retired=True),
    )
}


def supported_names() -> tuple[str, ...]:
    """The names that today's refusal of an unknown one lists."""
    return (_FLASH, _PRO)


def listed_models() -> dict[str, Any]:
    """What GET /models answers: aliases are not listed."""
    return {"object": "list", "data": [_listed(MODELS[name]) for name in supported_names()]}


def _listed(model: ServedModel) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "owned_by": "deepseek",
        "name": {_FLASH: "DeepSeek-V4.1-Flash", _PRO: "DeepSeek-V4-Pro"}[model.name],
        "context_window": 1_048_576,
        "max_output_tokens": 393_216,
        "input_modalities": ["text", "image"] if model.vision else ["text"],
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["none", "low", "high", "max"], "default_level": "high"},
    }
