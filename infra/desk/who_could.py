"""Who could do what with a deal at an instant of the past: rights as they were, judged by the guards on the deal as it
was."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.control.rights import UserRights, acting_roles, rights_at
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import NoSuch, WrongRole
from infra.desk.time_travel import TimeTravel
from infra.desk.two_times import Asked, now_of
from infra.stores.as_of import AsOfStore
from models import codec
from models.command import Context, Facts
from models.deal import EMPTY_FACTS, fold, judge_guards
from models.deal_state import Deal
from models.lifecycle.guards import GUARDS
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import HEADS, Role
from models.lifecycle.table import Row
from models.policy import Policy
from models.stages.adopting import pinned
from models.stages.group_hold import group_of
from models.timeline import Entry

Plain = dict[str, Any]

READERS = HEADS | {Role.AUDITOR, Role.ADMIN}


@dataclass(frozen=True, slots=True)
class _Then:
    """The deal as it was, with what the world said of it and everybody who could act."""

    deal: Deal
    policy: Policy
    at: str
    facts: Facts
    people: tuple[Caller, ...]


class WhoCould:
    """Answers for heads, auditors and admins, within their scope of today."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._travel, self._store = TimeTravel(books, clock), AsOfStore(books.database)

    async def deal(self, caller: Caller, deal_id: str, asked: Asked, action: str = "") -> Plain:
        """Every action that the deal's state allowed (or the one that is asked for), who could do it, and what stood in
        the way of whoever else had the role. Raises WrongRole, NoSuch or Invalid."""
        caller.require("reading who could act", READERS)
        if caller.is_blind:
            raise WrongRole("reading who could act", tuple(sorted(map(str, READERS))))
        if action and not DEALS.table.states_with(action):
            raise NoSuch("action", action)
        row = await self._travel.row(caller, deal_id, "who-could")
        times = asked.times(now_of(row, self._clock()), ahead=row["is_test"])
        entries = await self._books.timeline.entries(deal_id, as_of=times.at)
        told: Plain = {"deal_id": deal_id, "at": times.at, "known_at": times.known_at, "state": "", "version": 0}
        if not entries:
            return told | {"people": 0, "actions": []}
        then = await self._then(entries, times.at)
        rows = [DEALS.table.index[then.deal.state, name] for name in DEALS.table.exits[then.deal.state]]
        return told | {
            "state": str(then.deal.state),
            "version": then.deal.version,
            "people": len({person.user for person in then.people}),
            "actions": [_action(then, each) for each in rows if action in ("", each.action)],
        }

    async def _then(self, entries: list[Entry], at: str) -> _Then:
        deal, opened_under = fold(entries), await self._books.policies.of(entries[0].policy_version)
        policy = pinned(entries, opened_under)
        facts = EMPTY_FACTS
        if policy.rules >= 3 and not deal.is_closed:
            holds = await self._store.holds_on(group_of(deal), deal.id, at, is_test=deal.is_test)
            facts = facts.told(holds)
        # a test deal may live ahead of us: rights are those of the latest instant that has been
        rights = await rights_at(self._books.database, min(at, self._clock()) if deal.is_test else at)
        return _Then(deal, policy, at, facts, tuple(_callers(rights)))


def _callers(rights: dict[str, UserRights]) -> Iterator[Caller]:
    """Everybody who was active, under their own rights and under those of each person they stood in for."""
    for user, mine in rights.items():
        if not mine.active:
            continue
        if mine.roles:
            yield Caller(user, mine.roles, mine.department, stands_in_for=mine.stands_in_for)
        for absent in mine.stands_in_for:
            if roles := acting_roles(rights, absent):
                yield Caller(user, roles, rights[absent].department, absent, stands_in_for=mine.stands_in_for)


def _action(then: _Then, row: Row) -> Plain:
    allowed: list[Plain] = []
    blocked: list[Plain] = []
    for person in then.people:
        role = next((role for role in person.roles if role in row.roles), "")
        if not role:
            continue
        judged = _judged(then, row, person, role)
        (blocked if judged["code"] else allowed).append(judged)
    return {
        "action": row.action,
        "summary": row.summary,
        "target": str(row.target_from(then.deal.state)),
        "roles": sorted(map(str, row.roles)),
        "allowed": allowed,
        "blocked": blocked,
    }


def _judged(then: _Then, row: Row, person: Caller, role: str) -> Plain:
    """One person in front of one action: `code` is empty when nothing stood in the way that is known without a
    payload; `unchecked` are guards that need one."""
    context = Context(then.deal, person.actor, role, None, then.facts, then.policy, then.at)
    verdicts = judge_guards(row, context)
    failing = [codec.encode(verdict) for verdict in verdicts if not verdict.ok]
    sees = person.scope.covers(then.deal.owner, then.deal.department)
    return {
        "user": person.user,
        "on_behalf_of": person.on_behalf_of,
        "role": role,
        "code": "" if sees and not failing else "guard_failed" if sees else "out_of_sight",
        "failing": failing,
        "unchecked": sorted(_judging(row, then.policy) - {verdict.guard for verdict in verdicts}),
    }


def _judging(row: Row, policy: Policy) -> set[str]:
    """The guards of an action that the deal's generation of rules knows."""
    return {name for name in row.guards if GUARDS[name].since <= policy.rules}
