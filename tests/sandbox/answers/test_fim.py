"""Fill in the middle: POST /beta/completions."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async.sandbox import EarlyEnd, Script

from ..talking import Talk

pytestmark = pytest.mark.anyio

FIM = {"model": "deepseek-chat", "prompt": "def read(stream):\n    ", "suffix": "\n    return data", "max_tokens": 30}
PATH = "/beta/completions"


def fold(chunks: list[Any]) -> dict[str, Any]:
    """Chunks to the completion they add up to."""
    choices: dict[int, Any] = {}
    for chunk in chunks:
        for part in chunk["choices"]:
            choice = choices.setdefault(part["index"], {**part, "text": "", "logprobs": None})
            choice["text"] += part["text"]
            choice["finish_reason"] = part["finish_reason"]
            for name, values in (part["logprobs"] or {}).items():
                choice["logprobs"] = choice["logprobs"] or {}
                choice["logprobs"].setdefault(name, []).extend(values)
    return {**chunks[0], "choices": [choices[index] for index in sorted(choices)], "usage": chunks[-1]["usage"]}


async def test_its_own_shape(talk: Talk) -> None:
    """text_completion, text in the choice, logprobs as four lists, the chosen token among at most n+1 alternatives."""
    answer = await talk.post(PATH, body=FIM, logprobs=3)
    assert set(answer.json) == {"id", "object", "created", "model", "choices", "usage", "system_fingerprint"}
    assert answer.json["object"] == "text_completion"
    choice = answer.json["choices"][0]
    logprobs = choice["logprobs"]
    assert "".join(logprobs["tokens"]) == choice["text"]
    offsets = [len("".join(logprobs["tokens"][:n])) for n in range(len(logprobs["tokens"]))]
    assert logprobs["text_offset"] == offsets
    for token, logprob, top in zip(
        logprobs["tokens"], logprobs["token_logprobs"], logprobs["top_logprobs"], strict=True
    ):
        assert top[token] == logprob
        assert 3 <= len(top) <= 4
    assert answer.json["usage"]["completion_tokens"] == len(logprobs["tokens"])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"logprobs": 5},
        {"logprobs": 0},
        {"n": 2, "logprobs": 1},
        {"suffix": None, "echo": True},
        {"prompt": "", "suffix": None},
        {"prompt": "Grüße aus 日本, Grüße aus", "logprobs": 2, "temperature": 0.1},
        {"stop": "e"},
    ],
    ids=str,
)
async def test_law_of_reassembly(talk: Talk, fields: dict[str, Any]) -> None:
    """Streamed and whole are the same value."""
    talk.server.prefix_cache = None
    streamed, whole = await talk.post(PATH, body=FIM, stream=True, **fields), await talk.post(PATH, body=FIM, **fields)
    assert fold(streamed.chunks) == whole.json


async def test_offsets_of_characters_over_several_tokens(talk: Talk) -> None:
    """The bytes of one character all begin where it does."""
    answer = await talk.post(PATH, body=FIM, script=Script(say="ä鱻x"), logprobs=0)
    assert answer.json["choices"][0]["logprobs"]["text_offset"] == [0, 0, 1, 1, 1, 2]


async def test_echo_repeats_the_prompt(talk: Talk) -> None:
    """The prompt comes first and costs no completion tokens; not with suffix or logprobs."""
    body = {key: value for key, value in FIM.items() if key != "suffix"}
    answer = await talk.post(PATH, body=body, echo=True, script=Script(say="pass"))
    assert answer.json["choices"][0]["text"] == FIM["prompt"] + "pass"
    assert answer.json["usage"]["completion_tokens"] == talk.server.model.tokenizer.count("pass")
    for fields in ({"suffix": "x"}, {"logprobs": 1}):
        refused = await talk.post(PATH, body=body, echo=True, **fields)
        assert refused.error["message"] == "Invalid echo value, echo cannot be used together with suffix or logprobs"


async def test_parameters_act(talk: Talk) -> None:
    """max_tokens, stop, seed and temperature as in chat; ranges are checked."""
    assert (await talk.post(PATH, body=FIM, max_tokens=2)).json["choices"][0]["finish_reason"] == "length"
    stopped = await talk.post(PATH, body=FIM, script=Script(say="a b c"), stop=" c")
    assert stopped.json["choices"][0]["text"] == "a b"
    seeds = [(await talk.post(PATH, body=FIM, seed=seed)).json["choices"][0]["text"] for seed in (1, 1, 2)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert (await talk.post(PATH, body=FIM, logprobs=21)).status == 400
    assert (await talk.post(PATH, body=FIM, logprobs=-1)).status == 422
    assert (await talk.post(PATH, body=FIM, logprobs=True)).status == 422
    assert (await talk.post(PATH, body={"model": "deepseek-chat"})).error["message"].endswith("missing field `prompt`")


async def test_it_is_a_beta_feature(talk: Talk) -> None:
    """Elsewhere it is refused, unless the server is lenient."""
    refused = await talk.post("/completions", body=FIM)
    assert refused.error["message"].startswith("completions api is only available when using beta api")
    talk.server.beta_everywhere = True
    assert (await talk.post("/completions", body=FIM)).status == 200


async def test_faults_happen_here_too(talk: Talk) -> None:
    """Scripts know no endpoint."""
    answer = await talk.post(PATH, body=FIM, stream=True, script=Script(say=("a", "b"), faults=(EarlyEnd(),)))
    assert len(answer.events) == 3
    assert answer.events[-1] != "[DONE]"


async def test_usage_in_every_chunk_if_asked(talk: Talk) -> None:
    """As in chat."""
    answer = await talk.post(PATH, body=FIM, stream=True, stream_options={"include_usage": True})
    assert [chunk["usage"] is None for chunk in answer.chunks] == [True] * (len(answer.chunks) - 1) + [False]
