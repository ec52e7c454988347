"""What a deal waits for: always something, for somebody, until when; and time alone never goes in circles."""

from dataclasses import replace

import pytest

from models.agenda import agenda, next_due
from models.agenda_items import AgendaItem
from models.deal import automatic, due_command
from models.deal_state import Deal, Effect, Escalation
from models.instants import DAY, plus
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState
from models.policy import DEFAULT, SPINE, Policy
from tests.models.deals import deal_in, line_changed
from tests.models.samples import ACT, CASE, LADDER, OWED, SHORT, WANTED, WRITE_OFF
from tests.models.world import World


def items(deal: Deal, policy: Policy = DEFAULT) -> dict[str, AgendaItem]:
    return {item.kind: item for item in agenda(deal, policy)}


@pytest.mark.parametrize("state", DealState.open())
def test_an_open_deal_waits_for_somebody_until_an_instant(state: str):
    found = agenda(deal_in(state), DEFAULT)
    assert found
    assert {item.kind for item in found} >= {"reminder", "deadline"}
    for item in found:
        assert item.roles
        assert set(item.roles) <= {str(role) for role in Role} - {"auditor", "admin"}
        assert item.due_at
    assert list(found) == sorted(found, key=lambda item: (item.due_at, item.key))


@pytest.mark.parametrize("state", DealState.open())
def test_where_the_owner_is_waited_for_the_item_names_the_person(state: str):
    for item in agenda(deal_in(state), DEFAULT):
        if item.kind in ("reminder", "deadline") and item.roles == ("account_manager", "key_account_manager"):
            assert item.person == "u-account_manager"


@pytest.mark.parametrize("state", DealState.terminal())
def test_a_closed_deal_waits_for_nothing(state: str):
    assert agenda(deal_in(state), DEFAULT) == ()
    assert automatic(deal_in(state), DEFAULT, "2026-06-01T00:00:00Z") is None


@pytest.mark.parametrize("state", DealState.open())
def test_three_years_of_nobody_doing_anything_end_at_rest(state: str):
    world = World()
    world.deal = deal_in(state)
    world.invoices = 1  # a delivered deal has its invoice already
    fired = world.advance(3 * 365 * DAY)
    assert len(fired) < 200
    assert next_due(tuple(i for i in agenda(world.deal, DEFAULT) if i.due_at <= world.now)) is None
    if not world.deal.is_closed:
        waiting = agenda(world.deal, DEFAULT)
        assert "overdue" in {item.kind for item in waiting}
        assert any(role != "system" for item in waiting for role in item.roles), "people are told"


def test_a_reminder_and_an_escalation_come_once_per_visit_of_a_state():
    world = World()
    assert world.advance(60 * DAY) == ["remind", "escalate"]
    overdue = items(world.deal)["overdue"]
    assert (overdue.action, overdue.roles) == ("", ("account_manager", "key_account_manager", "head_of_sales"))
    world.do("account_manager", "log_contact", channel="call", outcome="late, but at last")
    assert "overdue" not in items(world.deal)
    assert world.advance(60 * DAY) == ["remind", "escalate"]


def test_an_item_that_was_dropped_meanwhile_is_not_fired():
    world = World()
    item = next_due(agenda(world.deal, DEFAULT))
    assert item
    world.do("account_manager", "log_contact", channel="call", outcome="in time")
    command = due_command(item)
    assert command.key == f"agenda:{item.key}"
    assert world.refusal(command.actor, command.action, **command.payload).failing[0].found == "no such item"


def test_items_to_be_skipped_are_skipped():
    first, second = agenda(deal_in("contacted"), DEFAULT)
    assert next_due((first, second)) == first
    assert next_due((first, second), frozenset({first.key})) == second
    assert next_due((first, second), frozenset({first.key, second.key})) is None


def test_an_approval_waits_for_those_who_may_give_it():
    item = items(deal_in("offer_approval"))["approval"]
    assert item.roles == ("head_of_sales", "commercial_director")
    assert item.action == "escalate_request"
    assert items(deal_in("offer_approval"), SPINE)["approval"].action == ""
    write_off = items(replace(deal_in("supporting"), approvals=(WRITE_OFF,)))["approval"]
    assert write_off.note == "R-1"


def test_under_the_first_rules_a_short_line_waits_for_the_owner_then_for_logistics_then_for_the_day():
    deal = line_changed(deal_in("fulfilling"), 1, **SHORT)
    assert items(deal, SPINE)["shortage"].due_at == plus(SHORT["short_since"], DAY)
    asked = line_changed(deal, 1, asked_logistics_at="2026-01-06T08:00:00Z")
    assert items(asked, SPINE)["shortage_answer"].due_at == "2026-01-08T08:00:00Z"
    known = line_changed(asked, 1, expected_on="2026-02-01", answered_at="2026-01-07T08:00:00Z")
    restock = items(known, SPINE)["restock"]
    assert (restock.due_at, restock.action) == ("2026-02-01T06:00:00Z", "retry_reservation")
    assert "restock" not in items(replace(known, pending=(Effect("reserve_lines", {"lines": [1]}, "k"),)), SPINE)
    assert "restock" not in items(line_changed(known, 1, answered_at="2026-02-01T06:00:00Z"), SPINE)


