"""Habits in log probabilities: none, other names, the shape of the other endpoint."""

from __future__ import annotations

import math
from typing import Any

from ....types import BELOW_TOP

Json = dict[str, Any]


def translate_top(token: Json) -> Json | None:
    token["token"] = _word(token.get("token"))
    logprob, prob = _number(token.get("logprob")), _number(token.get("prob"))
    if logprob != token.get("logprob") and logprob == logprob and not isinstance(logprob, str):
        odd, token["logprob"] = {"logprob": token["logprob"]}, logprob  # as a text
        return odd
    if isinstance(logprob, (int, float)) and not isinstance(logprob, bool) and logprob == logprob:
        pass
    elif isinstance(prob, (int, float)) and prob >= 0:
        token["logprob"] = math.log(prob) if prob else BELOW_TOP
    else:
        token["logprob"] = BELOW_TOP
        return {"logprob": logprob}
    return None


def translate_token(token: Json) -> Json | None:
    odd = translate_top(token)
    tops = token.get("top_logprobs")
    if tops is None and isinstance(token.get("top_probs"), list):
        token["top_logprobs"] = token.pop("top_probs")
    elif isinstance(tops, dict):
        token["top_logprobs"] = [{"token": text, "logprob": logprob} for text, logprob in tops.items()]
    return odd


def translate_chat_logprobs(logprobs: Json) -> None:
    """The parallel lists of ``/completions``, as tokens."""
    tokens = logprobs.get("tokens")
    if not isinstance(tokens, list) or logprobs.get("content") is not None:
        return
    values, tops = _list(logprobs.pop("token_logprobs", None)), _list(logprobs.pop("top_logprobs", None))
    del logprobs["tokens"]
    logprobs["content"] = [
        {
            "token": token,
            "logprob": values[number] if number < len(values) else None,
            "top_logprobs": tops[number] if number < len(tops) else None,
        }
        for number, token in enumerate(tokens)
    ]


def translate_text_logprobs(logprobs: Json) -> None:
    """The tokens of chat, as parallel lists. They themselves stay in ``extra``, for they say more."""
    content = logprobs.get("content")
    if not isinstance(content, list) or logprobs.get("tokens") is not None:
        return
    tokens = [dict(token) for token in content if isinstance(token, dict)]
    for token in tokens:
        translate_token(token)
        for top in (tops := [dict(t) for t in _list(token.get("top_logprobs")) if isinstance(t, dict)]):
            translate_top(top)
        token["top_logprobs"] = {str(top["token"]): top["logprob"] for top in tops}
    logprobs["tokens"] = [str(token["token"]) for token in tokens]
    logprobs["token_logprobs"] = [None if token["logprob"] <= BELOW_TOP else token["logprob"] for token in tokens]
    logprobs["top_logprobs"] = [token["top_logprobs"] for token in tokens]


def _number(value: Any) -> Any:
    """The number that a text stands for; anything else as it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _word(token: Any) -> Any:
    """A token, whatever stands for it; those of bytes that are no text are told by null."""
    return token if isinstance(token, (str, int, float)) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
