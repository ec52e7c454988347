"""Random people around the late invoices of a deal: payments and returns, disputes, words, waivers, legal, and time."""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from models.agenda import agenda
from models.deal import fold
from models.deal_state import Deal
from models.errors import MoveRefused
from models.instants import DAY, HOUR, plus
from models.parts.receivable import Receivable
from models.policy import DEFAULT
from models.stages.accruing import INTEREST
from models.timeline import Entry
from tests.models.collecting import check_interest, check_letters
from tests.models.random_acts import payload, somebody
from tests.models.random_course import Course
from tests.models.random_deal import check_deal
from tests.models.story import AM, LOGISTICS
from tests.models.test_properties import WorldDriver, check_world
from tests.models.world import World, entered

WEIGHTS = {
    "record_payment": 3.0,
    "reverse_payment": 1.2,
    "grant_credit": 0.5,
    "credit": 0.2,
    "dispute": 1.6,
    "promise_to_pay": 1.0,
    "agree_plan": 1.2,
    "request_waiver": 1.2,
    "request_write_off": 0.4,
}
"""What people ask for, and how often; what needs an occasion is asked for when there is one."""

DECIDING = {"waiver": ("waiver", 2.0), "write_off": ("write_off", 0.8), "legal": ("legal", 2.0)}
FREE = " ".join(
    f"2026-{day}" for day in ("03-16", "03-17", "03-18", "03-19", "04-03", "04-06", "05-01", "05-14", "05-25")
)
POLICY = replace(DEFAULT, holidays={"DE": FREE})
JUMPS = (HOUR, DAY, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 7 * DAY, 16 * DAY)


def begun(rng: Random, world: World) -> World:
    """A deal that was delivered in one to three parts, some of whose invoices are late by now."""
    return waited(rng, supplied(rng, world))


def supplied(rng: Random, world: World) -> World:
    """A deal that was delivered in one to three parts."""
    entered(world)
    order = world.deal.order
    assert order
    for line in order.lines[: rng.choice((0, 1, 1, 2))]:
        _delivered(world, [{"line": line.line, "quantity": rng.randint(1, line.open)}])
        world.advance(rng.randint(0, 20) * DAY)
    _delivered(world, [])
    if rng.random() < 0.7:  # a deal with an open complaint is not completed
        world.do(AM, "open_case", lines=[1], cause="quality")
    return world


def _delivered(world: World, lines: list[dict[str, int]]) -> None:
    world.do(LOGISTICS, "ship", lines=lines)
    world.do(LOGISTICS, "deliver")


def waited(rng: Random, world: World) -> World:
    """Some months later, or at once."""
    world.advance(rng.choice((0, 50, 62, 70, 80, 100)) * DAY)
    return world


def something(rng: Random, deal: Deal) -> str:
    """What somebody asks for next."""
    weights = dict(WEIGHTS)
    for kind, (name, weight) in DECIDING.items():
        if deal.pending_approval(kind):
            weights |= {f"approve_{name}": weight, f"decline_{name}": weight / 2}
    if any(not each.settled for r in deal.receivables for each in r.disputes):
        weights["settle_dispute"] = 2.0
    if any(r.unapplied_minor for r in deal.receivables):
        weights["set_off_credit"] = 1.5
    if any(r.state == "formally_noticed" for r in deal.receivables):
        weights["request_legal"] = 2.0
    if deal.holds:
        weights["resume"] = 0.3
    return rng.choices(list(weights), list(weights.values()))[0]


def asked(rng: Random, deal: Deal, action: str, now: str) -> dict[str, Any]:
    """Its payload: mostly about an invoice that it can be about."""
    made = payload(rng, deal, action, now)
    if rng.random() < 0.8:
        making = SENSIBLE.get(action)
        made |= making(rng, deal, now) if making else {}
    return made


