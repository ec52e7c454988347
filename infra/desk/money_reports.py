"""Reports on receivables for callers: ageing, days sales outstanding, effectiveness, expected cash, lateness."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from infra.desk.amounts import money
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid
from infra.desk.two_times import known_at
from infra.gateways.money_audit import CurrencyTotal, MoneyVerdict
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from models import codec
from models.expected_cash import ExpectedCash, usual_days
from models.lifecycle.roles import HEADS, Role
from models.policy import DEFAULT
from models.receivable_reports import BUCKETS, EVERYBODY, Aged, Lateness, Turnover, first_day
from models.visibility import EVERYTHING

Plain = dict[str, Any]

READERS = HEADS | {Role.ACCOUNTS_RECEIVABLE, Role.ADMIN, Role.AUDITOR}
"""Who reads reports on money."""

DAYS, MOST_DAYS = 90, 1_100
WEEKS, MOST_WEEKS = 13, 104
CUSTOMERS, MOST_CUSTOMERS = 100, 10_000
_FIRST_YEAR, _LAST_YEAR = 1990, 9900


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked about: the day (ISO date in UTC, empty: today) at whose end things stood so, one currency
    or customer (empty: all); test deals count only when asked for. At most `limit` customers are named.

    `known_at` is a day or instant not before that day: what was booked until then counts on its value days. Empty: what
    was known at the end of the day, each booking on its own day.
    """

    as_of: str = ""
    currency: str = ""
    customer: str = ""
    test_deals: bool = False
    limit: int = CUSTOMERS
    known_at: str = ""


class MoneyReports:
    """Reports for callers: a head's are about the department, those of all others about the whole company."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._store = ReceivableReportStore(books.database)

    async def ageing(self, caller: Caller, asked: Asked) -> Plain:
        """What was open by how late it was, per currency and customer. Raises WrongRole or Invalid."""
        as_of = self._as_of(caller, asked)
        rows = await self._store.ageing(as_of)
        each = [row for row in rows if row.customer != EVERYBODY]
        return _about(as_of) | {
            "totals": [
                _aged(row) | {"customers": sum(one.currency == row.currency for one in each)}
                for row in rows
                if row.customer == EVERYBODY
            ],
            "customers": [_aged(row) | {"customer": row.customer} for row in _most(each, asked.limit)],
        }

    async def dso(self, caller: Caller, asked: Asked, days: int = DAYS) -> Plain:
        """Days sales outstanding of the period of `days` days that ends with the day. Raises WrongRole or Invalid."""
        as_of = self._as_of(caller, asked)
        return _period(as_of, days) | {"items": [_dso(row) for row in await self._turnover(as_of, days)]}

    async def effectiveness(self, caller: Caller, asked: Asked, days: int = DAYS) -> Plain:
        """The collection effectiveness index of such a period. Raises WrongRole or Invalid."""
        as_of = self._as_of(caller, asked)
        return _period(as_of, days) | {"items": [_effectiveness(row) for row in await self._turnover(as_of, days)]}

    async def expected_cash(self, caller: Caller, asked: Asked, weeks: int = WEEKS) -> Plain:
        """What is expected in each of so many ISO weeks, that of the day first. Raises WrongRole or Invalid."""
        _between("query.weeks", weeks, MOST_WEEKS)
        as_of = self._as_of(caller, asked)
        usual = await self._usual_days(as_of)
        rows = await self._store.expected_cash(as_of, weeks, usual)
        return _about(as_of) | {"usual_days_late": usual, "items": [_expected(row) for row in rows]}

    async def lateness(self, caller: Caller, asked: Asked) -> Plain:
        """How late customers paid until the day, and how many invoices had reached which rung of the collection
        ladder. Raises WrongRole or Invalid."""
        as_of = self._as_of(caller, asked)
        rows, rungs = await self._store.lateness(as_of)
        total, each = rows[:1], rows[1:]
        return _about(as_of) | {
            "invoices": sum(row.invoices for row in total),
            "average_days": total[0].average_days if total else None,
            "median_days": total[0].median_days if total else None,
            "customers": [_lateness(row) for row in each[: asked.limit]],
            "rungs": [{"rung": rung, "invoices": rungs[rung]} for rung in sorted(rungs, key=_place)],
        }

    def _as_of(self, caller: Caller, asked: Asked) -> AsOf:
        caller.require("reading reports on money", READERS)
        _between("query.limit", asked.limit, MOST_CUSTOMERS)
        day = asked.as_of or self._clock()[:10]
        _check_day(day)
        # an admin sees no deals, but a report is none: it says how the company works
        scope = EVERYTHING if caller.has(Role.ADMIN) else caller.scope
        return AsOf(day, scope, asked.currency, asked.customer, asked.test_deals, self._known_at(asked, day))

    def _known_at(self, asked: Asked, day: str) -> str:
        """The instant whose knowledge counts, empty when nobody asked. Raises Invalid."""
        if not asked.known_at:
            return ""
        known = known_at(asked.known_at, "known_at", self._clock(), ahead=asked.test_deals)
        if known[:10] < day:
            raise Invalid({"query.known_at": f"nobody knew on {known[:10]} what would be on {day}"})
        return known

    async def _turnover(self, as_of: AsOf, days: int) -> list[Turnover]:
        return await self._store.turnover(as_of, days)

    async def _usual_days(self, as_of: AsOf) -> int:
        """By the policy of that day; nobody's policy is begun by reading a report."""
        found = await self._books.policies.store.active(f"{as_of.day}T23:59:59Z")
        return usual_days(await self._books.policies.of(found.version) if found else DEFAULT)


