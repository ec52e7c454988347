"""Deputies: windows, loops, chains, and whose eyes count when somebody approves."""

import pytest

from models.command import Actor
from models.deputies import Deputyship, passing, stands_in_for, why_not
from tests.models.story import asking
from tests.models.world import World

NOW = "2026-03-01T08:00:00Z"


def ship(absent: str, deputy: str, first: str = "2026-03-02", last: str = "2026-03-20", ended: str = "") -> Deputyship:
    return Deputyship(absent, deputy, f"{first}T00:00:00Z", f"{last}T00:00:00Z", ended)


def test_a_deputy_stands_in_from_the_first_instant_to_just_before_the_last():
    known = [ship("a", "b")]
    instants = ("2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z", "2026-03-19T23:59:59Z", "2026-03-20T00:00:00Z")
    assert [stands_in_for("b", known, at) for at in instants] == [(), ("a",), ("a",), ()]
    assert stands_in_for("a", known, instants[1]) == ()


def test_what_was_ended_early_gives_no_rights_afterwards():
    known = [ship("a", "b", ended="2026-03-05T00:00:00Z")]
    assert stands_in_for("b", known, "2026-03-04T23:59:59Z") == ("a",)
    assert stands_in_for("b", known, "2026-03-05T00:00:00Z") == ()


def test_rights_pass_through_two_deputies_and_no_further():
    known = [ship("a", "b"), ship("b", "c"), ship("c", "d")]
    at = "2026-03-10T00:00:00Z"
    assert stands_in_for("c", known, at) == ("b", "a")
    assert stands_in_for("d", known, at) == ("c", "b")


@pytest.mark.parametrize(
    ("known", "asked", "field"),
    [
        ([], ship("a", "a"), "deputy"),
        ([], ship("a", "b", "2026-03-20", "2026-03-20"), "until"),
        ([], ship("a", "b", "2026-03-20", "2026-03-02"), "until"),
        ([], ship("a", "b", "2026-03-02", "2026-05-02"), "until"),
        ([], ship("a", "b", "2026-02-28"), "from"),
        ([ship("a", "x", "2026-03-19", "2026-04-01")], ship("a", "b"), "from"),
        ([ship("b", "a")], ship("a", "b"), "deputy"),
        ([ship("b", "c"), ship("c", "a")], ship("a", "b"), "deputy"),
        ([ship("b", "c"), ship("c", "d")], ship("a", "b"), "deputy"),
        ([ship("x", "a"), ship("b", "c")], ship("a", "b"), "deputy"),
        ([ship("x", "y"), ship("y", "a")], ship("a", "b"), "deputy"),
    ],
)
def test_an_appointment_that_would_be_too_long_double_a_loop_or_a_long_chain_is_refused(
    known: list[Deputyship], asked: Deputyship, field: str
):
    assert list(why_not(asked, known, NOW)) == [field]


@pytest.mark.parametrize(
    "known",
    [
        [],
        [ship("a", "x", "2026-03-20", "2026-04-01")],  # begins when the asked one ends
        [ship("a", "x", ended="2026-03-02T00:00:00Z")],
        [ship("b", "a", "2026-03-20", "2026-04-01")],
        [ship("b", "c")],
        [ship("x", "a")],
        [ship("x", "b")],  # one deputy may stand in for two
    ],
)
def test_an_appointment_beside_others_is_possible(known: list[Deputyship]):
    assert why_not(ship("a", "b"), known, NOW) == {}


def test_sixty_days_are_not_too_long():
    assert why_not(ship("a", "b", "2026-03-02", "2026-05-01"), [], NOW) == {}


def test_what_an_auditor_an_admin_and_a_machine_may_does_not_pass():
    assert passing(("admin", "legal", "auditor", "automation", "head_of_sales")) == ("legal", "head_of_sales")


def test_a_deputy_of_the_requester_does_not_approve_in_their_own_name_either():
    """Domain, invariant 2: nor a deputy of one of these."""
    world = asking(World())
    deputy = Actor("u-head_of_sales", ("head_of_sales",), stands_in_for=("u-account_manager",))
    refusal = world.refusal(deputy, "approve_offer", reason="fine")
    assert [v.guard for v in refusal.failing] == ["four_eyes"]
    world.do("head_of_sales", "approve_offer", reason="fine")


def test_the_receipt_says_whose_deputy_somebody_was_so_that_the_verdict_can_be_reached_again():
    world = asking(World())
    world.act(Actor("u-x", ("head_of_sales",), stands_in_for=("u-y", "u-z")), "approve_offer", reason="fine")
    receipt = world.entries[-1].receipt
    assert receipt
    assert receipt["stands_in_for"] == ["u-y", "u-z"]
    first = world.entries[0].receipt
    assert first
    assert "stands_in_for" not in first
