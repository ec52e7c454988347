"""Words that the journeys are told with: who acts, what is ordered, how a deal ends."""

from typing import Any

from models.deal import fold
from models.instants import DAY
from models.parts.order import OrderLine
from models.timeline import verify_chain
from tests.models.world import World, qualified

AM, KAM, HEAD, DIRECTOR, RISK = (
    "account_manager",
    "key_account_manager",
    "head_of_sales",
    "commercial_director",
    "risk_officer",
)
LEGAL, LOGISTICS, MONEY, SUPPORT = "legal", "logistics_manager", "accounts_receivable", "sales_support"


def ended(world: World, state: str) -> None:
    """The deal is over, nothing is held any more, and its timeline proves it."""
    deal = world.deal
    assert deal.state == state
    assert deal.is_closed
    assert (deal.headroom_minor, world.headroom, deal.pending) == (0, 0, ())
    assert sum(quantity for _, quantity in world.held.values()) == 0
    assert verify_chain(world.entries) is None
    assert fold(world.entries) == deal


def line(article: str, quantity: int, price: int = -1) -> dict[str, Any]:
    return {"article": article, "quantity": quantity, "unit_price_minor": price}


def days(number: int) -> int:
    return number * DAY


def lines(world: World) -> tuple[OrderLine, ...]:
    """The order's lines."""
    return world.deal.order.lines if world.deal.order else ()


def states(world: World) -> list[str]:
    """The states of the order's lines."""
    return [each.state for each in lines(world)]


def prepaid(world: World) -> World:
    """An entered order whose prepayment has not come yet. The customer's check must lead to a review."""
    qualified(world).do(AM, "request_check")
    world.do(RISK, "approve_reliability", credit_limit_minor=0, payment_days=0, reason="prepaid")
    world.do(AM, "draft_offer", lines=[line("A-1", 10), line("A-2", 5)])
    world.do(AM, "send_offer")
    world.do(AM, "accept_offer")
    world.do(AM, "send_contract")
    assert world.deal.contract
    for side in ("ours", "theirs"):
        world.do(AM, "sign", side=side, digest=world.deal.contract.digest)
    world.do(AM, "accept_order")
    world.do(SUPPORT, "enter_order", lines=[line("A-1", 10, 10_000), line("A-2", 5, 10_000)])
    return world


def asking(world: World) -> World:
    """A deal that waits for the head of sales to approve a discount of 12 %."""
    qualified(world).do(AM, "request_check")
    world.do(AM, "draft_offer", lines=[line("A-1", 2, 8_800)])
    world.do(AM, "request_approval", reason="a large customer")
    return world
