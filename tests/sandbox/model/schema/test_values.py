"""JSON by a schema: what a validator accepts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.sandbox.model import Sampling
from deepseek_async.sandbox.model.tokenizer import EOS

from ....examples import examples
from ..chisquare import surprise

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel, Step

QUESTION = "What is the weather in Zürich and 東京 for 5 days in celsius?"
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}


def write(model: LanguageModel, schema: object, sampling: Sampling = Sampling(), **options: Any) -> list[Step]:  # noqa: B008
    """The steps of a value about the question."""
    context = model.render([("user", options.pop("question", QUESTION))])
    return list(model.generate_json(context, sampling, schema, **options))  # type: ignore[arg-type]


def text_of(model: LanguageModel, steps: list[Step]) -> str:
    """The JSON text, whose end is a step of its own."""
    assert steps[-1].token == EOS
    assert EOS not in [step.token for step in steps[:-1]]
    return model.tokenizer.decode(step.token for step in steps)


def scalars() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of values without parts."""
    low = st.integers(-50, 50)
    return st.one_of(
        st.just({"type": "null"}),
        st.just({"type": "boolean"}),
        st.sampled_from(["法国", 'say "hi"\\n', "a\nb", "", 1, 1.5, None, True, {"deep": [1]}]).map(
            lambda v: {"const": v}
        ),
        st.lists(st.sampled_from(["red", "green", "blue green", "東", 1, 12, 123, -1, 2.5, None]), min_size=1).map(
            lambda values: {"enum": values}
        ),
        st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": a + b}, low, st.integers(0, 40)),
        st.builds(lambda a, b: {"type": "number", "exclusiveMinimum": a, "maximum": a + b}, low, st.integers(1, 9)),
        st.builds(lambda step: {"type": "integer", "multipleOf": step}, st.integers(1, 9)),
        st.sampled_from(["email", "hostname", "ipv4", "ipv6", "uuid", "date", "date-time", "unknown"]).map(
            lambda name: {"type": "string", "format": name}
        ),
        st.sampled_from([r"^[A-Z]{2}\d+$", r"^(?:a|b)+$", r"\d{3}", r'^"\\.$']).map(
            lambda pattern: {"type": "string", "pattern": pattern}
        ),
        st.builds(
            lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
            st.integers(0, 90),
            st.integers(0, 90),
        ),
        st.just({"type": "string", "examples": ["Basel", 5], "default": "Bern"}),
        st.just({"type": ["string", "null"]}),
        st.just({"type": "string"}),
    )


NAMES = st.sampled_from(["a", "b", "city", "größe", 'odd "name"', "d"])


