"""Every state with every action of the deal, by every role: moves as the table says, or the right reason why not."""

from dataclasses import MISSING, fields, replace
from itertools import product
from typing import Any

import pytest

from models.command import Actor, Command, Facts
from models.deal import allowed_actions, consider, decide, fold
from models.errors import MoveRefused, Refusal
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState
from models.policy import DEFAULT
from models.rules import ACTIONS
from models.stages.handling import Empty
from tests.models.deals import deal_in
from tests.models.samples import Sample, actor_of, sample
from tests.models.world import START

DEAL = DEALS.table
CELLS = [(str(s), a) for s, a in product(DEAL.states, DEAL.actions)]
MOVES = [cell for cell in CELLS if cell in DEAL.index]
AUTHORITY = {
    "signing_within_authority",
    "discount_within_authority",
    "discount_within_approver",
    "approval_is_needed",
    "special_clauses_need_legal",
}
"""Guards that look at the role itself: what one may, another may not."""


def refused(asked: Sample) -> Refusal:
    before = repr(asked.deal)
    with pytest.raises(MoveRefused) as caught:
        asked.decide()
    assert repr(asked.deal) == before
    refusal = caught.value.refusal
    assert (refusal.action, refusal.state, str(caught.value)) == (asked.action, asked.deal.state, refusal.message)
    assert set(refusal.allowed_actions) == set(allowed_actions(asked.deal, asked.actor.roles, asked.policy))
    return refusal


def outcome(asked: Sample) -> tuple[str, set[str], str]:
    """What came of it, the guards that failed, and the role under which it was recorded."""
    try:
        return "moved", set(), asked.decide().entry.role
    except MoveRefused as no:
        return no.refusal.code, {v.guard for v in no.refusal.failing}, ""


def asked_of(state: str, action: str, role: str = "system", payload: dict[str, Any] | None = None) -> Sample:
    return Sample(deal_in(state), action, payload or {}, actor_of(role), START)


@pytest.mark.parametrize(("state", "action"), MOVES)
def test_a_row_whose_guards_hold_moves_the_deal(state: str, action: str):
    asked = sample(state, action)
    decision, row = asked.decide(), DEAL.index[state, action]
    assert decision.deal.state == row.target_from(state)
    assert decision.deal.version == asked.deal.version + 1
    entry = decision.entry
    assert (entry.action, entry.state_from, entry.state_to) == (action, state, decision.deal.state)
    assert [v["guard"] for v in entry.verdicts] == list(row.guards)
    assert all(v["ok"] for v in entry.verdicts)
    moved = decision.deal.state != state
    assert decision.deal.state_since == (asked.now if moved else asked.deal.state_since)


@pytest.mark.parametrize(("state", "action"), [cell for cell in CELLS if cell not in DEAL.index])
def test_an_action_without_a_row_is_refused_whoever_asks(state: str, action: str):
    refusal = refused(asked_of(state, action))
    assert refusal.code == "wrong_state"
    assert refusal.states_allowed == tuple(map(str, DEAL.states_with(action)))
    assert state in refusal.message


@pytest.mark.parametrize(("state", "action"), MOVES)
def test_the_role_matrix_is_exactly_the_tables(state: str, action: str):
    row = DEAL.index[state, action]
    for role in Role:
        asked = replace(sample(state, action), actor=actor_of(role))
        if role not in row.roles:
            refusal = refused(asked)
            assert refusal.code == "wrong_role", role
            assert refusal.roles_allowed == tuple(sorted(map(str, row.roles)))
            continue
        code, failing, used = outcome(asked)
        assert code in ("moved", "guard_failed")
        assert failing <= AUTHORITY, role
        assert used in (role, "")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
@pytest.mark.parametrize("state", DealState)
def test_auditors_and_admins_are_allowed_nothing(state: str, role: Role):
    assert allowed_actions(deal_in(state), (role,), DEFAULT) == ()


@pytest.mark.parametrize("state", DealState.terminal())
def test_nobody_is_allowed_anything_in_a_terminal_state(state: str):
    assert allowed_actions(deal_in(state), set(Role) - {Role.SYSTEM}, DEFAULT) == ()