def test_a_short_line_waits_for_its_rung_and_for_the_stock_book():
    deal = line_changed(deal_in("fulfilling"), 1, **SHORT, shortage=LADDER, answered_at="2026-01-05T08:00:00Z")
    rung, restock = items(deal)["shortage"], items(deal)["restock"]
    assert (rung.due_at, rung.action, rung.payload) == (LADDER.due_at, "escalate_shortage", {"line": 1})
    assert (rung.roles, rung.person) == (("account_manager", "key_account_manager"), "u-account_manager")
    assert (restock.due_at, restock.action, restock.roles) == (
        "2026-01-12T08:00:00Z", "retry_reservation", ("logistics_manager",)
    )  # fmt: skip
    known = line_changed(deal, 1, shortage=replace(LADDER, answer_on="2026-01-09", promised_on="2026-01-08"))
    assert items(known)["restock"].due_at == "2026-01-08T06:00:00Z", "the earliest day that somebody named"
    later = line_changed(known, 1, answered_at="2026-01-08T06:00:01Z")
    assert items(later)["restock"].due_at == "2026-01-09T06:00:00Z"
    after = line_changed(known, 1, answered_at="2026-01-09T06:00:00Z")
    assert items(after)["restock"].due_at == "2026-01-16T06:00:00Z", "now and then, as wake-ups may get lost"
    assert "restock" not in items(replace(known, pending=(Effect("reserve_lines", {"lines": [1]}, "k"),)))
    assert not {"shortage", "restock"} & set(items(line_changed(known, 1, state="reserved", reserved=10)))


def test_a_department_that_answers_late_is_told_to_the_head_until_it_answers():
    visit = replace(LADDER.visits[0], role="logistics_manager", escalated_at=LADDER.due_at)
    deal = line_changed(deal_in("fulfilling"), 1, **SHORT, shortage=replace(LADDER, visits=(visit,)))
    assert (items(deal)["late_answer"].roles, items(deal)["late_answer"].action) == (("head_of_sales",), "")
    told = replace(visit, answered_at="2026-01-10T08:00:00Z", answered_by="u-logistics_manager")
    assert "late_answer" not in items(line_changed(deal, 1, shortage=replace(LADDER, visits=(told,))))


def test_an_approval_that_is_late_goes_to_the_director_too():
    deal = replace(deal_in("supporting"), approvals=(replace(WRITE_OFF, roles=("head_of_sales",)),))
    item = items(deal)["approval"]
    assert (item.due_at, item.action, item.payload) == (WRITE_OFF.due_at, "escalate_request", {"item": "approval:9"})
    late = items(replace(deal, escalations=(Escalation("approval:9", WRITE_OFF.due_at),)))
    assert late["late_answer"].roles == ("head_of_sales", "commercial_director")
    assert "approval" not in late


def test_acts_and_amendments_wait_for_the_owner():
    deal = deal_in("supporting")
    assert deal.order
    order = replace(deal.order, discrepancies=(ACT,), amendments=(WANTED,))
    found = items(replace(deal, order=order))
    assert (found["discrepancy"].due_at, found["discrepancy"].note) == (ACT.due_at, "damage of 2 units, carrier")
    assert (found["amendment"].due_at, found["amendment"].note) == (WANTED.due_at, "amendment 1: 1 changes")
    assert {found[kind].person for kind in ("discrepancy", "amendment")} == {"u-account_manager"}
    assert "discrepancy" not in items(replace(deal, order=order), SPINE), "deals of the first rules know no acts"


def test_reservations_are_not_expired_while_the_stock_book_is_being_asked():
    deal = deal_in("fulfilling")
    assert "reservation_expiry" in items(deal)
    assert "reservation_expiry" not in items(replace(deal, pending=(Effect("release_lines", {}, "k"),)))


def test_an_open_case_waits_for_the_owner():
    assert items(replace(deal_in("supporting"), cases=(CASE,)))["complaint"].due_at == CASE.due_at
    closed = replace(CASE, state="closed")
    assert "complaint" not in items(replace(deal_in("supporting"), cases=(closed,)))


def test_completion_waits_for_money_cases_and_effects():
    paid = replace(OWED, paid_minor=OWED.total_minor, state="paid")
    deal = replace(deal_in("supporting"), receivables=(paid,))
    assert items(deal)["completion"].due_at == plus(deal.state_since, 14 * DAY)
    for waiting in (
        replace(deal, receivables=(OWED,)),
        replace(deal, cases=(CASE,)),
        replace(deal, pending=(Effect("send_letter", {}, "k"),)),
    ):
        assert "completion" not in items(waiting)


def test_an_invoice_due_at_once_is_not_announced_before_it_exists():
    owed = replace(OWED, due_at=OWED.issued_at)
    deal = replace(deal_in("ordering"), receivables=(owed,))
    assert items(deal)["collection"].due_at == owed.issued_at
