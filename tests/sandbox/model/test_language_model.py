"""Answers of the model: true to what they report, repeatable, resumable, always text."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.sandbox.model import UNLIKELY, LanguageModel, Sampling
from deepseek_async.sandbox.model.cache import path_in
from deepseek_async.sandbox.model.corpus import documents
from deepseek_async.sandbox.model.ngram import count_ngrams
from deepseek_async.sandbox.model.tokenizer import (
    BOS,
    EOS,
    Tokenizer,
    learn_pieces,
)

from .chisquare import surprise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deepseek_async.sandbox.model import Step

QUESTION = "What is the capital of 法国, and how do I open a socket to 東京 or Zürich? 👋🏽"
SETTINGS = [
    Sampling(),
    Sampling(temperature=0.7),
    Sampling(temperature=1.4, top_p=0.95),
    Sampling(top_p=0.8),
    Sampling(temperature=0.0),
    Sampling(frequency_penalty=0.7, presence_penalty=0.3),
    Sampling(temperature=0.0, frequency_penalty=1.0),
    Sampling(frequency_penalty=-1.0, min_tokens=60),
]


def ask(model: LanguageModel, text: str, *, thinking: bool = False) -> list[int]:
    """The prompt of a single question."""
    return model.render([("user", text)], thinking=thinking)


def take(steps: Iterator[Step], most: int = 150) -> list[Step]:
    """An answer, at most so many steps of it."""
    return list(islice(steps, most))


def text_of(model: LanguageModel, steps: list[Step]) -> str:
    """The text of an answer."""
    return model.tokenizer.decode(step.token for step in steps)


# What is reported is what is drawn from.


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=0.7), Sampling(top_p=0.8)])
def test_tokens_are_drawn_from_the_reported_distribution(model: LanguageModel, sampling: Sampling) -> None:
    """20,000 seeds, one place: the drawn tokens against the reported probabilities, by chi-square."""
    context = ask(model, QUESTION)
    reported = {token: math.exp(logprob) for token, logprob in next(model.generate(context, sampling)).top}
    drawn = []
    for seed in range(20_000):
        settings_ = Sampling(sampling.temperature, sampling.top_p, seed=seed)
        drawn.append(next(model.generate(context, settings_, logprobs=False)).token)
    assert len(reported) == 20 or sum(reported.values()) == pytest.approx(1.0)
    assert surprise(drawn, reported) < 4.8


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(frequency_penalty=0.8, presence_penalty=0.4),
        Sampling(temperature=0.8, top_p=0.9, frequency_penalty=-0.5),
    ],
)
def test_whole_answers_are_drawn_from_the_reported_distributions(model: LanguageModel, sampling: Sampling) -> None:
    """4,000 tokens at as many places: how often the first, second, … of the list was drawn, by chi-square."""
    ranks: list[int] = []
    expected = dict.fromkeys(range(20), 0.0)
    seed = 0
    while len(ranks) < 4_000:
        seed += 1
        settings_ = Sampling(
            sampling.temperature, sampling.top_p, sampling.frequency_penalty, sampling.presence_penalty, seed, 50
        )
        for step in take(model.generate(ask(model, f"{QUESTION} {seed % 7}"), settings_), 70):
            order = [token for token, _ in step.top]
            ranks.append(order.index(step.token) if step.token in order else 99)
            for rank, (_, logprob) in enumerate(step.top):
                expected[rank] += math.exp(logprob)
    assert surprise(ranks, {rank: mass / len(ranks) for rank, mass in expected.items()}) < 4.8


@pytest.mark.parametrize("sampling", SETTINGS)
def test_the_reported_list_is_in_order_and_holds_the_token_or_not(model: LanguageModel, sampling: Sampling) -> None:
    """At most 20, falling, no token twice, together at most one; -9999.0 for a token that is not among them."""
    seen_unlikely = 0
    for step in take(model.generate(ask(model, QUESTION), sampling)):
        logprobs = [logprob for _, logprob in step.top]
        assert logprobs == sorted(logprobs, reverse=True)
        assert 1 <= len(step.top) == len({token for token, _ in step.top}) <= 20
        assert sum(map(math.exp, logprobs)) <= 1.0 + 1e-9
        assert step.logprob == dict(step.top).get(step.token, UNLIKELY)
        seen_unlikely += step.logprob == UNLIKELY
    if sampling.temperature == 0.0:
        assert not seen_unlikely
    elif sampling == Sampling():
        assert seen_unlikely


def test_greedy_takes_the_most_likely_whatever_the_seed(model: LanguageModel) -> None:
    """Temperature 0 is deterministic and reports the probabilities it chose by."""
    context = ask(model, QUESTION)
    answers = [take(model.generate(context, Sampling(0.0, seed=seed))) for seed in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert all(step.token == step.top[0][0] for step in answers[0])
    assert any(len(step.top) == 20 and step.logprob < -0.1 for step in answers[0])


def test_a_lower_temperature_is_surer(model: LanguageModel) -> None:
    """The most likely token's probability rises as the temperature falls."""
    context = ask(model, QUESTION)
    best = [next(model.generate(context, Sampling(temperature))).top[0][1] for temperature in (1.8, 1.0, 0.5, 0.1)]
    assert best == sorted(best)
    assert best[0] < best[-1]


