"""Answers as classes, next to others: ``python -m benchmarks.classes ours|instructor|pydantic_ai``.

Ten classes, each asked for so often from the sandbox, at most three attempts each, without thinking; what is counted is
how many values came, and how many requests they took. Each contestant runs in an environment of its own (instructor and
pydantic-ai do not go together), which needs this package's dependencies besides:

    pip install "instructor==1.17.*"            # or "pydantic-ai-slim[openai]==2.68.*"
    pip install attrs cattrs aiohttp anyio msgspec pydantic
"""

from __future__ import annotations

import argparse
import asyncio
import enum
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from deepseek_async.sandbox import SandboxServer

MODEL: Final = "deepseek-flash"
ATTEMPTS: Final = 3
MAX_TOKENS: Final = 4000

Ask = Callable[[Any, str], Awaitable[Any]]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Priority(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Invoice(BaseModel):
    number: str
    issued: date
    total: Decimal = Field(ge=0)


class Meeting(BaseModel):
    begins: datetime
    length: timedelta
    daily_at: time | None = None


class Ticket(BaseModel):
    id: UUID
    priority: Priority
    colour: Colour


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float = Field(gt=0)


class Square(BaseModel):
    kind: Literal["square"]
    side: float = Field(gt=0)


class Drawing(BaseModel):
    figures: list[Circle | Square]


class Tree(BaseModel):
    name: str
    branches: list[Tree] = []


class Stock(BaseModel):
    amounts: dict[str, int]
    prices: dict[Colour, Decimal]


class Route(BaseModel):
    points: list[tuple[float, float]] = Field(min_length=1)
    by: Literal["car", "train"]


class Person(BaseModel):
    name: str = Field(min_length=1, max_length=40)
    age: int = Field(ge=0, le=150)
    born: date | None = None
    tags: set[str] = set()


class Either(BaseModel):
    answer: int | str | None
    sure: bool


class Flight(BaseModel):
    code: str = Field(pattern="^[A-Z]{2}[0-9]{3}$")
    departs: datetime
    seats: list[Priority]


CLASSES: Final = (Invoice, Meeting, Ticket, Drawing, Tree, Stock, Route, Person, Either, Flight)


@asynccontextmanager
async def ours(base_url: str) -> AsyncIterator[Ask]:
    """This package's `parse`."""
    from deepseek_async import AsyncClient, UserMessage

    async with AsyncClient(base_url=base_url) as client:

        async def ask(wanted: Any, question: str) -> Any:
            result = await client.chat.completions.parse(
                response_type=wanted, model=MODEL, messages=[UserMessage(question)], attempts=ATTEMPTS,
                thinking={"type": "disabled"}, max_tokens=MAX_TOKENS,
            )  # fmt: skip
            return result.parsed

        yield ask


@asynccontextmanager
async def instructor(base_url: str) -> AsyncIterator[Ask]:
    """instructor in its default mode, tools."""
    import instructor as library
    import openai

    client = library.from_openai(openai.AsyncOpenAI(api_key="sk-0", base_url=base_url))

    async def ask(wanted: Any, question: str) -> Any:
        return await client.chat.completions.create(
            response_model=wanted, model=MODEL, messages=[{"role": "user", "content": question}],
            max_retries=ATTEMPTS - 1, max_tokens=MAX_TOKENS, extra_body={"thinking": {"type": "disabled"}},
        )  # fmt: skip

    yield ask


@asynccontextmanager
async def pydantic_ai(base_url: str) -> AsyncIterator[Ask]:
    """pydantic-ai by its DeepSeek provider, prompted: its tools are not forced upon a model of DeepSeek's, which the
    sandbox's then answers in words."""
    import openai
    from pydantic_ai import Agent, PromptedOutput
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
    from pydantic_ai.providers.deepseek import DeepSeekProvider

    client = openai.AsyncOpenAI(api_key="sk-0", base_url=base_url)
    model = OpenAIChatModel(MODEL, provider=DeepSeekProvider(openai_client=client))
    settings = OpenAIChatModelSettings(max_tokens=MAX_TOKENS, extra_body={"thinking": {"type": "disabled"}})

    async def ask(wanted: Any, question: str) -> Any:
        agent = Agent(model, output_type=PromptedOutput(wanted), model_settings=settings, retries=ATTEMPTS - 1)
        return (await agent.run(question)).output

    yield ask


CONTESTANTS: Final = {"ours": ours, "instructor": instructor, "pydantic_ai": pydantic_ai}


async def measure(name: str, tries: int) -> dict[str, tuple[int, int]]:
    """For each class how many values came, and how many requests were made for all tries."""
    figures: dict[str, tuple[int, int]] = {}
    async with SandboxServer(seed=7) as server, CONTESTANTS[name](server.base_url) as ask:
        for wanted in CLASSES:
            before, came = len(server.requests), 0
            for number in range(tries):
                try:
                    value = await ask(wanted, f"Invent number {number}: a {wanted.__name__.lower()}.")
                except Exception as error:  # whatever a contestant raises counts as no value
                    print(f"{wanted.__name__}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
                else:
                    came += isinstance(value, wanted)
            figures[wanted.__name__] = (came, len(server.requests) - before)
    return figures


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contestant", choices=sorted(CONTESTANTS))
    parser.add_argument("--tries", type=int, default=20)
    given = parser.parse_args()
    figures = asyncio.run(measure(given.contestant, given.tries))
    values, requests = (sum(each) for each in zip(*figures.values(), strict=True))
    print(json.dumps({"classes": figures, "values": values, "requests": requests, "tries": given.tries * len(CLASSES)}))


if __name__ == "__main__":
    main()