def _check_day(day: str) -> None:
    try:
        ok = date.fromisoformat(day).isoformat() == day and _FIRST_YEAR <= int(day[:4]) <= _LAST_YEAR
    except ValueError:
        ok = False
    if not ok:
        raise Invalid({"query.as_of": f"a day looks like 2026-11-21, in the years {_FIRST_YEAR} to {_LAST_YEAR}"})


def _between(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise Invalid({name: f"a number from 1 to {most}"})


def _about(asked: AsOf) -> Plain:
    return {"as_of": asked.day, "known_at": asked.known_at, "test_deals": asked.test_deals}


def _period(asked: AsOf, days: int) -> Plain:
    _between("query.days", days, MOST_DAYS)
    return _about(asked) | {"from": first_day(asked.day, days), "days": days}


def _most(rows: Sequence[Aged], limit: int) -> Sequence[Aged]:
    """Those that owe most, of every currency; in the order that they have."""
    taken: dict[str, int] = {}
    kept = []
    for row in rows:
        taken[row.currency] = taken.get(row.currency, 0) + 1
        if taken[row.currency] <= limit:
            kept.append(row)
    return kept


def _aged(row: Aged) -> Plain:
    amounts = {name: money(getattr(row, f"{name}_minor"), row.currency) for name in ("open", "overdue", "disputed")}
    buckets = [
        {"name": name, "open": money(owed, row.currency), "disputed": money(disputed, row.currency)}
        for name, owed, disputed in zip(BUCKETS, row.buckets, row.disputed, strict=True)
    ]
    return {"currency": row.currency, "invoices": row.invoices, **amounts, "buckets": buckets}


def _dso(row: Turnover) -> Plain:
    amounts = {"sales": row.sales_minor, "receivables": row.ending_minor, "current": row.current_minor}
    days = ("dso_tenths", "best_possible_tenths", "delinquent_tenths", "countback_tenths")
    return {
        "currency": row.currency,
        **{name: money(amount, row.currency) for name, amount in amounts.items()},
        **{name: getattr(row, name) for name in days},
    }


def _effectiveness(row: Turnover) -> Plain:
    names = ("beginning", "sales", "ending", "current", "collected", "collectable")
    return {
        "currency": row.currency,
        **{name: money(getattr(row, f"{name}_minor"), row.currency) for name in names},
        "effectiveness_bps": row.effectiveness_bps,
    }


def _expected(row: ExpectedCash) -> Plain:
    names = ("open", "later", "uncertain", "legal")
    return {
        "currency": row.currency,
        **{name: money(getattr(row, f"{name}_minor"), row.currency) for name in names},
        "weeks": [
            {
                "week": week.name,
                "monday": week.monday,
                "expected": money(week.expected_minor, row.currency),
                "promised": money(week.promised_minor, row.currency),
            }
            for week in row.weeks
        ],
    }


def _place(rung: str) -> tuple[int, str]:
    """Where a rung stands on the ladder of this release; rungs of other policies come last."""
    ladder = [each.action for each in DEFAULT.ladder]
    return ladder.index(rung) if rung in ladder else len(ladder), rung


def _lateness(row: Lateness) -> Plain:
    names = ("customer", "invoices", "average_days", "median_days")
    return {name: getattr(row, name) for name in names}


def told(verdict: MoneyVerdict) -> Plain:
    """The verdict on the books of money as callers get it."""
    return {
        "sound": verdict.is_sound,
        "currencies": [_total(row) for row in verdict.currencies],
        "differences": [codec.encode(found) for found in verdict.differences],
        "warnings": list(verdict.warnings),
    }


def _total(row: CurrencyTotal) -> Plain:
    names = ("invoiced", "paid", "credited", "written_off", "open", "difference")
    return {"currency": row.currency} | {name: money(getattr(row, f"{name}_minor"), row.currency) for name in names}
