"""Deals as they were and as we knew it: state, money and exposure at two times, and what was learnt in between."""

from typing import Any

from infra.desk import money_then, payloads, views
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch
from infra.desk.read_log import ReadLog
from infra.desk.two_times import Asked, known_at, now_of
from infra.stores.pages import Row
from models.as_of import Times, as_known, positions
from models.exposure import exposure_of
from models.projection import project

Plain = dict[str, Any]


class TimeTravel:
    """Looks back at deals for callers, within their scope of today."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._reads = ReadLog(books, clock)

    async def deal(self, caller: Caller, deal_id: str, asked: Asked, compare: str = "") -> Plain:
        """One deal at two times; with `compare` (an instant or day) also what was learnt until then. Raises NoSuch or
        Invalid."""
        row = await self.row(caller, deal_id, "as-of")
        now = now_of(row, self._clock())
        times = asked.times(now, ahead=row["is_test"])
        later = _later(times, compare, now, ahead=row["is_test"])
        entries = await self._books.timeline.entries(deal_id, as_of=later.known_at)
        first = entries[0].policy_version if entries else row["policy_version"]
        opened_under = await self._books.policies.of(first)
        seen = as_known(entries, times, opened_under)
        then = views.whole(project(seen.deal, seen.policy).deal, seen.deal, caller) if seen.deal else None
        told: Plain = {"deal_id": deal_id, "at": times.at, "known_at": times.known_at, "deal": then}
        if caller.is_blind:
            return told | {"money": [], "invoices": [], "learnt": [], "exposure": None, "compared": None}
        owed, currency = positions(seen), row["currency"]
        told |= {
            "money": money_then.sums(owed),
            "invoices": [money_then.invoice(each) for each in owed],
            "learnt": [money_then.learnt(each, currency) for each in seen.learnt],
            "exposure": money_then.exposure(exposure_of(seen.deal, seen.receivables, seen.day), currency),
            "compared": None,
        }
        if compare:
            since = as_known(entries, later, opened_under)
            news = [each for each in since.learnt if each.at > times.known_at]
            told["compared"] = {
                "known_at": later.known_at,
                "learnt": [money_then.learnt(each, currency) for each in news],
                "invoices": money_then.changes(owed, positions(since)),
            }
        return told

    async def row(self, caller: Caller, deal_id: str, what: str) -> Row:
        """The deal as lists know it today; an auditor's look at a foreign deal leaves a leaf. Raises NoSuch."""
        row = None if payloads.bad_text(deal_id) else await self._books.deals.get(deal_id, caller.scope)
        if row is None:
            raise NoSuch("deal", deal_id)
        await self._reads.deal(caller, deal_id, row["owner"], what)
        return row


def _later(times: Times, compare: str, now: str, *, ahead: bool) -> Times:
    """The same past instant with later knowledge. Raises Invalid."""
    if not compare:
        return times
    known = known_at(compare, "compare", now, ahead=ahead)
    if known < times.known_at:
        raise Invalid({"query.compare": f"not before {times.known_at}: what was learnt since then is asked"})
    return Times(times.at, known)