def test_the_nucleus_excludes_the_unlikely(model: LanguageModel) -> None:
    """With a small top_p few tokens remain, and they carry all of the mass."""
    step = next(model.generate(ask(model, QUESTION), Sampling(top_p=0.3)))
    assert 1 <= len(step.top) < 20
    assert sum(math.exp(logprob) for _, logprob in step.top) == pytest.approx(1.0)


def test_penalties_lower_what_is_there_already(model: LanguageModel) -> None:
    """By the penalty for each time, and once: in log probability, before normalising."""
    context, encode, shown = ask(model, "Tell me of lists"), model.tokenizer.encode, model.tokenizer.token_text
    likely = next(model.generate(context, prefix="Of the name of the")).top
    once, twice = [token for token, _ in likely if shown(token)[0] == " " and shown(token)[1:].isalpha()][2:4]
    prefix = f"So{shown(once)}{shown(twice)} or{shown(twice)}. Of the name of the"
    plain, fined = (
        dict(next(model.generate(context, Sampling(frequency_penalty=f, presence_penalty=p), prefix=prefix)).top)
        for f, p in ((0.0, 0.0), (0.2, 0.1))
    )
    untouched = [token for token in plain if token in fined and token not in encode(prefix)]
    shift = fined[untouched[0]] - plain[untouched[0]]
    assert all(fined[token] - plain[token] == pytest.approx(shift) for token in untouched)
    assert fined[once] - plain[once] == pytest.approx(shift - 0.2 - 0.1)
    assert fined[twice] - plain[twice] == pytest.approx(shift - 2 * 0.2 - 0.1)


def test_without_logprobs_the_tokens_are_the_same(model: LanguageModel) -> None:
    """Not working out the probabilities changes nothing else."""
    for sampling in SETTINGS:
        context = ask(model, QUESTION)
        full = take(model.generate(context, sampling))
        bare = take(model.generate(context, sampling, logprobs=False))
        assert [step.token for step in bare] == [step.token for step in full]
        assert all(step.top == () and step.logprob == 0.0 for step in bare)


# Repeatable.


def test_the_answer_depends_on_seed_prompt_and_sampling(model: LanguageModel) -> None:
    """The same three give the same answer; another seed or another prompt another one."""
    context = ask(model, QUESTION)
    first = take(model.generate(context, Sampling(seed=1)))
    assert take(model.generate(context, Sampling(seed=1))) == first
    assert take(model.generate(context, Sampling(seed=2))) != first
    assert take(model.generate(ask(model, QUESTION + " Really?"), Sampling(seed=1))) != first


def test_without_a_seed_the_caller_gives_one(model: LanguageModel) -> None:
    """`rng` is asked once; without it the seed is 0; a seed of the request wins."""
    context = ask(model, QUESTION)
    seed = random.Random(5).getrandbits(64)
    assert take(model.generate(context, rng=random.Random(5))) == take(model.generate(context, Sampling(seed=seed)))
    assert take(model.generate(context)) == take(model.generate(context, Sampling(seed=0)))
    assert take(model.generate(context, Sampling(seed=3), rng=random.Random(5))) == take(
        model.generate(context, Sampling(seed=3))
    )


