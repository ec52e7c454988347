"""What every transition table promises, whatever its rows say."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from typing import Any

import pytest

from models.agenda import escalates_to, waits_for
from models.command import Facts
from models.effects import KINDS
from models.lifecycle.machine import Lifecycle, NoSuchMove
from models.lifecycle.machines import DEALS, TABLES
from models.lifecycle.part_tables import RECEIVABLE
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState, ReceivableState, Stage
from models.lifecycle.table import STAYS, Row, Table
from models.policy import DEFAULT
from models.rules import ACTIONS, EVENTS, GUARDS

DEAL = DEALS.table
MACHINES = {table.name: Lifecycle(table) for table in TABLES}
PERSONS = frozenset(Role) - {Role.SYSTEM}


def cells() -> Iterator[Any]:
    for table in TABLES:
        for state, action in product(table.states, table.actions):
            yield pytest.param(table, state, action, id=f"{table.name}-{state}-{action}")


@pytest.mark.parametrize(("table", "state", "action"), list(cells()))
def test_every_action_in_every_state_moves_as_its_row_says_or_not_at_all(table: Table, state: str, action: str):
    machine, row = MACHINES[table.name], table.row(state, action)
    if row is None:
        with pytest.raises(NoSuchMove, match=f"{table.name}: {action} is not possible in {state}"):
            machine.fire(state, action)
    else:
        assert machine.fire(state, action) == (state if row.target == STAYS else row.target)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_state_can_be_reached(table: Table):
    reached = {table.initial}
    while more := {r.target_from(s) for r in table.rows for s in r.sources if s in reached} - reached:
        reached |= more
    assert reached == set(table.states)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_open_state_has_an_exit_and_a_terminal_one_is_only_reopened(table: Table):
    for state in table.states:
        leaves = [r for r in table.rows if state in r.sources and r.target_from(state) != state]
        if state in table.terminal:
            assert all(r.action.startswith("reopen_") and r.target_from(state) not in table.terminal for r in leaves)
            assert not leaves or table is RECEIVABLE, "money comes back, nothing else does"
        else:
            assert leaves, state


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_end_can_be_reached_from_every_open_state(table: Table):
    ending = set(table.terminal)
    while more := {s for r in table.rows for s in r.sources if r.target_from(s) in ending} - ending:
        ending |= more
    assert ending == set(table.states)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_row_says_who_may_and_what_it_is(table: Table):
    for row in table.rows:
        assert row.roles, row.action
        assert row.summary, row.action
        assert not row.roles & {Role.AUDITOR, Role.ADMIN}, f"{row.action}: auditors and admins never act on deals"
        if row.action.startswith(("approve", "decline", "reject")) and row.action != "decline_analogue":
            assert Role.AUTOMATION not in row.roles, f"{row.action}: machines never approve"


@pytest.mark.parametrize("state", DealState.open())
def test_in_every_open_state_somebody_can_leave_it(state: DealState):
    leaving = [row for row in DEAL.rows if state in row.sources and row.target_from(state) != state]
    actors = {role for row in leaving for role in row.roles}
    assert actors, "somebody may leave it"
    if state is not DealState.RELIABILITY_CHECK:  # finance answers there; its officer is told when that takes long
        assert actors & PERSONS, "a person may leave it"


@pytest.mark.parametrize("state", DealState.open())
def test_every_open_state_waits_for_somebody_with_a_deadline_a_reminder_and_an_escalation(state: DealState):
    limit = DEFAULT.deadlines[state]
    assert 0 < limit.remind < limit.escalate
    roles = {role for row in DEAL.rows if state in row.sources for role in row.roles}
    assert waits_for(state)
    assert set(waits_for(state)) <= roles, "who is waited for can act"
    assert escalates_to(state)
    assert not set(escalates_to(state)) & {Role.SYSTEM}


def test_the_policy_has_a_deadline_for_exactly_the_open_states():
    assert set(DEFAULT.deadlines) == set(DealState.open())


@pytest.mark.parametrize("state", DealState.terminal())
def test_in_a_terminal_state_only_answers_of_departments_are_filed(state: DealState):
    assert DEAL.exits[state] == ("file_document", "file_letter", "finish_effect")
    assert all(DEAL.index[state, action].roles == {Role.SYSTEM} for action in DEAL.exits[state])


def test_every_role_acts_somewhere_except_those_who_only_look():
    acting = {role for row in DEAL.rows for role in row.roles}
    assert acting == set(Role) - {Role.AUDITOR, Role.ADMIN}


def test_every_action_has_its_handler_and_every_handler_its_row():
    assert set(ACTIONS) == set(DEAL.actions)


def test_every_guard_is_named_by_a_row_says_why_and_what_it_needs():
    known = {field.name for field in fields(Facts)}
    assert {name for row in DEAL.rows for name in row.guards} == set(GUARDS)
    for guard in GUARDS.values():
        assert guard.check.__doc__, guard.name
        assert guard.needed, guard.name
        assert guard.needs in ("", "payload", *known), guard.name


def test_every_event_says_what_it_changes():
    for tag, kind in EVENTS.items():
        assert kind.tag == tag
        assert kind.__doc__, tag
        assert "apply" in vars(kind) or tag == "deal_opened", tag


def test_effects_are_a_closed_list():
    assert len(KINDS) == len(set(KINDS)) == 15


def test_every_state_belongs_to_one_stage_and_every_stage_has_states():
    assert {state.stage for state in DealState} == set(Stage)
    assert DealState.open() + DealState.terminal() == tuple(DealState)
    assert DealState.of(Stage.CLOSED) == DealState.terminal()


def test_the_ladder_goes_up_the_receivables_levels():
    state = ReceivableState.ISSUED.value
    for rung in DEFAULT.ladder:
        state = MACHINES["receivable"].fire(state, rung.action)
    assert state == "with_legal"


def test_a_table_with_two_rows_for_one_action_in_one_state_is_refused():
    row = Row("go", ("a",), "b", frozenset({Role.SYSTEM}))
    with pytest.raises(ValueError, match="two rows for go in a"):
        Table("t", ("a", "b"), "a", frozenset({"b"}), (row, row))


@pytest.mark.parametrize("row", [Row("go", ("x",), "b", frozenset()), Row("go", ("a",), "x", frozenset())])
def test_a_row_with_an_unknown_state_is_refused(row: Row):
    with pytest.raises(ValueError, match="go names an unknown state"):
        Table("t", ("a", "b"), "a", frozenset({"b"}), (row,))


def test_an_action_that_no_table_has_is_no_move():
    with pytest.raises(NoSuchMove, match="deal: fly is not possible in lost"):
        DEALS.fire("lost", "fly")
