"""Odd answers that hold a good one: it is taken, and the odd part is kept. Streamed and whole, chat and gap."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec import Fold, chunk_from_json, completion_from_json, fold
from deepseek_async.codec.folding.text_fold import TextFold
from deepseek_async.codec.reading.account import models_from_json
from deepseek_async.codec.reading.responses import text_completion_from_json, text_from_json
from deepseek_async.errors import MalformedResponseError
from deepseek_async.transport import Answer
from deepseek_async.types import BELOW_TOP, ChatCompletion, TextCompletion, TextLogprobs, Usage

from ...wire import HELLO, client_on, completion, of_choices, stream_of, to_json

Json = dict[str, Any]
HEAD: Json = {"id": "7f", "created": 1760000000, "model": "m"}


def both(choice: Json, said: Json, head: Json | None = None) -> tuple[ChatCompletion, ChatCompletion]:
    """One answer, as the only chunk of a stream and whole: fields of the choice, of what it says, and of the head."""
    choice = {"index": 0, "finish_reason": "stop", **choice}
    head = {**HEAD, **(head or {})}
    streamed = fold([chunk_from_json(to_json({**head, "choices": [{**choice, "delta": said}]}))])
    whole = completion_from_json(to_json({**head, "choices": [{**choice, "message": {"role": "assistant", **said}}]}))
    return streamed, whole


# -- the reasoning's names, and content in parts ---------------------------------------------------------------------

NAMES = ["reasoning_content", "reasoning", "thinking", "reasoning_text"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("others", [{}, {"reasoning_content": ""}, {"reasoning_content": None}, {"reasoning": None}])
def test_reasoning_under_any_name(name: str, others: Json) -> None:
    """Beside an empty or null one of another name."""
    for answer in both({}, {**others, name: "Full moon.", "content": "Springs"}):
        assert (answer.reasoning, answer.text, answer.message.extra) == ("Full moon.", "Springs", {})


@pytest.mark.parametrize("name", NAMES[1:])
def test_reasoning_that_two_names_say(name: str) -> None:
    """Once if it is the same; what is another text is kept as a field of the server's own."""
    for answer in both({}, {name: "Hm", "reasoning_content": "Hm", "content": "Hi"}):
        assert (answer.reasoning, answer.message.extra) == ("Hm", {})
    for answer in both({}, {name: "Other", "reasoning_content": "Hm", "content": "Hi"}):
        assert (answer.reasoning, answer.message.extra) == ("Hm", {name: "Other"})
    for said in ([{"type": "text", "text": "Hm"}], {"content": "Hm"}, ["H", "m"]):
        for answer in both({}, {name: said, "reasoning_content": "", "content": "Hi"}):
            assert (answer.reasoning, answer.message.extra) == ("Hm", {})
    for answer in both({}, {name: {"effort": "low"}, "content": "Hi"}):
        assert (answer.reasoning, answer.message.extra) == ("", {name: {"effort": "low"}})


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ([{"type": "text", "text": "Low "}, {"type": "text", "text": "water"}], "Low water", ""),
        (["Low ", "water"], "Low water", ""),
        ({"type": "text", "text": "Low water"}, "Low water", ""),
        ([{"type": "output_text", "text": "Low"}, " water"], "Low water", ""),
        ([THINKING, {"type": "text", "text": "Low water"}], "Low water", "Hm"),
        ([{"type": "thinking", "thinking": "Hm"}, {"text": "Low water"}], "Low water", "Hm"),
        ([], "", ""),
        ([None], "", ""),
        ([THINKING], "", "Hm"),
        ([{"type": "reasoning", "text": "Hm"}, {"type": "text", "text": "Low water"}], "Low water", "Hm"),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}, "Low water"], "Low water", "Hm"),
        ([{"type": "text", "text": {"value": "Low water", "annotations": []}}], "Low water", ""),
        ([{"type": "text", "content": "Low water"}, {"type": "text", "text": None}], "Low water", ""),
    ],
)
def test_content_in_parts(content: Any, text: str, reasoning: str) -> None:
    """Its texts, joined; thoughts are reasoning."""
    for answer in both({}, {"content": content}):
        assert (answer.text, answer.reasoning, answer.message.extra) == (text, reasoning, {})


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "reference", "reference_ids": [1]},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "refusal", "refusal": "No."},
        {"type": "thinking", "thinking": "", "signature": "x"},
        {"type": "text", "text": "", "annotations": [{"url": "x"}]},
    ],
)
def test_parts_that_say_more_than_a_text(part: Json) -> None:
    """The text is taken, and the parts are kept as they came."""
    content = [part, {"type": "text", "text": "Low water"}]
    for answer in both({}, {"content": content}):
        assert (answer.text, answer.message.extra) == ("Low water", {"content": content})