def test_answers_at_the_same_time_do_not_disturb_each_other(model: LanguageModel) -> None:
    """What one answer leaves in the caches is not felt by another: interleaved or alone, they are the same."""
    contexts = [ask(model, f"{QUESTION} {n}") for n in range(40)]  # more prompts than are remembered
    together = [model.generate(context, Sampling(seed=9)) for context in contexts]
    woven: list[list[Step]] = [[] for _ in contexts]
    for _ in range(20):
        for steps, taken in zip(together, woven, strict=True):
            taken += take(steps, 1)
    assert woven == [take(model.generate(context, Sampling(seed=9)), 20) for context in contexts]


def test_another_process_gives_the_same_answer(model: LanguageModel, tmp_path: Path) -> None:
    """Neither the order of a set nor the hash of a string plays a part, and the cache holds the same model."""
    program = (
        "import sys, pathlib; from deepseek_async.sandbox.model import load_model, Sampling;"
        "model = load_model(pathlib.Path(sys.argv[1]));"
        "steps = model.generate(model.render([('user', sys.argv[2])]), Sampling(0.9, 0.95, 0.2, seed=11));"
        "print(model.fingerprint, [(step.token, step.logprob, step.top) for step, _ in zip(steps, range(60))])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), QUESTION],
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    ]
    assert path_in(tmp_path, documents()).exists()
    steps = take(model.generate(ask(model, QUESTION), Sampling(0.9, 0.95, 0.2, seed=11)), 60)
    expected = f"{model.fingerprint} {[(step.token, step.logprob, step.top) for step in steps]}\n"
    assert outputs == [expected, expected]


def test_a_model_of_fixed_text_answers_the_same_on_every_python() -> None:
    """The algorithm has no part that differs between versions or platforms: one answer, written down."""
    text = ["The cat sat on the mat. The cat ran to the door. A dog sat on the cat and the mat."] * 6
    tokenizer = Tokenizer(learn_pieces(text))
    model = LanguageModel(tokenizer, count_ngrams(tokenizer, text))
    context = model.render([("user", "Is the 猫 on the mat?")])
    answers = {
        name: text_of(model, take(model.generate(context, sampling), 30))
        for name, sampling in {
            "plain": Sampling(seed=4),
            "warm": Sampling(1.3, 0.9, seed=4),
            "fined": Sampling(frequency_penalty=0.5, seed=4),
            "greedy": Sampling(0.0),
        }.items()
    }
    assert answers == {
        "plain": "The cat sat on the mat. The cat ran to the 猫The cat sat on the mat. A dog sat on the cat and the"
        " mat",
        "warm": "The cat sat on the cat and the mat. The cat ran to the door. A dog sat on the mat. The cat sat on the"
        " cat",
        "fined": "The cat sat on the mat. The cat ran to the door. The cat ran to the 猫 on the mat. A dog sat on the",
        "greedy": "The cat sat on the mat. The cat ran to the door. A dog sat on the cat and the mat. The cat ran to"
        " the mat",
    }


def test_the_same_seed_gives_the_same_text_on_every_python(model: LanguageModel) -> None:
    """The text that the model learns from ships with the package: change it, or the algorithm, and this changes."""
    assert model.fingerprint == "fp_6b4ee75f"
    texts = [
        text_of(model, take(model.generate(ask(model, "Why is the sky blue?"), Sampling(seed=seed)), 20))
        for seed in (1, 2)
    ]
    schema = {
        "type": "object",
        "properties": {"n": {"type": "number"}, "at": {"format": "date-time"}},
        "required": ["n", "at"],
    }
    steps = model.generate_json(ask(model, "When?"), Sampling(seed=1), schema)
    assert [*texts, text_of(model, [*steps])] == [
        "blue and the answer, another attempt nothing blue is the sky blue a message is known tokens have blue",
        "The row is passed over only where, and blue light together lookA client nor the event stream,",
        '{"n": 81.45, "at": "2017-12-20T20:35:01Z"}',
    ]


# Resumable.


def rest_of(model: LanguageModel, context: list[int], sampling: Sampling, prefix: str) -> list[Step]:
    """The answer after a prefix."""
    return take(model.generate(context, sampling, prefix=prefix), 120)


@pytest.mark.parametrize("sampling", SETTINGS)
@pytest.mark.parametrize("thinking", [False, True])
def test_an_answer_cut_anywhere_goes_on_as_it_would_have(
    model: LanguageModel, sampling: Sampling, thinking: bool
) -> None:
    """Every beginning of an answer's text, also one that ends inside a token, is continued to the same whole."""
    context = ask(model, QUESTION, thinking=thinking)
    steps = take(model.generate(context, sampling), 100)
    whole = text_of(model, steps).rstrip("\ufffd")  # 100 tokens may end inside a character
    for cut in range(0, min(len(whole), 120), 1 if sampling == Sampling() else 17):
        rest = rest_of(model, context, sampling, whole[:cut])
        continued = whole[:cut] + text_of(model, rest)
        assert continued.startswith(whole) if len(steps) == 100 else continued == whole