def _settling(rng: Random, deal: Deal, now: str) -> dict[str, Any]:
    disputed = [(r, d.number) for r in deal.receivables for d in r.disputes if not d.settled]
    if not disputed:
        return {}
    r, number = rng.choice(disputed)
    credited = rng.choice((0, r.disputed_minor, r.disputed_minor // 2))
    return {"invoice": r.number, "dispute": number, "credit_minor": credited}


def _promising(rng: Random, deal: Deal, now: str) -> dict[str, Any]:
    owing = [r for r in deal.receivables if r.collectable_minor > 0 and r.plan is None]
    if not owing:
        return {}
    r = rng.choice(owing)
    amount = rng.choice((r.collectable_minor, (r.collectable_minor + 1) // 2))
    return {"invoice": r.number, "amount_minor": amount, "until": plus(now, rng.choice((1, 2, 5, 20)) * DAY)}


SENSIBLE = {
    "settle_dispute": _settling,
    "promise_to_pay": _promising,
    "resume": lambda rng, deal, now: {"hold": "credit", "reason": "we talked"},
}


def is_late(r: Receivable) -> bool:
    """Whether an invoice asks for the credit hold."""
    dunned_twice = any(each.rung == "dun_second" for each in r.reached)
    return dunned_twice and r.kind != INTEREST and r.collectable_minor > 0 and r.plan is None


@dataclass
class LateDeal:
    """A deal in its small world, and all that must hold of its money after every act. `forgiven` are invoices that were
    late when a person lifted the hold."""

    world: World
    forgiven: set[str] = field(default_factory=set)
    course: Course = field(default_factory=lambda: Course(wanted=()))
    checked: int = 0

    def act(self, rng: Random) -> None:
        """Somebody asks for something, or time passes."""
        if rng.random() < 0.25 or self.course.waits:
            self.world.advance(rng.choice(JUMPS))
        else:
            self._ask(rng)
        self.check()

    def _ask(self, rng: Random) -> None:
        world, before = self.world, self.world.deal
        action = self.course.next(rng, before, something)
        try:
            world.act(somebody(rng, before, action), action, **asked(rng, before, action, world.now))
        except MoveRefused as no:
            assert world.deal == before
            self.course.told(action, no.refusal)
            return
        self.course.told(action, None)
        if action == "resume" and "credit" in before.holds and "credit" not in world.deal.holds:
            self.forgiven = self.late

    @property
    def late(self) -> set[str]:
        """Invoices that ask for the credit hold."""
        return {r.number for r in self.world.deal.receivables if is_late(r)}

    def check(self) -> None:
        """The laws of the ledger."""
        world = self.world
        check_deal(world.deal, world.policy)
        check_world(WorldDriver(world))
        check_interest(world.entries, world.deal.receivables, world.policy, world.now)
        check_letters(world.entries, world.policy)
        self._money_is_kept()
        self._hold_is_set_for_late_money()
        self._somebody_waits_for_every_invoice()
        assert world.broken_promises == sum(r.broken_promises for r in world.deal.receivables)
        if world.deal.version > self.checked + 20 or world.deal.is_closed:
            self.checked = world.deal.version
            assert fold(world.entries) == world.deal

    def _money_is_kept(self) -> None:
        """What came in and was not sent back settles invoices or is the customer's credit, less what of both were
        credit notes; what was set off went from credit to an invoice."""
        rs = self.world.deal.receivables
        sums = Counter[str]()
        for kind, amount in self.world.booked:
            sums[kind] += amount
        settled = sum(r.paid_minor + r.credited_minor for r in rs)
        assert sums["payment"] - sums["reversal"] + sums["credit_note"] == settled + sum(r.unapplied_minor for r in rs)
        assert sums["payment"] - sums["reversal"] == sum(r.reversible_minor for r in rs) + set_off_payments(rs)
        for r in rs:
            assert 0 <= r.collectable_minor <= r.open_minor <= r.total_minor

    def _hold_is_set_for_late_money(self) -> None:
        deal, late = self.world.deal, self.late
        self.forgiven &= late
        held = "credit" in deal.holds
        of_group = held_invoices(self.world)
        assert bool(of_group) == held
        if deal.is_closed:
            assert not held
        elif held:
            assert of_group == late
        else:
            assert late <= self.forgiven

    def _somebody_waits_for_every_invoice(self) -> None:
        deal = self.world.deal
        keys = [item.key.split(":") for item in agenda(deal, self.world.policy)]
        asked = {a.subject for a in deal.approvals if a.state == "pending"}
        for r in deal.receivables:
            if not r.is_settled and not deal.is_closed:
                assert r.number in asked or any(r.number in key for key in keys), r


def set_off_payments(receivables: tuple[Receivable, ...]) -> int:
    """What payments had left as credit and was used for other invoices: credit from credit notes is used first."""
    return sum(max(0, r.set_off_minor - r.overcredited_minor) for r in receivables)


def held_invoices(world: World) -> set[str]:
    """The invoices for which the deal holds its group, as it told the credit book."""
    held: set[str] = set()
    for told in world.own_holds:
        if told.on:
            held.add(told.invoice)
        else:
            held = held - {told.invoice} if told.invoice else set()
    return held


def events_of(entries: list[Entry]) -> list[dict[str, Any]]:
    """All events of a timeline."""
    return [happened for entry in entries for happened in entry.events]
