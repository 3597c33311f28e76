"""What an answer costs, and when answers are cheap. Pure: the time is an argument.

Source: page "Models & Pricing", September to November 2026. Peak is Monday to Friday 01:00–04:00 and 06:00–10:00 UTC,
but for Chinese public holidays; every other hour costs half. The usage object of an answer is authoritative; hits and
misses of the context cache are priced apart, and reasoning counts as output.

Prices are dated: `PRICE_LISTS` holds each list with the day from which it is known to hold. An answer from before the
first list, or of a model that no list names, has no price: ``None``, never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import attrs

from ..errors import InvalidRequestError
from .requests.numbers import amount_in
from .structs import knows_its_names
from .usage import Usage
from .values import Brief

_PER_TOKEN = Decimal("1e-6")  # prices are told per million tokens

PEAK_HOURS: Final = ((time(1), time(4)), (time(6), time(10)))
"""Begin and end of each peak window, UTC, Monday to Friday."""


def _amount_or_same(value: Any) -> Any:
    return value if (amount := amount_in(value)) is None else amount


def _check_amount(_: object, attribute: Any, value: Any) -> None:
    if amount_in(value) is None:
        raise InvalidRequestError(f"Price.{attribute.name}", value, 'at least 0, as a number or text such as "0.15"')


@knows_its_names
@attrs.frozen(repr=False)
class Price(Brief):
    """Prices of one model at one time, per million tokens: decimals, or numbers or text that are made such.

    Raises:
        InvalidRequestError: One is no amount of at least 0.
    """

    cache_hit: Decimal = attrs.field(converter=_amount_or_same, validator=_check_amount)
    cache_miss: Decimal = attrs.field(converter=_amount_or_same, validator=_check_amount)
    output: Decimal = attrs.field(converter=_amount_or_same, validator=_check_amount)

    def cost(self, usage: Usage) -> Decimal:
        """The exact cost of an answer. Prompt tokens that the usage does not place are taken for cache misses."""
        hits = usage.cached_tokens or 0
        misses = max(usage.prompt_tokens - hits, 0)
        return (self.cache_hit * hits + self.cache_miss * misses + self.output * usage.completion_tokens) * _PER_TOKEN


@attrs.frozen
class ModelPrice:
    """Prices of one model in one currency."""

    off_peak: Price
    peak: Price


def _of(hit: str, miss: str, output: str) -> ModelPrice:
    off_peak = Price(Decimal(hit), Decimal(miss), Decimal(output))
    return ModelPrice(off_peak, Price(off_peak.cache_hit * 2, off_peak.cache_miss * 2, off_peak.output * 2))


_FLASH_USD, _FLASH_CNY = _of("0.003", "0.15", "0.60"), _of("0.02", "1", "4")
_PRO_USD, _PRO_CNY = _of("0.022", "0.66", "1.98"), _of("0.15", "4.5", "13.5")


@attrs.frozen
class PriceList:
    """Prices by model and currency, as they hold from a day on (UTC)."""

    since: date
    models: Mapping[str, Mapping[str, ModelPrice]] = attrs.field(hash=False)


_AUTUMN_2026: Final = {
    "deepseek-flash": {"USD": _FLASH_USD, "CNY": _FLASH_CNY},
    "deepseek-v4-flash": {"USD": _FLASH_USD, "CNY": _FLASH_CNY},  # retired names, served and priced as Flash
    "deepseek-v4-flash-vision-exp": {"USD": _FLASH_USD, "CNY": _FLASH_CNY},
    "deepseek-v4-pro": {"USD": _PRO_USD, "CNY": _PRO_CNY},
}

PRICE_LISTS: Final[tuple[PriceList, ...]] = (PriceList(date(2026, 9, 1), _AUTUMN_2026),)
"""Every price list that this version knows, the oldest first."""

CURRENCIES: Final = ("CNY", "USD")


def checked_prices(prices: Mapping[str, Price] | None) -> Mapping[str, Price] | None:
    """The caller's own prices, of which each is one. Raises `InvalidRequestError`."""
    if prices is not None and not isinstance(prices, Mapping):
        raise InvalidRequestError("prices", None, f"a mapping of models to Price, not {type(prices).__name__}")
    for model, price in (prices or {}).items():
        _checked_price(model, price)
    return prices


def _checked_price(model: str, price: Price) -> Price:
    if not isinstance(price, Price):
        raise InvalidRequestError(f"prices[{model!r}]", None, f"a Price, not {type(price).__name__}")
    return price