def test_after_the_cut_token_the_steps_are_the_same(model: LanguageModel) -> None:
    """Tokens, log probabilities and alternatives; only the rest of the token that was cut in two is a forced step."""
    context, sampling = ask(model, QUESTION), Sampling(seed=6)
    steps = take(model.generate(context, sampling))
    text = ""
    for place, step in enumerate(steps[:60]):
        data = model.tokenizer.token_bytes(step.token)
        if data is None or not data.isascii():
            break
        if len(data) > 2:
            rest = rest_of(model, context, sampling, text + data[:2].decode())
            size = model.tokenizer.count(data[2:].decode())
            assert rest[size : size + 5] == steps[place + 1 : place + 6]
            assert all(step.logprob == 0.0 and step.top == ((step.token, 0.0),) for step in rest[:size])
        text += data.decode()
    assert text


def test_a_whole_answer_as_prefix_only_ends(model: LanguageModel) -> None:
    """What has been said to the end needs the end and nothing more."""
    context, sampling = ask(model, "Repeat after me: good bye"), Sampling(0.0)
    whole = text_of(model, take(model.generate(context, sampling)))
    assert [step.token for step in rest_of(model, context, sampling, whole)] == [EOS]


@pytest.mark.parametrize(
    "prefix", ["```python\n", "Zürich is", "法", "The answer is 4", "\n", "No such beginn", "法国 " * 20]
)
@pytest.mark.parametrize("sampling", [Sampling(seed=1), Sampling(0.0), Sampling(1.3, 0.9, 0.5, seed=2)])
def test_a_prefix_of_the_callers_own_is_continued(model: LanguageModel, prefix: str, sampling: Sampling) -> None:
    """What the model would not have said conditions what it says; and that continuation, cut anywhere, goes on too."""
    context = ask(model, QUESTION)
    whole = text_of(model, take(model.generate(context, sampling, prefix=prefix), 30)).rstrip("\ufffd")
    assert whole
    for cut in range(0, min(len(whole), 60), 19):
        rest = text_of(model, take(model.generate(context, sampling, prefix=prefix + whole[:cut]), 40))
        assert (whole[:cut] + rest).startswith(whole)


# Always text, about the prompt.


@settings(max_examples=60)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("法国の東 👍🏽éü?。", max_size=20),
    st.sampled_from([0.0, 0.7, 1.0, 2.0]),
    st.integers(0, 10**6),
)
def test_every_answer_is_valid_utf8(model: LanguageModel, text: str, temperature: float, seed: int) -> None:
    """Whatever the prompt holds and however hot the sampling: bytes of a character follow each other."""
    steps = take(model.generate(ask(model, text), Sampling(temperature, seed=seed), logprobs=False), 60)
    data = model.tokenizer.decode_bytes(step.token for step in steps)
    if steps[-1].token == EOS:
        data.decode("utf-8")
    else:
        assert "\ufffd" not in data.decode("utf-8", "ignore")
        assert len(data) - len(data.decode("utf-8", "ignore").encode()) < 4


def test_inside_a_character_only_its_bytes_are_offered(model: LanguageModel) -> None:
    """After a lead byte every alternative is a continuation byte, and the prompt's is the likely one."""
    context = ask(model, "What does 👋 mean?")
    answer = take(model.generate(context, Sampling(0.0)), 12)
    data = model.tokenizer.decode_bytes(step.token for step in answer)
    assert data.startswith("👋".encode())
    for step in answer[1:4]:
        assert all(0x80 <= token < 0xC0 for token, _ in step.top)
        assert step.logprob > math.log(0.5)
    assert len(answer[1].top) == 20


