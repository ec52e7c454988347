"""Words about collection that its journeys and properties share."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from models.instants import plus
from models.interest import WHOLE
from models.parts.receivable import Receivable
from models.policy import DEFAULT, Policy
from models.stages.accruing import accrual
from models.timeline import Entry
from tests.models.interest_recount import recounted
from tests.models.story import MONEY, days
from tests.models.world import World, delivered

TOTAL = 190_400
"""What the one invoice of `delivered` comes to."""

DUE = "2026-03-06"
"""When it is due, 60 days after the delivery: a Friday."""

LETTERS = {rung.letter: rung.action for rung in DEFAULT.ladder if rung.letter}


def late(days_late: int, policy: Policy = DEFAULT, **known: Any) -> World:
    """A delivered deal whose invoice is so many days late."""
    world = delivered(World(policy, **known))
    world.advance(days(world.deal.terms_days) + days(days_late))
    return world


def owed(world: World, place: int = 0) -> Receivable:
    """One invoice of the deal, the first unless told."""
    return world.deal.receivables[place]


def pay(world: World, amount_minor: int, received_on: str = "", invoice: str = "", **more: Any) -> None:
    """Money came in, on a day that the bank names."""
    about = {"invoice": invoice or owed(world).number, "amount_minor": amount_minor, "currency": "EUR"}
    world.do(MONEY, "record_payment", **about, received_on=received_on, **more)


def about(world: World, place: int = 0, /, **payload: Any) -> dict[str, Any]:
    """A payload about an invoice of the deal, with a reason."""
    return {"invoice": owed(world, place).number, **payload}


def written(entries: Iterable[Entry], invoice: str = "") -> list[tuple[str, str]]:
    """The ladder's letters, each with its day; of one invoice, if asked."""
    return [(at[:10], kind) for at, kind, about in _letters(entries) if about == invoice or not invoice]


def other_letters(world: World) -> list[str]:
    """The letters about money that are not the ladder's."""
    told = [each for entry in world.entries for each in entry.events if each["tag"] == "letter_asked"]
    return [each["kind"] for each in told if each["kind"] not in LETTERS]


def _letters(entries: Iterable[Entry]) -> list[tuple[str, str, str]]:
    return [
        (entry.at, each["kind"], each["facts"]["invoice"])
        for entry in entries
        for each in entry.events
        if each["tag"] == "letter_asked" and each["kind"] in LETTERS
    ]


def check_letters(entries: list[Entry], policy: Policy) -> None:
    """One letter per rung and invoice, and never two within the policy's gap, but for rungs that people decide on."""
    told = _letters(entries)
    for invoice in {about for _, _, about in told}:
        mine = [(at, kind) for at, kind, about in told if about == invoice]
        assert len({kind for _, kind in mine}) == len(mine), mine
        for (before, _), (after, kind) in pairwise(mine):
            assert kind == "legal_notice" or after >= plus(before, policy.money.letter_gap), mine


def check_interest(entries: list[Entry], receivables: Iterable[Receivable], policy: Policy, now: str) -> None:
    """What the deal has counted is what the days cost one by one."""
    counted = recounted(entries, policy.interest)
    for r in receivables:
        minor, rest = accrual(r, policy, now[:10])
        units = (r.interest_minor + minor) * WHOLE + r.interest_rest + rest
        assert units == counted[r.number].units(policy.interest, now[:10]), (r.number, counted[r.number])


def checked(world: World) -> World:
    """The world, after all that must hold of its letters and interest was looked at."""
    check_letters(world.entries, world.policy)
    check_interest(world.entries, world.deal.receivables, world.policy, world.now)
    return world
