"""Detection of combined duties and split concessions: over our own history, and over the event log of any system."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.control.event_logs import LogEvent
from infra.control.foreign_duties import concession_of, duty_event_of
from infra.control.rights import RightsHistory, rights_history
from infra.db import Database, table_of
from infra.stores.master_log import RISK_FIELDS
from infra.stores.policies import PolicyStore
from infra.stores.timeline import entry_of, timelines
from models import codec
from models.concessions import Concession, splits
from models.conflicts import ConflictFinder, Done, DutyEvent, Finding, in_order
from models.duties import CONFLICTS
from models.duty_events import DealActs
from models.instants import DAY, day_start, plus
from models.policy import Policy
from models.tables.projection import DealRow
from models.tables.records import AuditLeafRow, TimelineRow
from models.timeline import Entry

_LEAVES, _DEALS, _TIMELINE = table_of(AuditLeafRow), table_of(DealRow), table_of(TimelineRow)
_ACROSS = tuple(rule for rule in CONFLICTS if rule.scope in ("customer", "policy"))
_WITHIN = tuple(rule for rule in CONFLICTS if rule not in _ACROSS)
_MASTER = ("customer", "credit_limit", "policy_draft", "policy_approval")
_TOGETHER = 50

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: conflicts that were completed from one day to another (empty: all), of one customer or group."""

    first: str = ""
    last: str = ""
    customer: str = ""
    test_deals: bool = False

    @property
    def until(self) -> str:
        """The instant at which the last day is over. Raises ValueError for what is no day."""
        return plus(day_start(self.last), DAY) if self.last else ""

    def covers(self, finding: Finding) -> bool:
        """Whether the act that completed the conflict lies in the period."""
        at = finding.acts[-1].at
        return (not self.first or at >= day_start(self.first)) and (not self.last or at < self.until)


@dataclass
class Detected:
    """What was looked at, and what was found. `unmapped` are activities of a foreign log of which nobody said what duty
    they are, with how often they came; `nameless` its acts that nobody is named for."""

    cases: int = 0
    acts: int = 0
    findings: list[Finding] = field(default_factory=list)
    unmapped: dict[str, int] = field(default_factory=dict)
    nameless: int = 0