def test_characters_that_are_tokens_are_copied_as_such(model: LanguageModel) -> None:
    """A Chinese word of the prompt's is one token, whole."""
    answer = take(model.generate(ask(model, "What does 法国 mean?"), Sampling(0.0)), 1)
    assert text_of(model, answer) == "法国"


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Repeat after me: hello 世界 👋🏽!", "hello 世界 👋🏽!"),
        ("Repeat hello 世界 👋🏽!", "hello 世界 👋🏽"),
        ('Say: "Hello, Ada."', "Hello, Ada."),
        ("Say: It's 5 o'clock.\n\n- one\n- two\n", "It's 5 o'clock.\n\n- one\n- two"),
        ("Please say 'Grüezi mitenand'.", "Grüezi mitenand"),
        ("Echo exactly: x = {1: 'a'}", "x = {1: 'a'}"),
        ("Answer with just the word pong", "pong"),
    ],
)
def test_asked_to_repeat_it_repeats(model: LanguageModel, prompt: str, answer: str) -> None:
    """Greedily word for word, then the end."""
    steps = take(model.generate(ask(model, prompt), Sampling(0.0)))
    assert text_of(model, steps) == answer
    assert steps[-1].token == EOS


def test_answers_take_up_the_words_of_the_prompt(model: LanguageModel) -> None:
    """Most answers name something that the question names; characters outside ASCII among it."""
    answers = [
        text_of(model, take(model.generate(ask(model, "What is the capital of 法国?"), Sampling(seed=seed))))
        for seed in range(60)
    ]
    assert sum("法国" in answer for answer in answers) > 20
    assert sum("capital" in answer for answer in answers) > 20


def test_without_a_prompt_there_is_an_answer(model: LanguageModel) -> None:
    """An empty message, and no context at all."""
    assert text_of(model, take(model.generate(ask(model, ""), Sampling(seed=1))))
    assert text_of(model, take(model.generate([], Sampling(seed=1))))


def test_a_text_goes_on_after_its_last_words(model: LanguageModel) -> None:
    """A context without a special token at its end is continued, as filling in the middle needs it."""
    context = [BOS, *model.tokenizer.encode("To sort a list means")]
    step = next(model.generate(context, Sampling(0.0)))
    assert model.tokenizer.token_text(step.token).startswith(" ")


# Where an answer ends.


def test_answers_end_by_themselves(model: LanguageModel) -> None:
    """With the end as the last step, after a sentence, and within reasonable length; greedily too."""
    for sampling in (*(Sampling(seed=seed) for seed in range(20)), Sampling(0.0), Sampling(temperature=1.5)):
        steps = list(model.generate(ask(model, "How are lists sorted?"), sampling, logprobs=False))
        assert steps[-1].token == EOS
        assert EOS not in [step.token for step in steps[:-1]]
        assert 1 < len(steps) < 700


def test_an_answer_does_not_go_in_circles(model: LanguageModel) -> None:
    """Greedy text of a small n-gram model would loop; no long stretch of it comes twice in a row."""
    steps = take(model.generate(ask(model, "Go on and on"), Sampling(0.0, min_tokens=400), logprobs=False), 400)
    tokens = [step.token for step in steps]
    for period in range(1, 40):
        repeats = sum(tokens[n] == tokens[n + period] for n in range(300, 400 - period))
        assert repeats < 0.9 * (100 - period), period


def test_min_tokens_holds_the_end_back(model: LanguageModel) -> None:
    """The end is not even among the alternatives before, and still comes after."""
    sampling = Sampling(seed=2, min_tokens=80)
    steps = list(model.generate(ask(model, "Repeat: pong"), sampling))
    assert len(steps) > 80
    assert all(EOS not in dict(step.top) for step in steps[:80])


def test_begin_names_another_text_to_copy_from(model: LanguageModel) -> None:
    """As filling in the middle needs it for its suffix."""
    context = ask(model, "What?")
    begin = model.tokenizer.encode("Repeat: Kasimir")
    assert text_of(model, take(model.generate(context, Sampling(0.0), begin=begin))) == "Kasimir"


def test_the_model_shows_no_text_in_its_repr(model: LanguageModel) -> None:
    """Which model it is, and how large."""
    assert repr(model) == f"<LanguageModel {model.fingerprint}, {len(model.tokenizer)} tokens>"


def test_a_token_costs_microseconds(model: LanguageModel) -> None:
    """20,000 tokens a second leave 50 µs each; a generous bound, to notice what is out by a whole order."""
    contexts = [ask(model, f"How do I open socket number {n}?") for n in range(50)]
    began = time.process_time()
    for context in contexts:
        take(model.generate(context, Sampling(seed=1, min_tokens=40), logprobs=False), 40)
    assert (time.process_time() - began) / (50 * 40) < 300e-6
