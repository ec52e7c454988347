"""Row-level visibility (D2): which scope a set of roles gives, and what is inside of it."""

import pytest

from models.lifecycle.roles import SEES_ALL, SEES_DEPARTMENT, Role
from models.visibility import EVERYTHING, Scope, scope_of


@pytest.mark.parametrize("role", sorted(SEES_ALL))
def test_some_roles_see_every_deal(role):
    assert scope_of([role], "u", "north").covers("somebody", "south")


@pytest.mark.parametrize("role", sorted(SEES_DEPARTMENT))
def test_heads_and_support_see_their_department_and_their_own(role):
    scope = scope_of([role], "u", "north")
    assert scope.covers("somebody", "north")
    assert scope.covers("u", "south")
    assert not scope.covers("somebody", "south")


def test_managers_see_their_own():
    scope = scope_of(["account_manager"], "u", "north")
    assert scope.covers("u", "south")
    assert not scope.covers("somebody", "north")


def test_an_admin_sees_no_deal_not_even_under_the_same_id():
    assert not scope_of([Role.ADMIN], "u", "north").covers("u", "north")
    assert scope_of([], "u", "north") == Scope("none", "u", "north")


def test_the_widest_role_counts():
    assert scope_of([Role.ADMIN, Role.ACCOUNT_MANAGER], "u", "n").kind == "own"
    assert scope_of([Role.ACCOUNT_MANAGER, Role.HEAD_OF_SALES], "u", "n").kind == "department"
    assert scope_of([Role.HEAD_OF_SALES, Role.AUDITOR], "u", "n").kind == "all"


def test_a_head_without_a_department_does_not_see_all_who_have_none():
    assert scope_of([Role.HEAD_OF_SALES], "u", "").kind == "own"


def test_the_engine_sees_everything():
    assert EVERYTHING.covers("anybody", "anywhere")
    assert scope_of([Role.SYSTEM], "", "").kind == "all"
