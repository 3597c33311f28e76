"""Every parameter acts."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import aiohttp
import pytest

from deepseek_async.sandbox import SandboxServer, Script

from ..model.chisquare import surprise
from ..talking import HELLO, THINKING, Answer, Talk

pytestmark = pytest.mark.anyio

ASK = [{"role": "user", "content": "Tell me about streams and their readers."}]


def tokens_of(answer: Answer, channel: str = "content") -> list[Any]:
    """The listed tokens of choice 0."""
    return list(answer.json["choices"][0]["logprobs"][channel])


async def test_temperature_zero_is_greedy(talk: Talk) -> None:
    """At 0 each token is the first of its alternatives, and another seed changes nothing."""
    first = await talk.post(temperature=0, seed=1, logprobs=True, top_logprobs=3, max_tokens=30)
    second = await talk.post(temperature=0, seed=2, max_tokens=30)
    assert first.text == second.text
    assert all(token["token"] == token["top_logprobs"][0]["token"] for token in tokens_of(first))


async def test_seed_repeats_and_separates(talk: Talk) -> None:
    """The same seed gives the same answer, another one another."""
    texts = [(await talk.post(seed=seed, messages=ASK)).text for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


async def test_without_a_seed_answers_differ(session: aiohttp.ClientSession) -> None:
    """A server without a seed answers anew each time, under a new id."""
    async with SandboxServer() as server:
        talk = Talk(server, session)
        answers = [await talk.post(messages=ASK, min_tokens=30) for _ in range(2)]
    assert answers[0].text != answers[1].text
    assert answers[0].json["id"] != answers[1].json["id"]


async def test_a_low_top_p_narrows(talk: Talk) -> None:
    """A nucleus of almost nothing is greedy."""
    narrow = await talk.post(top_p=0.0001, max_tokens=30, seed=3)
    greedy = await talk.post(temperature=0, max_tokens=30)
    assert narrow.text == greedy.text


@pytest.mark.parametrize("least", [{"top_p": 5e-324}, {"temperature": 5e-324}, {"temperature": 1e-5}])
async def test_the_least_values_are_greedy(talk: Talk, least: dict[str, float]) -> None:
    """The smallest numbers that are allowed are no division by zero."""
    greedy = await talk.post(temperature=0, max_tokens=30)
    assert (await talk.post(**least, max_tokens=30)).text == greedy.text


@pytest.mark.parametrize("penalty", ["frequency_penalty", "presence_penalty"])
async def test_penalties_act_as_the_seed_page_says(talk: Talk, penalty: str) -> None:
    """A high penalty lowers repetition, a negative one raises it; today's rules ignore both."""

    async def repetition(value: float) -> float:
        answer = await talk.post(**{penalty: value}, n=8, max_tokens=100, min_tokens=100, messages=ASK)
        shares = []
        for choice in answer.json["choices"]:
            words = choice["message"]["content"].split()
            shares.append(len(set(words)) / len(words))
        return -sum(shares)

    assert await repetition(2) < await repetition(0) < await repetition(-2)
    talk.server.rules = "today"
    talk.server.prefix_cache = None
    today = {**HELLO, "model": "deepseek-flash", "thinking": {"type": "disabled"}}
    with_it = await talk.post(body=today, **{penalty: 2})
    without = await talk.post(body=today)
    assert with_it.text == without.text


async def test_today_temperature_and_top_p_depend_on_thinking(talk: Talk) -> None:
    """Today temperature is ignored while thinking; top_p acts only then, and not below 0.95."""
    talk.server.rules = "today"
    base = {**THINKING, "messages": ASK, "max_tokens": 60}
    plain = await talk.post(body=base)
    assert (await talk.post(body=base, temperature=0)).json["choices"] == plain.json["choices"]
    low, least = await talk.post(body=base, top_p=0.1), await talk.post(body=base, top_p=0.95)
    assert low.json["choices"] == least.json["choices"]
    without = {**base, "thinking": {"type": "disabled"}}
    assert (await talk.post(body=without, top_p=0.1)).text == (await talk.post(body=without)).text
    assert (await talk.post(body=without, temperature=0)).text != (await talk.post(body=without)).text