class Detection:
    """Looks for conflicts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def history(self, asked: Asked, progress: Progress = lambda done: None) -> Detected:
        """Conflicts in our own history: timelines, and what the audit log tells of master data and rights.

        Reads deal by deal. Raises ValueError for a period that is none.
        """
        for day in filter(None, (asked.first, asked.last)):
            day_start(day)
        rights, policies = await rights_history(self._database), await self._policies()
        look = _Look(rights, policies, asked.test_deals)
        async with self._database.read() as connection:
            async for some in _stories(connection, asked.customer):
                # in a thread: this is long work that must not stop the event loop
                await asyncio.to_thread(look.at_deals, some)
                progress(look.detected.cases)
            leaves = await _master_acts(connection, asked.customer)
        found = await asyncio.to_thread(look.finish, leaves)
        found.findings = sorted(filter(asked.covers, found.findings), key=lambda each: each.acts[-1].at)
        return found

    async def _policies(self) -> dict[str, Policy]:
        rows = await PolicyStore(self._database).all()
        return {row["version"]: codec.decode(Policy, row["body"]) for row in rows}


class _Look:
    """What one look over the history has seen."""

    def __init__(self, rights: RightsHistory, policies: dict[str, Policy], test_deals: bool) -> None:
        ships = rights.deputyships()
        self._within, self._across = ConflictFinder(ships, _WITHIN), ConflictFinder(ships, _ACROSS)
        self._rights, self._policies, self._test_deals = rights, policies, test_deals
        self._concessions: list[Concession] = []
        self._later: list[DutyEvent] = []
        self.detected = Detected()

    def at_deals(self, stories: Iterable[list[Entry]]) -> None:
        """Whole timelines."""
        for entries in stories:
            acts = DealActs(self._policies)
            events = list(acts.of(entries))
            if acts.is_test and not self._test_deals:
                continue
            self.detected.cases += 1
            self.detected.acts += len(entries)
            for event in events:
                self.detected.findings += self._within.feed(event)
            self._within.forget()
            self._concessions += acts.concessions
            self._later += [event for event in events if event.activity == "approve_reliability"]

    def finish(self, leaves: list[dict[str, Any]]) -> Detected:
        """What goes over deals: master data, shares of a customer, and rights that somebody gave to themselves."""
        self.detected.acts += len(leaves)
        for event in in_order([*self._later, *filter(None, map(_master_act, leaves))]):
            self.detected.findings += self._across.feed(event)
        self.detected.findings += splits(self._concessions)
        self.detected.findings += _self_granted(self._rights)
        return self.detected


async def _stories(connection: AsyncConnection, customer: str) -> AsyncIterator[list[list[Entry]]]:
    """Timelines some deals at a time: all, or those of a customer or customer group."""
    if not customer:
        async for some in timelines(connection):
            yield some
        return
    asked = select(_DEALS.c.id).where(or_(_DEALS.c.customer_id == customer, _DEALS.c.group_id == customer))
    deals = list((await connection.execute(asked.order_by(_DEALS.c.id))).scalars())
    for start in range(0, len(deals), _TOGETHER):
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id.in_(deals[start : start + _TOGETHER]))
        rows = await connection.execute(query.order_by(_TIMELINE.c.deal_id, _TIMELINE.c.sequence))
        yield [list(entries) for _, entries in groupby(map(entry_of, rows.mappings()), attrgetter("deal_id"))]


async def _master_acts(connection: AsyncConnection, customer: str) -> list[dict[str, Any]]:
    shown = (_LEAVES.c.sequence, _LEAVES.c.kind, _LEAVES.c.ref, _LEAVES.c.at, _LEAVES.c.body)
    query = select(*shown).where(_LEAVES.c.body.is_not(None), _LEAVES.c.kind.in_(_MASTER))
    rows = [dict(row) for row in (await connection.execute(query.order_by(_LEAVES.c.sequence))).mappings()]
    return [row for row in rows if not customer or customer in (row["ref"], row["body"].get("group"))]


def _master_act(leaf: dict[str, Any]) -> DutyEvent | None:
    """A leaf of the audit log as an act; None for what is no duty, such as blocking a customer."""
    body, kind = leaf["body"], leaf["kind"]
    if kind == "customer" and not set(body["fields"]) - RISK_FIELDS:
        return None
    about = f"customer:{body['group']}" if "group" in body else f"policy:{body.get('version', leaf['ref'])}"
    who = str(body.get("by", ""))
    machine = who in ("", "operator")
    where = f"leaf {leaf['sequence']}"
    return DutyEvent(about, kind, who, leaf["at"], str(body.get("for", "")), where, (about,), machine)


def _self_granted(rights: RightsHistory) -> list[Finding]:
    """Users who gave themselves roles that they did not have."""
    found: list[Finding] = []
    held: dict[str, set[str]] = {}
    for body in rights.users:
        user, roles = body["id"], set(body["roles"])
        new = sorted(roles - held.get(user, set()))
        if new and body.get("by") == user:
            act = Done(f"leaf of user {user}", body["at"], "user", user)
            why = f"nobody gives rights to themselves: {', '.join(new)}"
            found.append(Finding("rights_to_oneself", "high", True, "", f"user:{user}", (user,), "", (act,), why))
        held[user] = roles
    return found


def detect_in_log(events: Iterable[LogEvent], duties: Mapping[str, str]) -> Detected:
    """Conflicts in the event log of any system; `duties` says which of our acts or duties its activities are.

    Takes all events into memory. An activity that has the name of one of our acts needs no saying.
    """
    known = list(events)
    finder = ConflictFinder()
    found, unmapped = Detected(), Counter[str]()
    cases: set[str] = set()
    concessions: list[Concession] = []
    for event in sorted(known, key=lambda each: each.at):
        cases.add(event.case)
        if (given := concession_of(event)) is not None:
            concessions.append(given)
        act = duty_event_of(event, duties)
        if act is None:
            unmapped[event.activity] += 1
        elif not event.resource:
            found.nameless += 1
        else:
            found.findings += finder.feed(act)
    found.findings += splits(concessions)
    found.cases, found.acts, found.unmapped = len(cases), len(known), dict(unmapped.most_common())
    return found
