"""Words that the journeys are told with: who acts, what is ordered, how a deal ends."""

from typing import Any

from models.agenda import agenda
from models.agenda_items import AgendaItem
from models.deal import fold
from models.instants import DAY, between
from models.parts.order import OrderLine
from models.parts.shortage import Shortage
from models.policy import DEFAULT, Policy
from models.timeline import verify_chain
from tests.models.world import World, entered, qualified

AM, KAM, HEAD, DIRECTOR, RISK = (
    "account_manager",
    "key_account_manager",
    "head_of_sales",
    "commercial_director",
    "risk_officer",
)
LEGAL, LOGISTICS, MONEY, SUPPORT = "legal", "logistics_manager", "accounts_receivable", "sales_support"
PRODUCTION = "production"


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


def line_of(world: World, number: int = 1) -> OrderLine:
    """One order line."""
    found = world.deal.order.line(number) if world.deal.order else None
    assert found
    return found


def shortage(world: World, number: int = 1) -> Shortage:
    """The shortage of an order line, lasting or settled."""
    lasting = line_of(world, number).shortage
    assert lasting
    return lasting


def items(world: World) -> dict[str, AgendaItem]:
    """What the deal waits for, by kind."""
    return {item.kind: item for item in agenda(world.deal, world.policy)}


def short(have: int = 4, policy: Policy = DEFAULT, **known: Any) -> World:
    """An entered order of ten A-1, of which some are missing, and five A-2."""
    world = World(policy, stock={"A-1": have, "A-2": 5, "B-1": 100}, **known)
    return entered(world, [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}])


def until(world: World, instant: str) -> list[str]:
    """Let time pass until an instant."""
    return world.advance(between(world.now, instant))


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
