"""One believable deal in every state."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from models.deal_state import Deal, Effect
from models.messages.finance import ReliabilityFacts
from tests.models.story import asking
from tests.models.world import World, contacted, delivered, entered, offered, qualified, signed

WEAK = ReliabilityFacts(True, "g-1", iban_ok=False, vat_ok=False, exposure_minor=40_000_000, broken_promises=1)
BLOCKED = ReliabilityFacts(True, "g-1", blocked=True)


def _reviewed() -> World:
    world = qualified(World(reliability=WEAK))
    world.do("account_manager", "request_check")
    return world


def _checking() -> World:
    world = qualified(World())
    checking = replace(world.deal, state="reliability_check", pending=(Effect("assess_reliability", {}, "E-1"),))
    world.deal = checking
    return world


def _preparing() -> World:
    world = qualified(World())
    world.do("account_manager", "request_check")
    world.do("account_manager", "draft_offer", lines=[{"article": "A-1", "quantity": 2, "unit_price_minor": 10_000}])
    return world


def _contracted() -> World:
    world = offered(World())
    world.do("account_manager", "accept_offer")
    return world


def _disagreeing() -> World:
    world = _contracted()
    world.do("legal", "raise_disagreement", clause="7.2", our_position="30 days", their_position="90 days")
    return world


def _reviewing_contract() -> World:
    world = _contracted()
    world.do("account_manager", "submit_contract")
    return world


def _signing() -> World:
    world = _contracted()
    world.do("account_manager", "send_contract")
    return world


def _ended(state: str) -> Callable[[], World]:
    def build() -> World:
        world = delivered(World())
        world.deal = replace(world.deal, state=state)
        return world

    return build


BUILD: dict[str, Callable[[], World]] = {
    "identified": World,
    "contacted": lambda: contacted(World()),
    "qualified": lambda: qualified(World()),
    "reliability_check": _checking,
    "reliability_review": _reviewed,
    "preparing_offer": _preparing,
    "offer_approval": lambda: asking(World()),
    "offer_open": lambda: offered(World()),
    "drafting_contract": _contracted,
    "resolving_disagreements": _disagreeing,
    "contract_approval": _reviewing_contract,
    "awaiting_signatures": _signing,
    "ordering": lambda: signed(World()),
    "fulfilling": lambda: entered(World()),
    "supporting": lambda: delivered(World()),
    **{state: _ended(state) for state in ("completed", "lost", "rejected", "cancelled", "defaulted")},
}


@cache
def deal_in(state: str) -> Deal:
    """A believable deal in a state."""
    deal = BUILD[state]().deal
    assert deal.state == state
    return deal


def line_changed(deal: Deal, number: int, **changes: Any) -> Deal:
    """The deal with one order line changed."""
    assert deal.order
    lines = tuple(replace(line, **changes) if line.line == number else line for line in deal.order.lines)
    return replace(deal, order=replace(deal.order, lines=lines))