async def test_max_tokens_is_exact(talk: Talk) -> None:
    """An answer is cut after so many tokens, says so, and usage agrees; reasoning counts against it."""
    answer = await talk.post(max_tokens=7, min_tokens=20, logprobs=True)
    assert answer.json["choices"][0]["finish_reason"] == "length"
    assert len(tokens_of(answer)) == answer.json["usage"]["completion_tokens"] == 7
    thought = await talk.post(body=THINKING, max_tokens=7, logprobs=True)
    message = thought.json["choices"][0]["message"]
    assert (message["content"], bool(message["reasoning_content"])) == ("", True)
    assert thought.json["choices"][0]["logprobs"]["content"] is None
    assert len(tokens_of(thought, "reasoning_content")) == 7
    assert thought.json["usage"]["completion_tokens_details"] == {"reasoning_tokens": 7}


async def test_max_tokens_at_the_natural_end_is_a_stop(talk: Talk) -> None:
    """A text that fits exactly was not cut."""
    count = talk.server.model.tokenizer.count("Just so.")
    fitting = await talk.post(script=Script(say="Just so."), max_tokens=count)
    assert fitting.json["choices"][0]["finish_reason"] == "stop"
    cut = await talk.post(script=Script(say="Just so."), max_tokens=count - 1)
    assert cut.json["choices"][0]["finish_reason"] == "length"


async def test_min_tokens_holds_the_end_back(talk: Talk) -> None:
    """As vLLM has it: the answer does not end before."""
    answer = await talk.post(min_tokens=150, max_tokens=400)
    assert answer.json["usage"]["completion_tokens"] >= 150


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("Z", "one, two, three."),
        ("two", "one, "),
        (", t", "one"),
        ("ne, two, th", "o"),
        (["three", "two"], "one, "),
        ("one", ""),
        ("three.!", "one, two, three."),
        ("", "one, two, three."),
        ([], "one, two, three."),
    ],
)
async def test_stop_ends_the_text_before_it(talk: Talk, stop: object, text: str, *, stream: bool) -> None:
    """The first sequence met ends the text, also in the middle of tokens and over several; no part of it is shown."""
    answer = await talk.post(script=Script(say="one, two, three."), stop=stop, stream=stream)
    assert answer.text == text
    if stream:
        assert answer.chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_stopped_tokens_are_counted_and_not_listed(talk: Talk) -> None:
    """Tokens of the stop sequence were generated: usage has them, logprobs has those that a shown character is of."""
    answer = await talk.post(script=Script(say="one, two, three."), stop=", t", logprobs=True)
    assert "".join(token["token"] for token in tokens_of(answer)) == "one"
    assert answer.json["usage"]["completion_tokens"] > len(tokens_of(answer))


