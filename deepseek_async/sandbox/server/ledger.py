"""The ledger keeps the account: answers spend its balance, and it knows how often each row was billed."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import attrs

from ..requests import refusals

__all__ = ["Ledger"]

_DEFAULT_BALANCE = Decimal(110)


@attrs.define
class Ledger:
    """The account.

    Attributes:
        balance: US dollars left; None: an account that never runs dry.
        spent: US dollars spent.
        billed: How often each row was billed. A row is named by the request's ``x-sandbox-row`` header, else its
            ``user_id``, else a hash of its body. It is billed when the model begins to answer, so an answer that was
            cut off on its way counts, and a refused request does not.
    """

    balance: Decimal | None
    spent: Decimal = Decimal(0)
    billed: Counter[str] = attrs.field(factory=Counter)

    def check(self) -> None:
        """See whether there is money.

        Raises:
            Refusal: 402.
        """
        if self.balance is not None and self.balance <= 0:
            raise refusals.insufficient_balance()

    def bill(self, row: str) -> None:
        """Count a row."""
        self.billed[row] += 1

    def spend(self, amount: Decimal) -> None:
        """Take the price of an answer. The last one may overdraw the account, as with the API."""
        self.spent += amount
        if self.balance is not None:
            self.balance -= amount

    def to_wire(self) -> dict[str, Any]:
        """What GET /user/balance answers."""
        left = _DEFAULT_BALANCE if self.balance is None else self.balance
        granted = min(left, Decimal(10)) if left > 0 else Decimal(0)
        return {
            "is_available": left > 0,
            "balance_infos": [
                {
                    "currency": "USD",
                    "total_balance": f"{left:.2f}",
                    "granted_balance": f"{granted:.2f}",
                    "topped_up_balance": f"{left - granted:.2f}",
                }
            ],
        }