@pytest.mark.parametrize(("state", "action"), MOVES)
def test_a_payload_of_another_shape_is_malformed(state: str, action: str):
    asked, kind = sample(state, action), ACTIONS[action].payload
    refusal = refused(asked.asking(surprise=1))
    assert (refusal.code, refusal.field_errors) == ("malformed", {"surprise": "unknown field"})
    for field in fields(kind):
        wrong = refused(asked.asking(**{field.name: 1.5}))
        assert wrong.code == "malformed"
        assert list(wrong.field_errors) == [field.name]
        if field.default is MISSING and field.default_factory is MISSING:
            rest = {name: value for name, value in asked.payload.items() if name != field.name}
            missing = refused(replace(asked, payload=rest))
            assert (missing.code, missing.field_errors) == ("malformed", {field.name: "required field is missing"})


def test_an_action_that_no_table_knows_is_unknown():
    refusal = refused(asked_of("contacted", "fly"))
    assert (refusal.code, refusal.message) == ("unknown_action", "there is no action 'fly'")


def test_the_state_is_looked_at_before_the_role_and_the_role_before_the_payload():
    nonsense = {"surprise": 1}
    assert refused(asked_of("completed", "hold", "auditor", nonsense)).code == "wrong_state"
    assert refused(asked_of("contacted", "hold", "auditor", nonsense)).code == "wrong_role"
    assert refused(asked_of("contacted", "hold", "legal", nonsense)).code == "malformed"


def test_a_stale_version_is_refused_and_names_both():
    deal = deal_in("contacted")
    command = Command("qualify", actor_of("account_manager"), "k", expected_version=deal.version - 1)
    with pytest.raises(MoveRefused) as caught:
        decide(deal, command, DEFAULT, START)
    assert caught.value.refusal.code == "stale_version"
    assert caught.value.refusal.message == f"the deal is at version {deal.version}, not {deal.version - 1}"
    assert decide(deal, replace(command, expected_version=deal.version), DEFAULT, START).deal.state == "qualified"


def test_the_first_of_several_roles_that_may_act_is_the_one_that_is_written_down():
    both = Actor("u-b", ("auditor", "legal", "head_of_sales"), on_behalf_of="u-a")
    entry = replace(sample("contacted", "hold"), actor=both).decide().entry
    assert (entry.actor, entry.on_behalf_of, entry.role) == ("u-b", "u-a", "legal")


def test_what_is_not_known_yet_is_left_open_when_considering_and_fails_when_deciding():
    asked = replace(sample("offer_open", "accept_offer"), facts=Facts())
    command = Command(asked.action, asked.actor, "k")
    assert consider(asked.deal, command, DEFAULT, asked.now).role == asked.actor.roles[0]
    assert [v.guard for v in refused(asked).failing] == ["group_is_not_on_hold", "headroom_is_available"]


def test_actions_that_ask_the_world_name_the_facts_they_need_and_reserve_last():
    asking = {name: " ".join(spec.asks) for name, spec in ACTIONS.items() if spec.asks}
    assert asking == {
        "draft_offer": "quote",
        "accept_offer": "group_holds headroom",
        "sign": "group_holds",
        "enter_order": "group_holds",
        "ship": "group_holds",
        "propose_analogue": "quote",
        "book_reservation": "quote",
        "request_amendment": "quote",
        "enter_differing_order": "quote",
        "confirm_amendment": "group_holds headroom",
        "bring_invoice": "invoice_number",
        "adopt_policy": "policy",
    }
    assert {fact for spec in ACTIONS.values() for fact in spec.asks} == {field.name for field in fields(Facts)}


def test_actions_without_a_payload_take_an_empty_body():
    bare = {name for name, spec in ACTIONS.items() if spec.payload is Empty}
    assert {"qualify", "send_offer", "accept_order", "complete"} <= bare


def test_a_timeline_with_a_move_that_the_table_does_not_allow_does_not_fold():
    with pytest.raises(ValueError, match="empty timeline"):
        fold([])
    entry = sample("contacted", "qualify").decide().entry
    with pytest.raises(ValueError, match="does not begin with an opening"):
        fold([entry])