# -- shapes of the other endpoint, of the other way to answer --------------------------------------------------------


@pytest.mark.parametrize("name", ["delta", "message", "text"])
def test_a_choice_under_another_name(name: str) -> None:
    """`message` in a stream, `delta` in a whole answer, either and `text` on each endpoint."""
    said: Any = "Hi" if name == "text" else {"role": "assistant", "content": "Hi"}
    for others in ({}, {"delta": None}, {"message": None}):
        body = to_json({"choices": [{**others, "index": 0, name: said, "finish_reason": "stop"}]})
        assert fold([chunk_from_json(body)]).text == "Hi"
        assert completion_from_json(body).text == "Hi"
        assert text_completion_from_json(body).text == "Hi"
        assert text_from_json(body).choices[0].text == "Hi"


@pytest.mark.parametrize("name", ["delta", "message"])
def test_a_text_in_place_of_what_holds_it(name: str) -> None:
    """Where the object should be, in a stream and in one piece."""
    body = to_json({"choices": [{"index": 0, name: "Hi", "finish_reason": "stop"}]})
    assert fold([chunk_from_json(body)]).text == "Hi"
    assert completion_from_json(body).text == "Hi"
    assert text_completion_from_json(body).text == "Hi"


@pytest.mark.parametrize("name", ["delta", "message"])
def test_an_empty_text_beside_what_the_chat_would_say(name: str) -> None:
    """Takes nothing away from it."""
    body = to_json({"choices": [{"index": 0, "text": "", name: {"content": "Hi"}, "finish_reason": "stop"}]})
    assert text_completion_from_json(body).text == "Hi"
    assert text_from_json(body).choices[0].text == "Hi"


@pytest.mark.parametrize("text", [["Hi"], [{"type": "text", "text": "H"}, "i"], {"type": "text", "text": "Hi"}])
def test_the_text_of_a_gap_in_parts(text: Any) -> None:
    """Joined, as content is."""
    assert text_completion_from_json(to_json({"choices": [{"text": text}]})).text == "Hi"


