"""Prices are those of the page, exact, and by the answer's own time."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from deepseek_async import Budget
from deepseek_async.errors import InvalidRequestError
from deepseek_async.types import ChatCompletion, Usage
from deepseek_async.types.prices import PRICE_LISTS, Price, cost_of, is_peak, next_off_peak, price_of

MONDAY = date(2026, 11, 23)
USAGE = Usage(1_000_000, 1_000_000, 2_000_000)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (0, 59, False),
        (1, 0, True),
        (3, 59, True),
        (4, 0, False),
        (5, 59, False),
        (6, 0, True),
        (9, 59, True),
        (10, 0, False),
    ],
)
def test_peak_windows_of_a_weekday(hour: int, minute: int, expected: bool) -> None:
    """A window holds its begin and not its end."""
    assert is_peak(at(MONDAY, hour, minute)) is expected


def test_weekends_and_holidays_have_no_peak() -> None:
    """Saturday, Sunday and the holidays that are given."""
    assert not is_peak(at(MONDAY - timedelta(days=1), 2))
    assert not is_peak(at(MONDAY - timedelta(days=2), 2))
    assert not is_peak(at(MONDAY, 2), holidays={MONDAY})


def test_other_time_zones_are_the_same_moment() -> None:
    """09:30 in China is 01:30 UTC: peak."""
    assert is_peak(datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=8))))
    with pytest.raises(InvalidRequestError, match="time zone"):
        is_peak(datetime(2026, 11, 23, 9, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("model", "currency", "hour", "expected"),
    [
        ("deepseek-flash", "USD", 12, "0.15300"),
        ("deepseek-flash", "USD", 2, "0.30600"),
        ("deepseek-v4-pro", "USD", 12, "0.68200"),
        ("deepseek-v4-pro", "CNY", 2, "9.3000"),
        ("deepseek-v4-flash", "CNY", 12, "1.020"),
    ],
)
def test_the_table_of_the_page(model: str, currency: str, hour: int, expected: str) -> None:
    """A million hits and a million misses, by model, currency and hour."""
    price = price_of(model, at(MONDAY, hour), currency=currency)
    assert price is not None
    assert price.cache_hit + price.cache_miss == Decimal(expected)


def test_a_cost_is_exact() -> None:
    """Hits, misses and output are priced apart, without rounding."""
    usage = Usage(1000, 100, 1100, prompt_cache_hit_tokens=640, prompt_cache_miss_tokens=360)
    expected = (Decimal("0.003") * 640 + Decimal("0.15") * 360 + Decimal("0.60") * 100) / 1_000_000
    assert cost_of(usage, "deepseek-flash", at(MONDAY, 12)) == expected
    assert cost_of(usage, "deepseek-flash", at(MONDAY, 2)) == 2 * expected


def test_tokens_of_unknown_place_are_misses_and_unknown_models_have_no_price() -> None:
    """Never less than it costs, and nothing invented."""
    assert cost_of(Usage(10, 0, 10), "deepseek-flash", at(MONDAY, 12)) == Decimal("0.0000015")
    assert cost_of(Usage(10, 0, 10), "local-model", at(MONDAY, 12)) is None
    with pytest.raises(InvalidRequestError, match="'CNY' or 'USD'"):
        price_of("deepseek-flash", at(MONDAY, 12), currency="EUR")


def test_the_next_window_off_peak() -> None:
    """Inside a window it is the present one; in a peak, the next; the margin narrows both ends."""
    assert next_off_peak(at(MONDAY, 5)) == (at(MONDAY, 5), at(MONDAY, 6))
    assert next_off_peak(at(MONDAY, 2)) == (at(MONDAY, 4), at(MONDAY, 6))
    margin = timedelta(minutes=10)
    assert next_off_peak(at(MONDAY, 2), margin=margin) == (at(MONDAY, 4, 10), at(MONDAY, 5, 50))
    assert next_off_peak(at(MONDAY, 5, 55), margin=margin) == (
        at(MONDAY, 10, 10),
        at(MONDAY, 24 - 1, 0) + timedelta(minutes=110),
    )
    friday = MONDAY + timedelta(days=4)
    assert next_off_peak(at(friday, 12)) == (at(friday, 12), at(friday + timedelta(days=3), 1))
    assert next_off_peak(at(MONDAY, 2), holidays={MONDAY}) == (at(MONDAY, 2), at(MONDAY + timedelta(days=1), 1))
    with pytest.raises(InvalidRequestError, match="less than 1 hour"):
        next_off_peak(at(MONDAY, 2), margin=timedelta(hours=1))


def test_a_time_before_the_first_list_has_no_price() -> None:
    """A price that nobody has seen is not made up; from the list's day on it holds."""
    since = PRICE_LISTS[0].since
    assert price_of("deepseek-flash", at(since - timedelta(days=1), 23)) is None
    assert price_of("deepseek-flash", at(since, 0)) is not None


def test_lists_follow_one_another() -> None:
    """Each begins later than the one before it, so that of two the newer one holds."""
    days = [known.since for known in PRICE_LISTS]
    assert days == sorted(set(days))


