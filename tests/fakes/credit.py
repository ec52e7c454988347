"""A credit bureau and a credit book in memory."""

from collections import Counter
from dataclasses import replace

from infra.gateways import checked
from models.messages.finance import (
    BrokenPromiseInput,
    GroupHold,
    GroupHoldInput,
    GroupHolds,
    GroupHoldsInput,
    HeadroomInput,
    HeadroomReleaseInput,
    HeadroomReleaseResult,
    HeadroomResult,
    ReliabilityFacts,
    ReliabilityInput,
)
from tests.fakes.recorded import Recorded

Place = tuple[str, str]


class FakeCreditBureau(Recorded):
    """The port CreditBureau in memory: `facts` per customer; others are known, neutral and a group of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, ReliabilityFacts] = {}

    async def reliability(self, asked: ReliabilityInput) -> ReliabilityFacts:
        neutral = ReliabilityFacts(customer_known=True, group=asked.customer_id)
        return self._act("reliability", asked, lambda: self.facts.get(asked.customer_id, neutral))


class FakeCreditBook(Recorded):
    """The port CreditBook in memory: `active` are the reservations that count, by key; `held` the holds on groups."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed: dict[Place, int] = {}
        self.suggested: dict[Place, int] = {}
        self.active: dict[str, HeadroomInput] = {}
        self.ended: dict[str, str] = {}
        self.broken_promises: Counter[str] = Counter()
        self.held: dict[Place, GroupHoldInput] = {}

    def fix_limit(self, group: str, currency: str, limit_minor: int) -> None:
        self.fixed[group, currency] = limit_minor

    def reserved(self, group: str, currency: str) -> int:
        """The sum of all reservations that count."""
        return sum(h.amount_minor for h in self.active.values() if (h.group, h.currency) == (group, currency))

    async def reserve(self, asked: HeadroomInput) -> HeadroomResult:
        checked.amount(asked.amount_minor)
        checked.amount(asked.suggested_limit_minor)
        return self._act("reserve", asked, lambda: self._reserve(asked))

    async def release(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
        checked.amount(asked.remaining_minor)
        return self._act("release", asked, lambda: self._release(asked), asked.effect_key)

    async def note_broken_promise(self, asked: BrokenPromiseInput) -> None:
        self._act(
            "note_broken_promise", asked, lambda: self.broken_promises.update([asked.customer_id]), asked.effect_key
        )

    async def set_hold(self, asked: GroupHoldInput) -> None:
        checked.text(asked.group, "a group")
        self._act("set_hold", asked, lambda: self._set_hold(asked), asked.effect_key)

    async def holds(self, asked: GroupHoldsInput) -> GroupHolds:
        return self._act("holds", asked, lambda: self._holds(asked))

    def _set_hold(self, asked: GroupHoldInput) -> None:
        if asked.on:
            self.held.setdefault((asked.deal_id, asked.invoice), asked)
            return
        for deal_id, invoice in list(self.held):
            if deal_id == asked.deal_id and asked.invoice in ("", invoice):
                del self.held[deal_id, invoice]

    def _holds(self, asked: GroupHoldsInput) -> GroupHolds:
        found = sorted(
            (held.at, held.deal_id, held.invoice)
            for held in self.held.values()
            if (held.group, held.is_test) == (asked.group, asked.is_test) and held.deal_id != asked.deal_id
        )
        return GroupHolds(tuple(GroupHold(deal, invoice, at) for at, deal, invoice in found[:20]), len(found))

    def _reserve(self, asked: HeadroomInput) -> HeadroomResult:
        place = (asked.group, asked.currency)
        self.suggested[place] = asked.suggested_limit_minor
        limit = self.fixed.get(place, asked.suggested_limit_minor)
        for key, held in list(self.active.items()):
            if (held.group, held.currency) == place and held.expires_at < asked.at:
                del self.active[key]
                self.ended[key] = asked.at
        if asked.key not in self.active and asked.at < self.ended.get(asked.key, ""):
            return HeadroomResult(False, limit, self.reserved(*place))
        own = self.active.get(asked.key)
        before = own.amount_minor if own and (own.group, own.currency) == place else 0
        others = self.reserved(*place) - before
        granted = others + asked.amount_minor <= limit or asked.amount_minor <= before
        if granted:
            self.active[asked.key] = asked
        return HeadroomResult(granted, limit, others)

    def _release(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
        held = self.active.get(asked.key)
        if held is None or held.amount_minor <= asked.remaining_minor:
            return HeadroomReleaseResult(0)
        self.active[asked.key] = replace(held, amount_minor=asked.remaining_minor)
        if not asked.remaining_minor:
            del self.active[asked.key]
            self.ended[asked.key] = asked.at
        return HeadroomReleaseResult(held.amount_minor - asked.remaining_minor)