def compounds(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of values with parts."""
    return st.one_of(
        st.builds(
            lambda named, needed, closed: {
                "type": "object",
                "properties": named,
                "required": sorted(set(named) & needed),
                **({"additionalProperties": False} if closed else {}),
            },
            st.dictionaries(NAMES, parts, max_size=4),
            st.sets(NAMES),
            st.booleans(),
        ),
        st.builds(
            lambda item, least, more: {"type": "array", "items": item, "minItems": least, "maxItems": least + more},
            parts,
            st.integers(0, 3),
            st.integers(0, 2),
        ),
        st.builds(lambda one, other: {"anyOf": [one, other]}, parts, parts),
        st.builds(
            lambda leading, rest: {"type": "array", "prefixItems": leading, "items": rest},
            st.lists(parts, min_size=1, max_size=3),
            parts,
        ),
        st.builds(lambda part: {"allOf": [part, {"description": "x"}]}, parts),
        st.builds(lambda part: {"type": "object", "additionalProperties": part, "minProperties": 2}, parts),
    )


SCHEMAS = st.recursive(scalars(), compounds, max_leaves=8)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 1.8]), st.sampled_from([None, 2]))
def test_a_validator_accepts_every_value(
    model: LanguageModel, schema: dict[str, Any], seed: int, temperature: float, indent: int | None
) -> None:
    """Whatever the schema combines, the seed and the temperature."""
    text = text_of(model, write(model, schema, Sampling(temperature, seed=seed), indent=indent))
    jsonschema.validate(json.loads(text), schema)
    if indent is None:
        assert "\n" not in text


SPECIAL: list[dict[str, Any]] = [
    WEATHER,
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["value", "children"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    {
        "$def": {"leaf": {"type": "string"}},
        "anyOf": [{"$ref": "#/$def/leaf"}, {"type": "array", "items": {"$ref": "#"}, "minItems": 1}],
    },
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 3},
    {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}, "uniqueItems": True, "minItems": 2},
    {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 4, "maxItems": 6},
    {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "null"}], "items": False},
    {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2, "maxProperties": 2},
    {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"], "maxProperties": 1},
    {"type": "object", "required": ["unnamed"]},
    {"type": "object", "properties": {}},
    {"type": "object", "maxProperties": 0},
    {"properties": {"n": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1}}, "required": ["n"]},
    {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]},
    {"type": "string", "minLength": 150},
    {"type": "string", "maxLength": 1},
    {"type": "string", "format": "uuid", "maxLength": 36},
    {"type": "object", "properties": {"a": {"properties": {"b": {"properties": {"c": {"properties": {"d": {}}}}}}}}},
    {"const": "\ud800 half a pair"},
    {},
]


@pytest.mark.parametrize("schema", SPECIAL, ids=lambda schema: json.dumps(schema)[:60])
def test_a_validator_accepts_values_of_special_schemas(model: LanguageModel, schema: dict[str, Any]) -> None:
    """Recursion that ends, sets, counts of properties, closed tuples, long and short texts."""
    for seed in range(10):
        text = text_of(model, write(model, schema, Sampling(seed=seed)))
        jsonschema.validate(json.loads(text), schema)


def test_formats_are_those_that_the_schema_names(model: LanguageModel) -> None:
    """By the validator's own checks, where it has them."""
    checker = jsonschema.FormatChecker()
    for name in ("email", "ipv4", "ipv6", "uuid", "date"):
        for seed in range(10):
            schema = {"type": "string", "format": name}
            value = json.loads(text_of(model, write(model, schema, Sampling(seed=seed))))
            jsonschema.validate(value, schema, format_checker=checker)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}, "required": ["a"]},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "number", "minimum": "low"},
        {"type": "string", "pattern": "("},
        {"type": "unheard-of"},
        {"type": "object", "properties": {"self": {"$ref": "#"}}, "required": ["self"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 3},
        {"enum": []},
        {"anyOf": []},
        {"properties": 5, "required": 6},
        {"type": []},
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_met_still_gives_json(model: LanguageModel, schema: dict[str, Any]) -> None:
    """Like a model: it writes something, and it is JSON, and it ends."""
    json.loads(text_of(model, write(model, schema)))


def test_optional_properties_come_and_go(model: LanguageModel) -> None:
    """In the order of the schema; each sometimes there and sometimes not."""
    schema = {"type": "object", "properties": {name: {"type": "boolean"} for name in "abc"}, "required": ["b"]}
    seen = Counter(tuple(json.loads(text_of(model, write(model, schema, Sampling(seed=seed))))) for seed in range(80))
    assert set(seen) == {("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")}


def test_values_that_the_prompt_names_are_preferred(model: LanguageModel) -> None:
    """Greedily all of them; drawn, mostly."""
    assert json.loads(text_of(model, write(model, WEATHER, Sampling(0.0)))) == {
        "city": "Zürich",
        "unit": "celsius",
        "days": 5,
    }
    values = [json.loads(text_of(model, write(model, WEATHER, Sampling(seed=seed)))) for seed in range(60)]
    assert sum(value["unit"] == "celsius" for value in values) > 40
    assert sum(value["days"] == 5 for value in values) > 15
    assert any("東京" in value["city"] for value in values)
    assert len({value["city"] for value in values}) > 5


def test_an_answer_in_json_mode_has_the_shape_that_the_prompt_shows(model: LanguageModel) -> None:
    """An object, on several lines; the keys of the example; varied by the seed."""
    question = 'Reply in JSON, like {"title": "Moby Dick", "pages": 635, "tags": ["sea"], "lent": false}. About 鯨?'
    texts = [text_of(model, write(model, None, Sampling(seed=seed), question=question)) for seed in range(20)]
    for text in texts:
        value = json.loads(text)
        assert list(value) == ["title", "pages", "tags", "lent"]
        assert isinstance(value["title"], str)
        assert type(value["pages"]) is int
        assert isinstance(value["tags"], list)
        assert type(value["lent"]) is bool
        assert text.startswith('{\n  "title": ')
    assert len(set(texts)) > 10


@pytest.mark.parametrize("sampling", [Sampling(seed=3), Sampling(0.0), Sampling(0.7, 0.9, 0.5, seed=3)])
@pytest.mark.parametrize("schema", [None, WEATHER])
def test_json_cut_anywhere_goes_on_as_it_would_have(
    model: LanguageModel, schema: dict[str, Any] | None, sampling: Sampling
) -> None:
    """Every beginning of the text is continued to the same whole."""
    whole = text_of(model, write(model, schema, sampling))
    for cut in range(0, len(whole) + 1, 1 if sampling.temperature == 1.0 else 5):
        rest = write(model, schema, sampling, prefix=whole[:cut])
        assert whole[:cut] + text_of(model, rest) == whole


def test_json_after_a_prefix_of_the_callers_own(model: LanguageModel) -> None:
    """A code fence, for instance, is followed by a whole value, which goes on when it comes back in part."""
    whole = text_of(model, write(model, WEATHER, prefix="```json\n"))
    json.loads(whole)
    for cut in range(0, len(whole), 3):
        rest = text_of(model, write(model, WEATHER, prefix="```json\n" + whole[:cut]))
        assert whole[:cut] + rest == whole


def test_each_token_is_certain(model: LanguageModel) -> None:
    """The value was drawn before it was spelled, and the steps say so."""
    for step in write(model, WEATHER, Sampling(seed=1)):
        assert step == type(step)(step.token, 0.0, ((step.token, 0.0),))


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.9, 1.0), (1.0, 0.7)])
def test_choices_follow_temperature_and_nucleus(model: LanguageModel, temperature: float, top_p: float) -> None:
    """Of three values, of which the prompt names one: by chi-square, against the page's definitions."""
    schema = {"enum": ["celsius", "celestial", "kelvin"]}
    weights = {name: (8.0 if name == "celsius" else 1.0) ** (1.0 / temperature) for name in schema["enum"]}
    kept = {"celsius"} if top_p == 0.7 else set(weights)
    total = sum(weights[name] for name in kept)
    drawn = [
        json.loads(text_of(model, write(model, schema, Sampling(temperature, top_p, seed=seed))))
        for seed in range(2000)
    ]
    assert set(drawn) == kept
    expected = {place: weights[name] / total for place, name in enumerate(sorted(kept))}
    assert surprise([sorted(kept).index(name) for name in drawn], expected) < 4.8