def test_prices_of_ones_own_come_first() -> None:
    """A caller's price holds for its model at any time, peak or not, and for no other model."""
    own = Price(Decimal(0), Decimal(1), Decimal(2))
    usage = Usage(1_000_000, 1_000_000, 2_000_000)
    assert cost_of(usage, "local-model", at(MONDAY, 2), prices={"local-model": own}) == 3
    assert cost_of(usage, "deepseek-flash", at(MONDAY, 12), prices={"local-model": own}) == Decimal("0.75")
    assert cost_of(usage, "deepseek-flash", at(date(2020, 1, 1), 2), prices={"deepseek-flash": own}) == 3


@pytest.mark.parametrize("given", [(0, 1, 2), (0.0, 1.0, 2.0), ("0", "1", "2.00"), (Decimal(0), 1, "2"), (0, 1.0, 2)])
def test_a_price_is_given_as_people_write_it(given: Any) -> None:
    """A float is what it is written as; the cost is a decimal, exact."""
    assert Price(*given) == Price(Decimal(0), Decimal(1), Decimal(2))
    assert Price(0.1, 0.27, 1.1).cost(Usage(10, 5, 15)) == Decimal("0.0000082")
    own = {"local-model": Price(*given)}
    assert cost_of(Usage(1_000_000, 1_000_000, 2_000_000), "local-model", at(MONDAY, 2), prices=own) == 3


@pytest.mark.parametrize("value", [-1, "-0.1", math.nan, math.inf, Decimal("sNaN"), "cheap", "", None, True, [1], b"1"])
def test_what_is_no_price(value: Any) -> None:
    """Named when it is given, not when the first answer is paid for."""
    for name in ("cache_hit", "cache_miss", "output"):
        with pytest.raises(InvalidRequestError, match=rf"Price\.{name}.*at least 0"):
            Price(**{"cache_hit": 1, "cache_miss": 1, "output": 1, name: value})


@pytest.mark.parametrize("prices", [{"m": (1, 2, 3)}, {"m": 1}, {"m": {"output": 1}}, {"m": None}, [1], 5])
def test_what_are_no_prices_of_ones_own(prices: Any) -> None:
    """A budget says so at once."""
    with pytest.raises(InvalidRequestError, match=r"prices.*Price"):
        Budget(max_cost=1, prices=prices)


@pytest.mark.parametrize("price", [(1, 2, 3), 1, {"output": 1}, None])
def test_what_is_none_is_named_at_its_model(price: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"prices\['m'\].*a Price, not"):
        cost_of(Usage(1, 1, 2), "m", at(MONDAY, 2), prices={"m": price})


@pytest.mark.parametrize("at", ["2026-11-23", MONDAY, 1795834830, 1.5, None])
def test_what_is_no_time_is_named(at: Any) -> None:
    """A date has no hour, and a text is none."""
    ways: list[Any] = [is_peak, next_off_peak, lambda at: cost_of(USAGE, "deepseek-flash", at)]
    for ask in ways:
        with pytest.raises(InvalidRequestError, match=r"at.*time with a time zone"):
            ask(at)
    for margin in (5, "1h", None):
        with pytest.raises(InvalidRequestError, match="margin"):
            next_off_peak(datetime(2026, 11, 23, tzinfo=UTC), margin=margin)  # type: ignore[arg-type]


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 1}, ChatCompletion(), 5])
def test_what_is_no_usage_is_named(usage: Any) -> None:
    """Most often that of an answer whose server tells none."""
    with pytest.raises(InvalidRequestError, match=r"usage.*completion\.usage"):
        cost_of(usage, "deepseek-flash", at(MONDAY, 2))


def test_holidays_are_days() -> None:
    """A datetime means its day. A text would be equal to no day, and the answers of that day were priced too high."""
    for days in ([MONDAY], (datetime(MONDAY.year, MONDAY.month, MONDAY.day),), {MONDAY}):  # noqa: DTZ001
        assert not is_peak(at(MONDAY, 2), days)
        assert next_off_peak(at(MONDAY, 2), holidays=days)[0] == at(MONDAY, 2)
        assert Budget(max_cost=1, holidays=days).charge(USAGE, "deepseek-flash", at(MONDAY, 2)) == Decimal("0.75")
    for wrong in (["2026-11-23"], "2026-11-23", [20261123], [None]):
        for ask in (
            lambda days: is_peak(at(MONDAY, 2), days),
            lambda days: next_off_peak(at(MONDAY, 2), holidays=days),
            lambda days: cost_of(USAGE, "deepseek-flash", at(MONDAY, 2), holidays=days),
            lambda days: Budget(max_cost=1, holidays=days),
        ):
            with pytest.raises(InvalidRequestError, match=r"holidays.*dates"):
                ask(wrong)


def test_a_completion_knows_its_cost() -> None:
    """By its own model and its own second; at another time by that; without usage or price it has none."""
    usage = Usage(1_000_000, 0, 1_000_000)
    peak = ChatCompletion(created=int(at(MONDAY, 2).timestamp()), model="deepseek-flash", usage=usage)
    assert peak.cost() == Decimal("0.30")
    assert peak.cost(at(MONDAY, 12)) == Decimal("0.15")
    assert peak.cost(currency="CNY") == 2
    assert peak.cost(holidays={MONDAY}) == Decimal("0.15")
    assert ChatCompletion(created=peak.created, model="local-model", usage=usage).cost() is None
    assert ChatCompletion(created=peak.created, model="deepseek-flash").cost() is None