def checked_days(holidays: Collection[date]) -> frozenset[date]:
    """Days as dates: a text would be equal to none of them. Raises `InvalidRequestError`."""
    days = [day.date() if isinstance(day, datetime) else day for day in holidays]
    for day in days:
        if not isinstance(day, date):
            raise InvalidRequestError("holidays", day, "dates, such as datetime.date(2026, 10, 1)")
    return frozenset(days)


def is_peak(at: datetime, holidays: Collection[date] = ()) -> bool:
    """Whether the peak price holds.

    Args:
        at: An aware time.
        holidays: Chinese public holidays, as dates in China (UTC+8): they have no peak.
    """
    utc = _in_utc(at)
    # The windows lie between 09:00 and 18:00 in China, so its date and UTC's are the same there.
    if utc.weekday() >= 5 or (holidays and utc.date() in checked_days(holidays)):
        return False
    return any(begin <= utc.time() < end for begin, end in PEAK_HOURS)


def price_of(
    model: str,
    at: datetime,
    *,
    currency: str = "USD",
    holidays: Collection[date] = (),
    prices: Mapping[str, Price] | None = None,
) -> Price | None:
    """The prices of a model at a time; ``None`` for a model or a time whose prices are not known.

    Args:
        model: As the answer names it.
        at: An aware time.
        currency: ``"USD"`` or ``"CNY"``, for the known prices.
        holidays: Chinese public holidays, as dates in China (UTC+8): they have no peak.
        prices: The caller's own, by model: they hold at any time, before the known ones.

    Raises:
        InvalidRequestError: A currency that is not known, or a time without time zone.
    """
    if prices is not None and model in prices:
        return _checked_price(model, prices[model])
    if currency not in CURRENCIES:
        raise InvalidRequestError("currency", currency, " or ".join(map(repr, CURRENCIES)))
    peak, day = is_peak(at, holidays), _in_utc(at).date()
    for known in reversed(PRICE_LISTS):
        if known.since <= day:
            price = known.models.get(model, {}).get(currency)
            return None if price is None else price.peak if peak else price.off_peak
    return None


def cost_of(
    usage: Usage,
    model: str,
    at: datetime,
    *,
    currency: str = "USD",
    holidays: Collection[date] = (),
    prices: Mapping[str, Price] | None = None,
) -> Decimal | None:
    """What an answer cost; ``None`` where its price is not known. Arguments and errors are those of `price_of`.

    Args:
        usage: The answer's token counts.
        at: When the request was sent: that hour's price holds.
    """
    _check_usage(usage)
    price = price_of(model, at, currency=currency, holidays=holidays, prices=prices)
    return None if price is None else price.cost(usage)


def _check_usage(usage: object) -> None:
    if not isinstance(usage, Usage):
        told = "which is None where the server tells none" if usage is None else f"not {type(usage).__name__}"
        raise InvalidRequestError("usage", None, f"a Usage, such as completion.usage, {told}")


def next_off_peak(
    at: datetime, *, margin: timedelta = timedelta(0), holidays: Collection[date] = ()
) -> tuple[datetime, datetime | None]:
    """The off-peak window to send in: the present one, or the next.

    Args:
        at: An aware time.
        margin: Kept free at both ends of a window, for clocks that differ and answers that take time.

    Returns:
        When it may begin (``at`` itself if that is inside), and when it must end, both in UTC.

    Raises:
        InvalidRequestError: The margin leaves no window.
    """
    if not isinstance(margin, timedelta) or not timedelta(0) <= margin < timedelta(hours=1):
        raise InvalidRequestError("margin", str(margin), "0 to less than 1 hour: a window is 2 hours long")
    utc, holidays = _in_utc(at), checked_days(holidays)
    # Peak windows of the days around, widened by the margin: what lies between them is off-peak.
    peaks = [
        (datetime.combine(day, begin, UTC) - margin, datetime.combine(day, end, UTC) + margin)
        for day in (utc.date() + timedelta(days=number) for number in range(-1, 15))
        if day.weekday() < 5 and day not in holidays
        for begin, end in PEAK_HOURS
    ]
    opens = utc
    for begin, end in peaks:
        if begin <= opens < end:
            opens = end
    return opens, next((begin for begin, _ in peaks if begin > opens), None)


def _in_utc(at: datetime) -> datetime:
    if not isinstance(at, datetime):
        raise InvalidRequestError("at", at, "a time with a time zone, such as datetime.now(UTC)")
    if at.tzinfo is None:
        raise InvalidRequestError("at", str(at), "a time with a time zone")
    return at.astimezone(UTC)
