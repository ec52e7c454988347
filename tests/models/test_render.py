"""The tables as JSON, diagrams and pages."""

import json
import re

import pytest

from docs.lifecycle_page import lifecycle_page
from models.lifecycle import render
from models.lifecycle.machines import TABLES
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState
from models.lifecycle.table import STAYS, Table
from models.policy import DEFAULT
from models.rules import GUARDS

DEAL = TABLES[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_a_table_as_json_says_all_that_it_says(table: Table):
    plain = json.loads(json.dumps(render.to_plain(table)))
    assert (plain["name"], plain["initial"]) == (table.name, str(table.initial))
    assert plain["states"] == [str(state) for state in table.states]
    assert set(plain["terminal"]) == {str(state) for state in table.terminal}
    for row, told in zip(table.rows, plain["rows"], strict=True):
        assert (told["action"], tuple(told["sources"]), tuple(told["guards"])) == (row.action, row.sources, row.guards)
        assert told["target"] == (None if row.target == STAYS else row.target)
        assert set(told["roles"]) == set(row.roles)
    assert ("stages" in plain) == (table is DEAL)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_diagrams_show_every_move_and_nothing_else(table: Table):
    moves = {(s, r.target_from(s), r.action) for r in table.rows for s in r.sources if r.target_from(s) != s}
    drawn = re.findall(r"^    (\w+) --> (\w+): (.+)$", render.mermaid(table), re.MULTILINE)
    assert {(s, t, action) for s, t, actions in drawn for action in actions.split(", ")} == moves
    arrows = re.findall(r'^    (\w+) -> (\w+) \[label="(.+)"\];$', render.dot(table), re.MULTILINE)
    assert {(s, t, action) for s, t, actions in arrows for action in actions.split("\\n")} == moves


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_diagrams_mark_beginning_and_ends(table: Table):
    diagram, graph = render.mermaid(table), render.dot(table)
    assert f"[*] --> {table.initial}" in diagram
    assert set(re.findall(r"(\w+) --> \[\*\]", diagram)) == {str(state) for state in table.terminal}
    assert set(re.findall(r"(\w+) \[peripheries=2\]", graph)) == {str(state) for state in table.terminal}
    assert graph.startswith(f"digraph {table.name} {{")
    assert graph.endswith("}")


def test_the_role_matrix_marks_exactly_the_tables_roles():
    head, _, *rows = (line.strip("| ").split("|") for line in render.role_matrix(DEAL).splitlines())
    roles = [name.strip().replace(" ", "_") for name in head[1:]]
    assert set(roles) == set(Role) - {Role.AUDITOR, Role.ADMIN}
    for line in render.role_matrix(DEAL).splitlines()[2:]:
        action, *marks = (cell.strip() for cell in line.strip().strip("|").split("|"))
        able = {role for role, mark in zip(roles, marks, strict=True) if mark == "x"}
        assert able == {r for row in DEAL.rows if f"`{row.action}`" == action for r in row.roles}
    assert len(rows) == len(DEAL.actions)


def test_the_page_shows_every_table_guard_and_deadline():
    page = lifecycle_page()
    for table in TABLES:
        assert render.mermaid(table) in page
    for guard in GUARDS.values():
        assert f"### {guard.name}\n\n{render.sentence(guard)}" in page
        assert guard.needed in page
    for state in DealState.open():
        assert f"| `{state}` | {state.stage} |" in page
    assert "| `dun_second` | 14 days after | second dunning | sets the credit hold |" in page
    assert "| `announce_due` | 3 days before | pre due notice |  |" in page
    assert "every open state" in page


def test_a_table_without_guards_has_no_column_for_them():
    assert "| action | from | to | who | what it is |" in render.markdown(TABLES[1])
    assert "| action | from | to | who | if | what it is |" in render.markdown(DEAL)
    assert "| every state |" in render.markdown(DEAL)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86_400, "1 day"),
        (3 * 86_400, "3 days"),
        (14_400, "4 hours"),
        (60, "1 minute"),
        (61, "61 seconds"),
        (0, "0 days"),
    ],
)
def test_durations_are_said_in_the_largest_unit_that_fits(seconds: int, words: str):
    assert render.duration(seconds) == words


def test_deadlines_follow_the_policy():
    waits, told = "head of sales, commercial director", "commercial director"
    row = f"| `offer_approval` | negotiation | {waits} | 4 hours | 1 day | {told} |"
    assert row in render.deadlines(DEFAULT).splitlines()