async def test_stop_does_not_end_the_thinking(talk: Talk) -> None:
    """A sequence that occurs in the reasoning stops nothing."""
    answer = await talk.post(body=THINKING, script=Script(think="go on", say="go away"), stop="on")
    message = answer.json["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("go on", "go away")


async def test_logprobs_are_sorted_and_bounded(talk: Talk) -> None:
    """top_logprobs entries, falling, the sum of their probabilities at most one; none without top_logprobs."""
    answer = await talk.post(logprobs=True, top_logprobs=20, max_tokens=40, min_tokens=40)
    for token in tokens_of(answer):
        listed = [other["logprob"] for other in token["top_logprobs"]]
        assert listed == sorted(listed, reverse=True)
        assert len(listed) <= 20
        assert sum(map(math.exp, listed)) <= 1 + 1e-9
        named = {other["token"]: other["logprob"] for other in token["top_logprobs"]}
        assert token["logprob"] == named.get(token["token"], -9999.0)
        assert bytes(token["bytes"]).decode() == token["token"]
    bare = await talk.post(logprobs=True, max_tokens=5)
    assert all(token["top_logprobs"] == [] for token in tokens_of(bare))
    none = await talk.post(max_tokens=5)
    assert none.json["choices"][0]["logprobs"] is None


async def test_unlikely_tokens_are_minus_9999(talk: Talk) -> None:
    """At a high temperature some tokens are outside the 20 most likely."""
    answer = await talk.post(temperature=2, logprobs=True, max_tokens=200, min_tokens=200, top_logprobs=1)
    values = [token["logprob"] for token in tokens_of(answer)]
    assert -9999.0 in values
    assert any(value > -9999.0 for value in values)


async def test_characters_over_several_tokens(talk: Talk) -> None:
    """Bytes of the listed tokens join to the text; in a stream text comes with the token that completes a character."""
    said = "Grüße, 日本 🙂!"
    answer = await talk.post(script=Script(say=said), logprobs=True, stream=True)
    pieces, data = [], b""
    for chunk in answer.chunks[1:-1]:
        choice = chunk["choices"][0]
        for token in choice["logprobs"]["content"]:
            data += bytes(token["bytes"])
        pieces.append(choice["delta"]["content"])
    assert data.decode() == "".join(pieces) == said
    assert "" in pieces
    assert "\ufffd" not in answer.text


async def test_draws_come_from_the_reported_distribution(talk: Talk) -> None:
    """20,000 first tokens, against the probabilities that logprobs reports for them, under temperature and nucleus."""
    shape = {**HELLO, "messages": ASK, "temperature": 0.8, "top_p": 0.95, "max_tokens": 1, "min_tokens": 1}
    first = await talk.post(body=shape, logprobs=True, top_logprobs=20)
    reported = {other["token"]: math.exp(other["logprob"]) for other in tokens_of(first)[0]["top_logprobs"]}
    drawn: Counter[str] = Counter()
    for seed in range(157):
        answer = await talk.post(body=shape, n=128, seed=1000 * seed)
        drawn.update(choice["message"]["content"] for choice in answer.json["choices"])
    assert drawn.total() >= 20_000
    numbered = {token: number for number, token in enumerate({*drawn, *reported})}
    outcomes = [numbered[token] for token in drawn.elements()]
    assert abs(surprise(outcomes, {numbered[token]: share for token, share in reported.items()})) < 4.8


async def test_n_choices_differ_and_interleave(talk: Talk) -> None:
    """n answers under their indexes, each drawn by itself; a stream sends them in turn."""
    answer = await talk.post(n=3, messages=ASK, min_tokens=20)
    texts = [choice["message"]["content"] for choice in answer.json["choices"]]
    assert [choice["index"] for choice in answer.json["choices"]] == [0, 1, 2]
    assert len(set(texts)) == 3
    streamed = await talk.post(n=3, messages=ASK, min_tokens=20, stream=True)
    assert [chunk["choices"][0]["index"] for chunk in streamed.chunks[:6]] == [0, 1, 2, 0, 1, 2]
    assert texts[0] == (await talk.post(messages=ASK, min_tokens=20, n=1, seed=7)).text


@pytest.mark.parametrize("text", ["Hello, Ada.", "数据 and café 👋🏽!", "  two\\n\\nparagraphs", "1234567, -0.5e3"])
async def test_what_is_to_be_said_is_said_each_time(session: aiohttp.ClientSession, text: str) -> None:
    """Without a seed, whatever the sampling, streamed or not, thinking or not: exactly what follows "Say:"."""
    async with SandboxServer() as server:
        talk = Talk(server, session)
        ask = [{"role": "user", "content": f"Say: {text}"}]
        samplings: list[dict[str, Any]] = [
            {},
            {"temperature": 2},
            {"temperature": 2, "top_p": 0.3, "logprobs": True, "top_logprobs": 5},
            {"frequency_penalty": 2, "presence_penalty": 2, "stream": True},
            {"model": "deepseek-flash", "stream": True},
            {"min_tokens": 1, "temperature": 0},
        ]
        for _ in range(5):
            for sampling in samplings:
                assert (await talk.post(messages=ask, **sampling)).text == text.strip()


async def test_json_mode_gives_json(talk: Talk) -> None:
    """With response_format json_object the content is a JSON object, for any seed."""
    ask = [{"role": "user", "content": 'Reply in JSON, like {"name": "x", "size": 1}'}]
    for seed in range(5):
        answer = await talk.post(messages=ask, response_format={"type": "json_object"}, seed=seed)
        assert isinstance(json.loads(answer.text), dict)
        assert answer.json["choices"][0]["finish_reason"] == "stop"
    cut = await talk.post(messages=ask, response_format={"type": "json_object"}, max_tokens=3)
    assert cut.json["choices"][0]["finish_reason"] == "length"


async def test_usage_counts_with_the_same_tokenizer(talk: Talk) -> None:
    """The prompt is counted as it is laid out for the model; tools are part of it."""
    model = talk.server.model
    answer = await talk.post(script=Script(say="Fine, thanks."))
    usage = answer.json["usage"]
    assert usage["prompt_tokens"] == len(model.render([("user", "Hello!")]))
    assert usage["completion_tokens"] == model.tokenizer.count("Fine, thanks.")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert "completion_tokens_details" not in usage
    tools = [{"type": "function", "function": {"name": "f", "description": "does it"}}]
    assert (await talk.post(tools=tools)).json["usage"]["prompt_tokens"] > usage["prompt_tokens"]


async def test_unknown_parameters_are_ignored(talk: Talk) -> None:
    """As the API does: what it does not know changes nothing."""
    answer = await talk.post(logit_bias={"1": 1}, parallel_tool_calls=False, metadata={"a": "b"}, seed=3)
    assert answer.text == (await talk.post(seed=3)).text


@pytest.mark.parametrize(
    ("fields", "thinks"),
    [
        ({"model": "deepseek-flash"}, True),
        ({"model": "deepseek-v4-pro"}, True),
        ({"model": "deepseek-reasoner"}, True),
        ({"model": "deepseek-chat"}, False),
        ({"model": "deepseek-chat", "thinking": {"type": "enabled"}}, True),
        ({"model": "deepseek-flash", "thinking": {"type": "disabled"}, "reasoning_effort": "max"}, False),
        ({"model": "deepseek-flash", "reasoning_effort": "none"}, False),
        ({"model": "deepseek-chat", "reasoning_effort": "low"}, True),
        ({"model": "deepseek-flash", "thinking": None}, True),
    ],
)
async def test_when_it_thinks(talk: Talk, fields: dict[str, object], *, thinks: bool) -> None:
    """By model, unless told otherwise; disabled wins over any effort."""
    answer = await talk.post(**fields)
    assert ("reasoning_content" in answer.json["choices"][0]["message"]) is thinks
    assert ("completion_tokens_details" in answer.json["usage"]) is thinks


async def test_effort_makes_thoughts_longer(talk: Talk) -> None:
    """max thinks at least 64 tokens, low may be short."""

    async def reasoning(effort: str, seed: int) -> int:
        answer = await talk.post(body=THINKING, reasoning_effort=effort, seed=seed)
        return int(answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"])

    assert min([await reasoning("max", seed) for seed in range(8)]) >= 64
    assert min([await reasoning("low", seed) for seed in range(8)]) < 64


async def test_aliases_say_what_served_them(talk: Talk) -> None:
    """A retired name that is an alias is answered in the name of its successor."""
    assert (await talk.post(model="deepseek-v4-flash")).json["model"] == "deepseek-flash"
    assert (await talk.post(model="deepseek-coder")).json["model"] == "deepseek-coder"
