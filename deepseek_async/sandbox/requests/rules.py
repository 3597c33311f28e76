"""`Rules` says which page of the API counts where the page of 2024 and the present one contradict each other."""

from __future__ import annotations

from typing import Literal

__all__ = ["Rules"]

Rules = Literal["seed", "today"]
"""``"seed"``: the page of 2024: temperature, top_p and both penalties always act, and its models are served beside
today's. ``"today"``: the API of November 2026: temperature is ignored while thinking, top_p acts only while thinking
and not below 0.95, penalties are without effect, retired models are refused."""