def test_a_delta_is_believed_before_a_message() -> None:
    """Some last chunks say the whole message once more."""
    chunks: list[Json] = [
        of_choices({"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}),
        of_choices({"index": 0, "delta": {}, "message": {"content": "Hi"}, "finish_reason": "stop"}),
    ]
    assert fold(chunk_from_json(to_json(chunk)) for chunk in chunks).text == "Hi"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said",
    [
        # in place of the delta: pieces, or all of it each time
        [(None, "Low "), (None, "water")],
        [(None, "ha"), (None, "ha")],
        [(None, "Low "), (None, "Low water"), (None, "Low water")],
        # beside it: all of it each time, or what the delta does not say
        [("Low ", "Low "), ("water", "Low water"), ("", "Low water")],
        [("", "Low "), ("", "water")],
        [("", "Low "), ("", "Low water")],
        # once more at the end
        [("Low ", None), ("water", None), (None, "Low water")],
        [("Low ", None), ("water", None), ("", "Low water")],
    ],
)
async def test_messages_in_a_stream_count_once(said: list[tuple[str | None, str | None]]) -> None:
    """Pieces or repetitions: what is shown, joined, is the text, and the answer is that in one piece."""
    chunks = []
    for number, (delta, message) in enumerate(said):
        choice: Json = {"index": 0, "finish_reason": "stop" if number == len(said) - 1 else None}
        if delta is not None:
            choice["delta"] = {"content": delta}
        if message is not None:
            choice["message"] = {"role": "assistant", "content": message, "reasoning_content": message.upper()}
        chunks.append(of_choices(choice))
    text = "haha" if said[0][1] == "ha" else "Low water"
    client, _ = client_on(Answer([stream_of(*chunks)]))
    stream = client.chat.completions.stream(model="m", messages=HELLO)
    assert "".join([piece async for piece in stream.text_deltas()]) == text
    answer = await stream.completion()
    assert (answer.text, answer.choices[0].extra) == (text, {})
    assert answer == fold(chunk_from_json(to_json(chunk)) for chunk in chunks)
    if None not in {message for _, message in said}:
        assert answer.reasoning == text.upper()


def test_a_choice_that_stands_alone() -> None:
    """An object where a list of one is meant."""
    assert completion_from_json(to_json({"choices": {"message": {"content": "Hi"}}})).text == "Hi"
    assert chunk_from_json(to_json({"choices": {"delta": {"content": "Hi"}}})).choices[0].delta.content == "Hi"
    assert text_completion_from_json(to_json({"choices": {"text": "Hi"}})).text == "Hi"


@pytest.mark.parametrize("asked", [1, None])
@pytest.mark.parametrize("indexes", [[0, 1, 2], [1, 1, 1], [5, 0, 0], [3, 2, 1], [0, 0, 7]])
def test_an_index_that_moves(indexes: list[int], asked: int | None) -> None:
    """Where one choice was asked for, all of it is one answer; where nobody knows, each index is a choice."""
    folding, gap = Fold(choices=asked), TextFold(choices=asked)
    for index, text in zip(indexes, ("Low", " water", " at six"), strict=True):
        choice = {"index": index, "finish_reason": None}
        folding.add(chunk_from_json(to_json(of_choices({**choice, "delta": {"content": text}}))))
        gap.add(text_from_json(to_json({"choices": [{**choice, "text": text}]})))
    for answer in (folding.completion(done=True), gap.completion(done=True)):
        texts = [
            choice.text if isinstance(answer, TextCompletion) else choice.message.content for choice in answer.choices
        ]
        assert (len(texts) == 1) is (asked == 1 or len(set(indexes)) == 1)
        assert sorted("".join(texts)) == sorted("Low water at six")
        if len(texts) == 1:
            assert texts == ["Low water at six"]


def test_choices_that_come_at_once_are_several() -> None:
    """Even where one was asked for: nothing of them is mixed."""
    folding = Fold(choices=1)
    for a, b in (("A", "B"), ("a", "b")):
        two = of_choices({"index": 0, "delta": {"content": a}}, {"index": 1, "delta": {"content": b}})
        folding.add(chunk_from_json(to_json(two)))
    assert [choice.message.content for choice in folding.completion(done=True).choices] == ["Aa", "Bb"]


@pytest.mark.parametrize(
    ("indexes", "reasons", "texts"),
    [
        ([0, 1, 0, 1], [None, None, "stop", "stop"], ["ac", "bd"]),
        ([0, 1, 1, 0], [None, None, "stop", "stop"], ["ad", "bc"]),
        ([0, 0, 1, 1], [None, "stop", None, "stop"], ["ab", "cd"]),
        ([1, 0, 2, 0], [None, None, None, "stop"], ["bd", "a", "c"]),
        ([0, 1, 2, 3], ["stop", "stop", "stop", "stop"], ["a", "b", "c", "d"]),
        ([0, 1, 2, 3], [None, None, None, "stop"], ["abcd"]),
        ([0, 0, 1, 1], [None, None, None, "stop"], ["abcd"]),
        ([2, 2, 5, 5], [None, None, None, None], ["abcd"]),
    ],
)
def test_choices_that_were_several_all_the_time(
    indexes: list[int], reasons: list[str | None], texts: list[str]
) -> None:
    """Though one was asked for: an index that comes back, or one after an end, tells; nothing is mixed or lost."""
    folding, gap = Fold(choices=1), TextFold(choices=1)
    for index, reason, text in zip(indexes, reasons, "abcd", strict=True):
        choice = {"index": index, "finish_reason": reason}
        folding.add(chunk_from_json(to_json(of_choices({**choice, "delta": {"content": text}}))))
        gap.add(text_from_json(to_json({"choices": [{**choice, "text": text}]})))
        so_far = folding.completion(done=False).choices
        assert sum(len(one.message.content or "") for one in so_far) == 1 + "abcd".index(text)
    assert [one.message.content for one in folding.completion(done=True).choices] == texts
    assert [one.text for one in gap.completion(done=True).choices] == texts
    assert folding.is_of_one is gap.is_of_one is (len(texts) == 1)


def test_an_index_that_comes_back_to_say_the_end() -> None:
    """Of all that came, unless another end follows."""
    said = [(0, "a", None), (1, "b", None), (2, "c", None), (0, None, "stop")]
    for rest, texts in (([], ["abc"]), ([(1, None, "stop"), (2, None, "length")], ["a", "b", "c"])):
        folding, gap = Fold(choices=1), TextFold(choices=1)
        for index, text, reason in [*said, *rest]:
            choice = {"index": index, "finish_reason": reason}
            folding.add(chunk_from_json(to_json(of_choices({**choice, "delta": {"content": text}}))))
            gap.add(text_from_json(to_json({"choices": [{**choice, "text": text}]})))
        assert [one.message.content for one in folding.completion(done=True).choices] == texts
        assert [one.text for one in gap.completion(done=True).choices] == texts
        assert None not in folding.finish_reasons


# -- metadata of another type ----------------------------------------------------------------------------------------

ODD_HEADS: list[tuple[Json, Json]] = [
    ({"created": 1760000000.375}, {"created": 1760000000}),
    ({"created": "1760000000"}, {"created": 1760000000}),
    ({"created": "1760000000.5"}, {"created": 1760000000}),
    ({"created": "2026-11-27T00:00:00Z"}, {"created": 0}),
    ({"created": True}, {"created": 0}),
    ({"created": {"seconds": 5}}, {"created": 0}),
    ({"created": float("inf")}, {"created": 0}),
    ({"id": 31}, {"id": "31"}),
    ({"id": 3.5}, {"id": "3.5"}),
    ({"id": ["a"]}, {"id": ""}),
    ({"model": {"name": "m"}}, {"model": ""}),
    ({"object": 5}, {}),
    ({"system_fingerprint": 7}, {"system_fingerprint": "7"}),
    ({"system_fingerprint": False}, {"system_fingerprint": None}),
    ({"usage": "none"}, {"usage": None}),
    ({"usage": [1]}, {"usage": None}),
    ({"usage": 5}, {"usage": None}),
]


@pytest.mark.parametrize(("odd", "meant"), ODD_HEADS)
def test_a_head_of_another_type(odd: Json, meant: Json) -> None:
    """Read by its nearest meaning where it has one, and kept as it came."""
    for answer in both({}, {"content": "Hi"}, odd):
        assert answer.text == "Hi"
        assert answer.complete
        assert answer.extra == odd
        assert {name: getattr(answer, name) for name in meant} == meant
    body = to_json({**HEAD, **odd, "choices": [{"text": "Hi", "index": 0, "finish_reason": "stop"}]})
    assert (text_completion_from_json(body).text, text_completion_from_json(body).extra) == ("Hi", odd)


@pytest.mark.parametrize("name", ["id", "created", "model", "object", "system_fingerprint", "usage"])
@pytest.mark.parametrize("empty", [[], {}, "", None])
def test_what_is_empty_is_null(name: str, empty: Any) -> None:
    """Where another type is meant it says nothing, and nothing is kept of it."""
    for answer in both({}, {"content": "Hi"}, {name: empty}):
        assert answer.text == "Hi"
        assert answer.extra == {}
        assert not getattr(answer, name) or name == "object"


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ({"index": "0"}, {"index": "0"}),
        ({"index": None}, {}),
        ({"index": 0.0}, {}),
        ({"finish_reason": 5}, {"finish_reason": 5}),
        ({"finish_reason": {"type": "stop"}}, {"finish_reason": {"type": "stop"}}),
        ({"logprobs": "none"}, {"logprobs": "none"}),
        ({"logprobs": []}, {}),
        ({"logprobs": ""}, {}),
        ({"logprobs": {"content": "x"}}, {}),
    ],
)
def test_a_choice_with_odd_parts(odd: Json, kept: Json) -> None:
    """The text is taken."""
    for answer in both(odd, {"content": "Hi"}):
        assert answer.text == "Hi"
        assert answer.choices[0].index == 0
        assert answer.choices[0].extra == kept