def test_without_logprobs_the_json_is_the_same(model: LanguageModel) -> None:
    """And its steps are bare."""
    full = write(model, WEATHER, Sampling(seed=8))
    bare = write(model, WEATHER, Sampling(seed=8), logprobs=False)
    assert [step.token for step in bare] == [step.token for step in full]
    assert all(step.top == () and step.logprob == 0.0 for step in bare)


@pytest.mark.parametrize(
    ("schema", "examples"),
    [
        ({"type": "string", "examples": ["Basel", "Chur", 5]}, {"Basel", "Chur"}),
        ({"type": "string", "default": "Bern", "maxLength": 9}, {"Bern"}),
        ({"type": "string", "format": "hostname", "examples": ["intra.example"]}, {"intra.example"}),
        ({"type": "integer", "examples": [77, 1.5, True], "maximum": 78}, {77}),
        ({"type": "number", "default": 0.125}, {0.125}),
    ],
)
def test_the_schemas_own_examples_are_offered(
    model: LanguageModel, schema: dict[str, Any], examples: set[object]
) -> None:
    """Among other values, and only those that fit."""
    values = [json.loads(text_of(model, write(model, schema, Sampling(seed=seed)))) for seed in range(80)]
    assert examples <= set(values)
    assert set(values) - examples
    for value in values:
        jsonschema.validate(value, schema)


def test_more_keys_than_there_are_names_for(model: LanguageModel) -> None:
    """Keys are made up until there are enough."""
    value = json.loads(text_of(model, write(model, {"type": "object", "minProperties": 6})))
    assert len(value) == 6


def test_greedy_json_does_not_depend_on_the_seed(model: LanguageModel) -> None:
    """Also not where several texts are thought of first."""
    schema = {
        "type": "object",
        "properties": {"id": {"format": "uuid"}, "n": {"type": "number"}},
        "required": ["id", "n"],
    }
    assert len({text_of(model, write(model, schema, Sampling(0.0, seed=seed))) for seed in range(5)}) == 1
