"""Customers and their groups as they were and as we knew it: money, exposure, credit limit and deals at two times."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from infra.desk import money_then, payloads
from infra.desk.amounts import money
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch
from infra.desk.read_log import ReadLog
from infra.desk.two_times import Asked
from infra.stores.as_of import AsOfStore, CreditLimit, Known, timelines_of
from models.as_of import Times, as_known, positions
from models.deal import fold
from models.exposure import Exposure, exposure_of
from models.policy import Policy
from models.timeline import Entry

Plain = dict[str, Any]

DEALS, MOST_DEALS = 50, 1_000


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """Which deals of a customer are asked about: of its `whole_group`, too, and test deals only when asked for. At most
    `limit` deals are named."""

    customer: str
    whole_group: bool = False
    test_deals: bool = False
    limit: int = DEALS


class CustomersThen:
    """Looks back at customers for callers: at those deals of them that the callers see today."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._store, self._reads = AsOfStore(books.database), ReadLog(books, clock)

    async def customer(self, caller: Caller, asked: OfCustomer, when: Asked) -> Plain:
        """A customer, or its whole group, at two times: sums per currency, deals by state, those that owe most. Raises
        NoSuch or Invalid."""
        if not 1 <= asked.limit <= MOST_DEALS:
            raise Invalid({"query.limit": f"a number from 1 to {MOST_DEALS}"})
        bad = payloads.bad_text(asked.customer)
        card = None if bad else await self._books.customers.get(asked.customer, caller.scope)
        if card is None:
            raise NoSuch("customer", asked.customer)
        group, now = card["group_id"], self._clock()
        chosen = (asked.customer, group if asked.whole_group else "")
        if asked.test_deals:  # they live ahead of us
            now = max(now, await self._store.latest_act(*chosen))
        times = when.times(now, ahead=asked.test_deals)
        deals = await self._store.deals_of(caller.scope, *chosen, times.known_at, test_deals=asked.test_deals)
        policies = {version: await self._books.policies.of(version) for version in {d.opened_under for d in deals}}
        found = _Sums(times)
        await self._books.database.look(lambda connection: found.add_all(connection, deals, policies))
        if not caller.is_blind:
            found.note_fixed(await self._store.fixed_limits(group, times.at))
        await self._reads.many(caller, f"customer {asked.customer} as-of", asked.customer, len(found.deals))
        about = {
            "at": times.at,
            "known_at": times.known_at,
            "customer": asked.customer,
            "group": group,
            "whole_group": asked.whole_group,
            "complete": caller.scope.kind == "all",
            "test_deals": asked.test_deals,
        }
        return about | found.told(asked.limit, blind=caller.is_blind)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the list of a customer's deals tells of one; `state` is empty when it was not opened by then."""

    id: str
    state: str
    stage: str
    customer: str
    owner: str
    currency: str
    open_minor: int
    overdue_minor: int
    exposure_minor: int


@dataclass(slots=True)
class _Sums:
    """Adds up deals as their timelines are read."""

    times: Times
    deals: list[_Figures] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    money: dict[str, Counter[str]] = field(default_factory=dict)
    exposure: dict[str, Exposure] = field(default_factory=dict)
    limits: dict[str, CreditLimit] = field(default_factory=dict)

    def add_all(self, connection: Connection, deals: list[Known], policies: dict[str, Policy]) -> None:
        pinned = {deal.id: policies[deal.opened_under] for deal in deals}
        for entries in timelines_of(connection, list(pinned), self.times.known_at):
            self._add(entries, pinned[entries[0].deal_id])

    def _add(self, entries: list[Entry], policy: Policy) -> None:
        seen = as_known(entries, self.times, policy)
        if seen.deal is None and not seen.receivables:
            return
        deal = seen.deal or fold(entries[:1])  # of an account taken over later its invoices alone are known
        owed, exposed = positions(seen), exposure_of(seen.deal, seen.receivables, seen.day)
        self.exposure[deal.currency] = self.exposure.get(deal.currency, Exposure()) + exposed
        total = self.money.setdefault(deal.currency, Counter())
        for each in owed:
            money_then.add(total, each)
        self.states.update([str(deal.state)] if seen.deal else [])
        self._note_asked(entries, deal.currency)
        self.deals.append(
            _Figures(
                id=deal.id,
                state=str(deal.state) if seen.deal else "",
                stage=str(deal.stage) if seen.deal else "",
                customer=deal.customer,
                owner=deal.owner,
                currency=deal.currency,
                open_minor=sum(each.open_minor for each in owed),
                overdue_minor=sum(each.overdue_minor for each in owed),
                exposure_minor=exposed.total_minor,
            )
        )

    def _note_asked(self, entries: list[Entry], currency: str) -> None:
        """The limit that the credit book named when this deal last asked for headroom."""
        for entry in reversed(entries):
            if entry.at <= self.times.at and (headroom := entry.facts.get("headroom")):
                known = self.limits.get(currency)
                if known is None or known.at < entry.at:
                    self.limits[currency] = CreditLimit(currency, headroom["limit_minor"], entry.at)
                return

    def note_fixed(self, fixed: list[CreditLimit]) -> None:
        """Limits that people fixed, in their order: what the book named later is later."""
        for each in fixed:
            known = self.limits.get(each.currency)
            if known is None or known.by or known.at <= each.at or known.limit_minor == each.limit_minor:
                self.limits[each.currency] = each

    def told(self, limit: int, *, blind: bool) -> Plain:
        """As callers get it; no amounts for who must not see any."""
        order = (lambda d: (d.id,)) if blind else (lambda d: (-d.open_minor, -d.exposure_minor, d.id))
        named = sorted(self.deals, key=order)[:limit]
        currencies = [] if blind else sorted({*self.money, *self.limits})
        return {
            "currencies": [self._of(currency) for currency in currencies],
            "states": [{"state": state, "deals": count} for state, count in sorted(self.states.items())],
            "deals": [_figures(deal, blind=blind) for deal in named],
            "deals_in_all": len(self.deals),
        }

    def _of(self, currency: str) -> Plain:
        limit = self.limits.get(currency)
        return money_then.of_currency(currency, self.money.get(currency, Counter())) | {
            "exposure": money_then.exposure(self.exposure.get(currency, Exposure()), currency),
            "credit_limit": money(limit.limit_minor, currency) if limit else None,
            "limit_since": limit.at if limit else "",
            "limit_fixed_by": limit.by if limit else "",
        }


def _figures(deal: _Figures, *, blind: bool) -> Plain:
    same = ("id", "state", "stage", "customer", "owner", "currency")
    told = {name: getattr(deal, name) for name in same}
    amounts = ("open", "overdue", "exposure")
    return told | {n: None if blind else money(getattr(deal, f"{n}_minor"), deal.currency) for n in amounts}