@pytest.mark.parametrize("name", ["content", "reasoning_content", "tool_calls", "role"])
@pytest.mark.parametrize("empty", [[], {}])
def test_what_is_empty_in_a_message_is_null(name: str, empty: Any) -> None:
    """Beside a text, and in place of it."""
    said = {"content": "Hi", name: empty} if name != "content" else {"content": empty}
    for answer in both({}, said):
        assert answer.text == ("" if name == "content" else "Hi")
        assert (answer.reasoning, answer.message.tool_calls, answer.message.role) == ("", None, "assistant")


@pytest.mark.parametrize(
    ("usage", "meant"),
    [
        ({"prompt_tokens": "40", "completion_tokens": 6, "total_tokens": 46}, (40, 6, 46)),
        ({"prompt_tokens": 40.0, "completion_tokens": 6.0, "total_tokens": 46.0}, (40, 6, 46)),
        ({"prompt_tokens": [], "completion_tokens": 6, "total_tokens": 6}, (0, 6, 6)),
        ({"prompt_tokens": "many", "completion_tokens": 6, "total_tokens": 6}, (0, 6, 6)),
        ({"promptTokens": 40, "completionTokens": 6, "totalTokens": 46}, (40, 6, 46)),
        ({"input_tokens": 40, "output_tokens": 6, "total_tokens": 46}, (40, 6, 46)),
        ({"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46, "prompt_tokens_details": []}, (40, 6, 46)),
        ({"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46, "prompt_tokens_details": 7}, (40, 6, 46)),
        ({"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46, "cost": {"usd": 0.1}}, (40, 6, 46)),
    ],
)
def test_an_odd_usage(usage: Json, meant: tuple[int, int, int]) -> None:
    """What can be counted is counted, and what cannot is kept."""
    for answer in both({}, {"content": "Hi"}, {"usage": usage}):
        assert isinstance(answer.usage, Usage)
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == meant
        for name, value in usage.items():
            assert value in ([], getattr(answer.usage, name, None), answer.usage.extra.get(name))


@pytest.mark.parametrize("place", ["choice", "x_groq"])
def test_usage_in_another_place(place: str) -> None:
    """Moonshot says it in the choice, Groq in a field of its own."""
    usage = {"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46}
    beside: Json = {"usage": usage} if place == "choice" else {}
    for answer in both(beside, {"content": "Hi"}, {} if place == "choice" else {"x_groq": {"id": "q", "usage": usage}}):
        assert answer.usage == Usage(40, 6, 46)
        assert answer.text == "Hi"
    for answer in both({}, {"content": "Hi", "usage": usage}):
        assert answer.usage == Usage(40, 6, 46)
        assert (answer.text, answer.message.extra) == ("Hi", {"usage": usage})


def test_a_choice_that_says_nothing_is_none_of_its_own() -> None:
    """Beside the usage, of another index than the one choice that was asked for."""
    folding = Fold(choices=1)
    for index, delta, reason in (
        (0, {"content": "Hi"}, None),
        (0, {}, "stop"),
        (1, {}, None),
        (1, {"content": ""}, None),
    ):
        folding.add(chunk_from_json(to_json(of_choices({"index": index, "delta": delta, "finish_reason": reason}))))
    (choice,) = folding.completion(done=True).choices
    assert (choice.index, choice.message.content, choice.finish_reason) == (0, "Hi", "stop")


# -- log probabilities -----------------------------------------------------------------------------------------------


def logprobs_of(answer: ChatCompletion) -> list[Any]:
    assert answer.logprobs is not None
    return [
        [one.token, one.logprob, [[t.token, t.logprob] for t in one.top_logprobs]]
        for one in answer.logprobs.content or ()
    ]


def of_tokens(*tokens: Json) -> Json:
    return {"content": [{"token": "Hi", **token} for token in tokens]}


@pytest.mark.parametrize(
    ("logprobs", "meant"),
    [
        (of_tokens({"logprob": None, "bytes": None, "top_logprobs": None}), [["Hi", BELOW_TOP, []]]),
        (of_tokens({}), [["Hi", BELOW_TOP, []]]),
        (of_tokens({"logprob": "-0.5"}), [["Hi", -0.5, []]]),
        (of_tokens({"logprob": "low"}), [["Hi", BELOW_TOP, []]]),
        (of_tokens({"logprob": "nan"}), [["Hi", BELOW_TOP, []]]),
        (of_tokens({"prob": "0.5"}), [["Hi", math.log(0.5), []]]),
        (of_tokens({"logprob": float("nan")}), [["Hi", BELOW_TOP, []]]),
        (
            of_tokens({"prob": 0.5, "top_probs": [{"token": "Ho", "prob": 0.0}]}),
            [["Hi", math.log(0.5), [["Ho", BELOW_TOP]]]],
        ),
        (of_tokens({"prob": 1}), [["Hi", 0.0, []]]),
        (of_tokens({"logprob": -1, "top_logprobs": {"Hi": -1, "Ho": -2}}), [["Hi", -1, [["Hi", -1], ["Ho", -2]]]]),
        (
            of_tokens({"logprob": -1, "top_logprobs": [{"token": "Ho", "logprob": None}]}),
            [["Hi", -1, [["Ho", BELOW_TOP]]]],
        ),
        (of_tokens({"token": None, "logprob": -1, "bytes": [72, 105]}), [["", -1, []]]),
        (of_tokens({"token": 7, "logprob": -1, "bytes": "7"}), [["7", -1, []]]),
        (
            {"tokens": ["H", "i"], "token_logprobs": [-1, None], "top_logprobs": [{"H": -1}, None]},
            [["H", -1, [["H", -1]]], ["i", BELOW_TOP, []]],
        ),
        ({"tokens": ["Hi"], "token_logprobs": []}, [["Hi", BELOW_TOP, []]]),
    ],
)
def test_odd_log_probabilities(logprobs: Json, meant: list[Any]) -> None:
    """No probability is -9999, never 0; other names and shapes are those of the documentation."""
    for answer in both({"logprobs": logprobs}, {"content": "Hi"}):
        assert answer.text == "Hi"
        assert logprobs_of(answer) == meant
        assert answer.logprobs is not None
        for one in answer.logprobs.content or ():
            assert one.is_below_top is (one.logprob == BELOW_TOP)


CHAT_SHAPE = [
    {"token": "tide", "logprob": -0.25, "bytes": [116], "id": 4, "top_logprobs": [{"token": "t", "logprob": -2}]},
    {"token": "(4", "logprob": None, "bytes": [40], "id": 7},
    {"token": ")", "prob": 1.0, "top_probs": [{"token": ")", "prob": 1.0}]},
]


def test_a_gap_with_the_log_probabilities_of_chat() -> None:
    """llama.cpp: merged into the parallel lists, token by token, streamed or whole; what else they say is kept."""
    choice: Json = {"index": 0, "finish_reason": None}
    folding = TextFold()
    for token in CHAT_SHAPE:
        piece = {"choices": [{**choice, "text": token["token"], "logprobs": {"content": [token]}}]}
        folding.add(text_from_json(to_json(piece)))
    body = {"choices": [{**choice, "text": "tide(4)", "logprobs": {"content": CHAT_SHAPE}}]}
    whole = text_completion_from_json(to_json(body))
    assert folding.completion(done=True) == whole
    assert whole.choices[0].logprobs == TextLogprobs(
        None, (-0.25, None, 0.0), ("tide", "(4", ")"), ({"t": -2}, {}, {")": 0.0}), extra={"content": CHAT_SHAPE}
    )


# -- what nothing can be made of -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        ({"choices": [{"message": {"content": "Half tide", "tool_calls": "f()"}}]}, "$.choices[0].message.tool_calls"),
        ({"choices": [{"message": {"content": "Half tide", "tool_calls": [5]}}]}, "$.choices[0].message.tool_calls[0]"),
        ({"choices": [{"message": {"content": "Half tide"}}, 5]}, "$.choices[1]"),
        ({"choices": [{"message": {"content": "Half tide"}}, {"message": 5}]}, "$.choices[1].message"),
        (
            {"choices": [{"message": {"content": "Half tide", "reasoning_content": 5}}]},
            "$.choices[0].message.reasoning_content",
        ),
    ],
)
def test_what_could_be_read_is_in_the_error(broken: Json, path: str) -> None:
    """The error names the place, and its partial has the text."""
    with pytest.raises(MalformedResponseError) as raised:
        completion_from_json(to_json(broken))
    assert raised.value.path == path
    assert isinstance(raised.value.partial, ChatCompletion)
    assert raised.value.partial.text == "Half tide"
    assert not raised.value.partial.complete


def test_a_gap_that_cannot_be_read_has_its_text_in_the_error() -> None:
    """As for chat."""
    with pytest.raises(MalformedResponseError) as raised:
        text_completion_from_json(to_json({"choices": [{"text": "Half tide"}, {"text": 5}]}))
    assert isinstance(raised.value.partial, TextCompletion)
    assert raised.value.partial.text == "Half tide"


@pytest.mark.parametrize(
    "body",
    [
        [{"id": "a"}, {"id": "b"}],
        {"data": [{"id": "a"}, {"id": "b"}]},
        {"data": [{"id": "a"}, {"name": "b"}]},
        {"models": [{"name": "a"}, {"model": "b"}]},
        {"models": [{"name": "x"}], "data": [{"id": "a"}, {"id": "b"}]},
        ["a", "b"],
        {"data": ["a", {"id": "b"}]},
        {"result": [{"id": "a"}, {"id": "b"}]},
        {"code": 0, "data": {"object": "list", "data": [{"id": "a"}, {"id": "b"}]}},
        {"success": True, "data": ["a", "b"], "message": ""},
        {"object": "list", "data": [{"model": "a", "created": "now"}, {"id": "b", "context_window": "8192"}]},
    ],
)
def test_lists_of_models(body: Any) -> None:
    """Bare, in an object, with names for ids, with odd metadata."""
    assert [model.id for model in models_from_json(to_json(body))] == ["a", "b"]


def test_no_list_of_models_is_no_empty_list() -> None:
    """An object without one is an error; a list without models is none."""
    for body in ({}, {"ok": True}, {"a": {"id": "a"}}):
        with pytest.raises(MalformedResponseError):
            models_from_json(to_json(body))
    for body in ([], {"data": []}, {"data": None, "object": "list"}, {"models": []}):
        assert models_from_json(to_json(body)).data == ()


def test_a_completion_in_a_list_of_one() -> None:
    """Of a gateway that answers to batches."""
    assert completion_from_json(to_json([completion("Hi")])).text == "Hi"


NAMES_IN_IT = st.sampled_from(["index", "text", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES_IN_IT, inner, max_size=2),
    max_leaves=4,
)
METADATA = st.sampled_from(["id", "created", "model", "object", "system_fingerprint", "usage", "service_tier"])
BESIDE = st.sampled_from(["index", "logprobs", "x"])


@given(st.dictionaries(METADATA, JSON), st.dictionaries(BESIDE, JSON))
def test_no_metadata_costs_the_text(head: Json, beside: Json) -> None:
    """Whatever stands there: streamed equals whole, and both are the answer."""
    streamed, whole = both(beside, {"content": "Hi"}, head)
    assert streamed.text == whole.text == "Hi"
    assert streamed == whole or streamed.object != whole.object
    body = {**completion("Hi"), **head}
    assert completion_from_json(to_json(body)).text == "Hi"
