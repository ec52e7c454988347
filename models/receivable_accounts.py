"""One invoice and everything that was booked or said about it, and what of it was open or disputed on any past day.

A day is an ISO date in UTC and counts to its end: what happened on the day is part of it. Amounts are minor units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

LOWERS: Mapping[str, int] = {"payment": 1, "credit_note": 1, "write_off": 1, "set_off": 1, "reversal": -1}
"""Kinds of movements: 1 lowers what is open, -1 raises it again (a payment that went back)."""

PAID: Mapping[str, int] = {"payment": 1, "reversal": -1}
"""The kinds that are the customer's money, coming in and going back."""


class Invoiced(NamedTuple):
    """An invoice as it was issued; instants are ISO 8601 UTC."""

    number: str
    deal_id: str
    customer: str
    kind: str
    currency: str
    issued_at: str
    due_at: str
    total_minor: int

    @property
    def due_on(self) -> str:
        """The day on which it falls due; the day after is its first day late."""
        return self.due_at[:10]


class Movement(NamedTuple):
    """What was booked on an invoice at an instant: `amount_minor` of a kind of LOWERS, never negative."""

    at: str
    kind: str
    amount_minor: int


class Frozen(NamedTuple):
    """A disputed amount, from `since` until before `until` (instants; empty: to this day)."""

    since: str
    until: str
    amount_minor: int


class Promised(NamedTuple):
    """Money that was promised for `until`: a promise, or one part of a payment plan; it held until `ended_at`.

    `kind` and `number` say which promise or plan, `part` which instalment (0 for a promise). Instants are ISO 8601 UTC.
    """

    kind: str
    number: int
    part: int
    amount_minor: int
    made_at: str
    until: str
    ended_at: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An invoice with all that became of it; `with_legal_at` is the instant at which it was handed to legal."""

    invoice: Invoiced
    movements: Sequence[Movement] = ()
    disputes: Sequence[Frozen] = ()
    promises: Sequence[Promised] = ()
    with_legal_at: str = ""

    def open_on(self, day: str) -> int:
        """What was owed at the end of a day; nothing before the invoice was issued.

        In the order of value days money may be here twice for a while, or go back before it came: never less than
        nothing is owed, and a payment that is not here yet can't have gone back.
        """
        if self.invoice.issued_at[:10] > day:
            return 0
        paid = settled = 0
        for at, kind, amount in self.movements:
            if at[:10] <= day:
                if kind in PAID:
                    paid += PAID[kind] * amount
                else:
                    settled += LOWERS[kind] * amount
        return max(0, self.invoice.total_minor - settled - max(0, paid))

    def disputed_on(self, day: str) -> int:
        """The part of it that was disputed, never more than what was open."""
        if not self.disputes:
            return 0
        return min(self.open_on(day), sum(each.amount_minor for each in self.disputes if _held(each, day)))

    def promises_on(self, day: str) -> list[Promised]:
        """Promises and instalments that ran at the end of a day, in the order of their instants."""
        running = [each for each in self.promises if each.made_at[:10] <= day and not _is_over(each.ended_at, day)]
        return sorted(running, key=lambda each: (each.until, each.kind, each.number, each.part))

    def kept_of(self, promised: Promised, day: str) -> int:
        """What was done until a day about a promise or plan since it was made.

        A promise is kept by payments alone, less those that went back; a plan by all that lowered what was open.
        """
        since = (m for m in self.movements if promised.made_at < m.at and m.at[:10] <= day)
        if promised.kind != "promise":
            return sum(max(0, LOWERS[m.kind]) * m.amount_minor for m in since)
        paid = 0
        for moved in since:
            paid = max(0, paid + PAID.get(moved.kind, 0) * moved.amount_minor)
        return paid

    def is_with_legal(self, day: str) -> bool:
        """Whether it had been handed to legal by the end of a day."""
        return bool(self.with_legal_at) and self.with_legal_at[:10] <= day

    def days_late(self, day: str) -> int:
        """Days after the due day; 0 on it, negative before."""
        return days_between(self.invoice.due_on, day)

    def days_until_paid(self, day: str) -> int | None:
        """Days from the due day to the last payment, negative when it came early, of an invoice that the customer
        settled until a day.

        None when something was open then, or when no more than half of it was paid: credit notes and write-offs say
        nothing about when a customer pays.
        """
        if self.invoice.issued_at[:10] > day or self.open_on(day):
            return None
        paid = sum(PAID.get(kind, 0) * amount for at, kind, amount in self.movements if at[:10] <= day)
        if 2 * paid <= self.invoice.total_minor:
            return None
        last = max(at[:10] for at, kind, amount in self.movements if kind == "payment" and amount and at[:10] <= day)
        return days_between(self.invoice.due_on, last)


def days_between(first: str, last: str) -> int:
    """Days from one ISO date to another."""
    return date.fromisoformat(last).toordinal() - date.fromisoformat(first).toordinal()


def nearest(part: int, whole: int) -> int:
    """`part` divided by a positive `whole`, rounded half away from zero."""
    sign = -1 if part < 0 else 1
    return sign * ((2 * abs(part) + whole) // (2 * whole))


def _held(frozen: Frozen, day: str) -> bool:
    return frozen.since[:10] <= day and not _is_over(frozen.until, day)


def _is_over(until: str, day: str) -> bool:
    return bool(until) and until[:10] <= day
