"""A credit bureau and a credit book in memory."""

from collections import Counter
from dataclasses import replace

from infra.gateways import checked
from models.messages.finance import (
    BrokenPromiseInput,
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
    """The port CreditBook in memory: `active` are the reservations that count, by key."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed: dict[Place, int] = {}
        self.suggested: dict[Place, int] = {}
        self.active: dict[str, HeadroomInput] = {}
        self.ended: dict[str, str] = {}
        self.broken_promises: Counter[str] = Counter()

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
