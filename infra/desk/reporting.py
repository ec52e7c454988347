"""Management's reports: how fast departments answer, and what goes wrong with goods and what is done about it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid
from infra.stores.pages import Row
from infra.stores.reports import By, Period, ReportStore
from models.lifecycle.roles import HEADS, Role
from models.money import ratio_bps
from models.visibility import EVERYTHING, Scope

Plain = dict[str, Any]

READERS = HEADS | {Role.ADMIN, Role.AUDITOR}
"""Who reads reports. They name neither deals nor customers."""


class Reporting:
    """Reports for callers: a head's are about the department, those of all others about the whole company."""

    def __init__(self, store: ReportStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def response_times(self, caller: Caller, period: Period, as_of: str = "") -> Plain:
        """Per department and kind, the requests that were asked in the period. Raises WrongRole or Invalid.

        A request is late when it was answered after its due date, or is open and was due at `as_of` (empty: now).
        Times are calendar seconds from asking to answering, of the answered ones; None when there are none.
        """
        scope = _scope(caller, period)
        at = as_of or self._clock()
        rows = await self._store.response_times(scope, period, at)
        return _about(period) | {"as_of": at, "items": [_times(row) for row in rows]}

    async def discrepancies(self, caller: Caller, period: Period, by: By = "cause") -> Plain:
        """Acts and units of the period by cause, kind, article or measure, each with its shares in basis points, and
        the measures against repetition. Raises WrongRole or Invalid."""
        scope = _scope(caller, period)
        groups, total = await self._store.discrepancies(scope, period, by)
        shares = ({f"{what}_bps": ratio_bps(row[what], total[what]) for what in ("acts", "units")} for row in groups)
        return _about(period) | {
            "by": by,
            "acts": total["acts"],
            "units": total["units"],
            "items": [row | share for row, share in zip(groups, shares, strict=True)],
            "measures": await self._store.measures(scope, period),
        }


def _scope(caller: Caller, period: Period) -> Scope:
    caller.require("reading reports", READERS)
    _check(period)
    # an admin sees no deals, but a report is none: it says how the company works
    return EVERYTHING if caller.has(Role.ADMIN) else caller.scope


def _check(period: Period) -> None:
    for name, day in (("query.from", period.first), ("query.to", period.last)):
        try:
            ok = not day or date.fromisoformat(day).isoformat() == day
        except ValueError:
            ok = False
        if not ok or day == date.max.isoformat():
            raise Invalid({name: "a day looks like 2026-11-21"})
    if period.first and period.last and period.last < period.first:
        raise Invalid({"query.to": "the last day is before the first"})


def _about(period: Period) -> Plain:
    return {"from": period.first, "to": period.last, "test_deals": period.test_deals}


def _times(row: Row) -> Plain:
    seconds = row["seconds"]
    told = {name: row[name] for name in ("role", "kind", "asked", "answered", "open", "late", "escalated")}
    return told | {
        "mean_seconds": sum(seconds) // len(seconds) if seconds else None,
        "median_seconds": median(seconds),
        "p90_seconds": nearest_rank(seconds, 90),
    }


def median(ordered: Sequence[int]) -> int | None:
    """The middle of sorted numbers, of two middle ones the whole number at or below their mean; None of none."""
    if not ordered:
        return None
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2


def nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest of sorted numbers that at least `percent` of 100 of them do not exceed; None of none."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
