"""Whatever happens to the goods of a deal, invoices less credit notes are what the customer kept, in every mode of
billing, at prices at which tax never comes out even."""

from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deal import fold
from models.errors import MoveRefused
from models.money import BPS
from models.parts.billing import InvoiceKind, Milestone, Taxed, in_advance, of_milestones, settled_of, value
from models.stages.billing_targets import billed_worth, order_worth, targets
from tests.models.deals import WEAK
from tests.models.random_acts import payload, somebody, something
from tests.models.random_deal import check_deal
from tests.models.story import line
from tests.models.test_invoicing_journeys import HALVES, ODD, agreed, asked_for, entered, kept
from tests.models.world import World

TERMS: dict[str, dict[str, Any]] = {
    "delivery": {},
    "order": {"billing": "order"},
    "milestones": {"billing": "milestones", "milestones": HALVES},
    "part in advance": {"prepaid_bps": 3_333},
    "part in advance, then one invoice": {"prepaid_bps": 777, "billing": "order", "prepayment_blocks": "supply"},
    "part in advance, then milestones": {"prepaid_bps": 5_001, "billing": "milestones", "milestones": HALVES},
    "all in advance": {"prepaid_bps": BPS, "prepayment_blocks": "both"},
}
OTHER_CREDITS = (
    *("credit", "grant_credit", "settle_dispute", "decide_case", "approve_write_off", "reverse_payment", "reassign"),
    *("hold", "record_payment", "charge_interest", "set_off_credit"),
)
"""What changes amounts for other reasons than goods, or merely gets in the way."""


def begun(mode: str, rng: Random) -> World:
    """An order under way whose prepayment, if there is one, came in."""
    stock = rng.choice(({}, {"A-1": 4, "A-2": 30, "B-1": 9}))
    world = World(prices={**ODD, "unknown-1": (1, 1)}, reliability=World().reliability)
    world.stock.update(stock)
    if mode == "all in advance" and rng.random() < 0.5:
        world.reliability = WEAK
    agreed(world, [line("A-1", rng.choice((3, 10, 17))), line("A-2", 5), line("B-1", 7)], **TERMS[mode])
    if world.deal.open_minor:
        world.pay()
    return entered(world)


def act(world: World, rng: Random, tally: Counter[str]) -> None:
    """Somebody asks for something about the goods; now and then the customer pays."""
    deal = world.deal
    action = something(rng, deal)
    if action in OTHER_CREDITS or action == "cancel":
        action = rng.choice(("ship", "deliver", "report_discrepancy", "settle_discrepancy", "reach_milestone"))
    if rng.random() < 0.1 and deal.open_minor:
        world.pay()
        return
    asked = payload(rng, deal, action, world.now)
    if action == "reach_milestone":
        asked = {"name": rng.choice(HALVES)["name"]}
    try:
        world.act(somebody(rng, deal, action), action, **asked)
        tally[action] += 1
    except MoveRefused:
        return


def check_billing(world: World) -> None:
    """After every act: what ought to be billed is, and the papers say the same as the lines."""
    deal = world.deal
    assert deal.order
    assert targets(deal) == []
    assert deal.order.credit_due_minor == 0
    assert asked_for(world) == billed_worth(deal)
    assert sum(each.total_minor for each in world.billed) == sum(r.total_minor for r in deal.receivables)
    for invoice in world.billed:
        assert invoice.kind in set(InvoiceKind)
        assert invoice.total_minor == sum(part.net_minor + part.tax_minor for part in invoice.lines) > 0
    for each in deal.order.lines:
        billed = each.billed
        assert 0 <= billed.settled.net_minor <= billed.prepaid.net_minor
        assert billed.goods.net_minor >= 0
    if deal.order.is_done:
        assert billed_worth(deal) == order_worth(deal) == kept(world)


@pytest.mark.uncounted  # what it drives is covered act by act elsewhere
@pytest.mark.parametrize("mode", TERMS)
def test_invoices_less_credit_notes_are_what_the_customer_kept(mode: str):
    tally, ends = Counter[str](), 0
    for seed in range(14):
        rng = Random(f"{mode}{seed}")
        world = begun(mode, rng)
        check_billing(world)
        for _ in range(40):
            if world.deal.is_closed:
                break
            act(world, rng, tally)
            check_billing(world)
            check_deal(world.deal, world.policy)
        wind_up(world)
        ends += world.deal.is_closed
        assert fold(world.entries) == world.deal
    assert ends >= 6, tally
    assert tally["deliver"] >= 5
    assert tally["settle_discrepancy"] >= 2


LAST: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("account_manager", "decline_amendment", {"reason": "no"}),
    ("legal", "resume", {"hold": "legal", "reason": "fine"}),
    ("logistics_manager", "retry_reservation", {}),
    ("logistics_manager", "ship", {}),
    ("logistics_manager", "deliver", {}),
    ("account_manager", "close_short", {"reason": "enough"}),
)


def tried(world: World, role: str, action: str, **asked: Any) -> None:
    """Ask for something that may be impossible by now."""
    with suppress(MoveRefused):
        world.do(role, action, **asked)


def all_paid(world: World) -> None:
    while world.deal.open_minor:
        world.pay()


def wind_up(world: World) -> None:
    """Everything that is left is sent, given up, paid and closed; the customer was asked for what stayed there."""
    world.stock.update(dict.fromkeys(("A-1", "A-2", "B-1"), 100))
    for _ in range(3):
        all_paid(world)
        for role, action, asked in LAST:
            tried(world, role, action, **asked)
        for found in world.deal.order.open_discrepancies if world.deal.order else ():
            measure = "redelivery" if found.is_back else "return"
            world.do("account_manager", "settle_discrepancy", act=found.number, measure=measure, prevention="x")
    check_billing(world)
    for case in world.deal.cases:
        tried(world, "account_manager", "decide_case", case=case.number, decision="refuse", measure="x")
        tried(world, "account_manager", "close_case", case=case.number)
    all_paid(world)
    tried(world, "account_manager", "complete")
    if world.deal.is_closed:
        assert asked_for(world) == kept(world)


AMOUNTS = st.integers(0, 10**11)
RATES = st.sampled_from((0, 700, 1_900, 2_500, 3_333))


@given(AMOUNTS, RATES, st.lists(st.integers(1, 500), min_size=1, max_size=19), st.randoms())
def test_milestones_lose_nothing_in_whatever_order(net: int, rate: int, shares: list[int], rng: Random):
    steps = tuple(Milestone(f"m{n}", bps) for n, bps in enumerate((*shares, BPS - sum(shares))))
    whole, names, before = value(net, rate), [each.name for each in steps], Taxed()
    rng.shuffle(names)
    for count in range(1, len(names) + 1):
        part = of_milestones(whole, steps, names[:count])
        assert part.net_minor >= before.net_minor
        assert part.tax_minor >= before.tax_minor
        before = part
    assert before == whole


@given(AMOUNTS, RATES, st.integers(0, BPS), st.integers(0, 100))
def test_a_settled_part_is_never_more_than_was_paid_in_advance(net: int, rate: int, bps: int, percent: int):
    whole = value(net, rate)
    prepaid = in_advance(whole, rate, bps)
    part = settled_of(prepaid, value(net * percent // 100, rate), whole)
    assert 0 <= part.net_minor <= prepaid.net_minor <= net
    assert 0 <= part.tax_minor <= prepaid.tax_minor <= whole.tax_minor
    assert settled_of(prepaid, whole, whole) == prepaid
