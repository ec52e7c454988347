"""The way of an imported deal, driven through the pure core: every outcome is reached, after the row's own days."""

from dataclasses import replace

import pytest

from cli.imports.driving import IMPORT_POLICY
from cli.imports.opportunities import Item, Opportunity, Outcome
from cli.imports.steps import Act, Done, Forward, Office, Way, next_step, outcome_of, rests
from models.command import Command
from models.instants import DAY, between
from models.lifecycle.states import DealState
from models.messages.finance import Financials, ReliabilityFacts
from tests.models.world import PEOPLE, World

OFFICE = Office("u-automation", "u-risk_officer", "u-commercial_director", {"u-account_manager": "u-head_of_sales"})
BY_ID = {actor.user: actor for actor in PEOPLE.values()}
ROW = Opportunity(2, "A1", "A deal", "u-account_manager", "c-1", "EUR", (Item("A-1", 1, 10_000),), Outcome.WON, 30)
WEAK = ReliabilityFacts(True, "g-1", founded_on="2025-01-01")
BAD = ReliabilityFacts(
    True, "g-1", False, False, financials=Financials(-9, -9, -9, 1, 10, 100), broken_promises=3, founded_on="2025-12-01"
)


def drive(row: Opportunity, world: World | None = None, most: int = 60) -> World:
    """Do what the steps say until they say done."""
    world = world or World(policy=IMPORT_POLICY)
    for _ in range(most):
        step = next_step(Way(row, world.deal, world.now, world.policy, OFFICE))
        if isinstance(step, Done):
            assert step.reached is rests(row, world.deal.state)
            return world
        if isinstance(step, Forward):
            world.advance(step.seconds)
        else:
            assert isinstance(step, Act)
            world.command(Command(step.action, BY_ID[step.user], f"k-{world.deal.version}", step.payload))
    raise AssertionError(f"still {world.deal.state} after {most} steps")


@pytest.mark.parametrize("days", [0, 1, 7, 30, 138, 179, 181, 400])
@pytest.mark.parametrize("outcome", [Outcome.WON, Outcome.LOST])
def test_closed_deals_last_as_long_as_their_rows(outcome: Outcome, days: int) -> None:
    deal = drive(replace(ROW, outcome=outcome, days=days)).deal
    assert deal.state == (DealState.COMPLETED if outcome is Outcome.WON else DealState.LOST)
    assert between(deal.opened_at, deal.state_since) // DAY == days


@pytest.mark.parametrize("price", [0, 1, 3_000, 8_400, 8_600, 9_400, 9_600, 10_000, 13_000, 3_000_000, 30_000_000])
def test_any_price_is_won_and_paid(price: int) -> None:
    world = drive(replace(ROW, items=(Item("A-1", 1, price),)))
    assert world.deal.state == DealState.COMPLETED
    assert sum(r.paid_minor for r in world.deal.receivables) == (
        world.deal.offer.total_minor if world.deal.offer else -1
    )
    assert world.deal.open_minor == world.headroom == 0


@pytest.mark.parametrize(("found", "grade"), [(WEAK, "C"), (BAD, "D")])
def test_doubtful_customers_are_reviewed(found: ReliabilityFacts, grade: str) -> None:
    deal = drive(ROW, World(policy=IMPORT_POLICY, reliability=found)).deal
    assert deal.assessment is not None
    assert (deal.assessment.grade, deal.state) == (grade, DealState.COMPLETED)


def test_a_rejected_customer_ends_the_way() -> None:
    world = World(policy=IMPORT_POLICY, reliability=replace(WEAK, blocked=True))
    assert drive(ROW, world).deal.state == DealState.REJECTED


@pytest.mark.parametrize(
    ("outcome", "placeholder", "state"),
    [
        (Outcome.PROSPECTING, False, DealState.CONTACTED),
        (Outcome.ENGAGING, False, DealState.OFFER_OPEN),
        (Outcome.ENGAGING, True, DealState.QUALIFIED),
        (Outcome.LOST, True, DealState.LOST),
        (Outcome.WON, True, DealState.COMPLETED),
    ],
)
def test_every_outcome_has_its_place(outcome: Outcome, placeholder: bool, state: DealState) -> None:
    row = replace(ROW, outcome=outcome, is_placeholder=placeholder, days=ROW.days if outcome.is_closed else 0)
    assert drive(row).deal.state == state
    assert outcome_of(state) is outcome


def test_an_agent_without_a_manager_has_the_director() -> None:
    office = replace(OFFICE, manager_of={})
    world = World(policy=IMPORT_POLICY)
    assert office.approver(world.deal, 700, world.policy) == "u-commercial_director"
    himself = replace(OFFICE, manager_of={"u-account_manager": "u-account_manager"})
    assert himself.approver(world.deal, 700, world.policy) == "u-commercial_director"


def test_states_that_no_row_asks_for_stand_out_in_the_funnel() -> None:
    assert outcome_of(DealState.REJECTED) is outcome_of(DealState.CANCELLED) is outcome_of(DealState.DEFAULTED) is None
