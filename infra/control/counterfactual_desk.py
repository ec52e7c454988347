"""Counterfactual runs for callers: the deals of a period under a draft. Nothing is written, but for the log of an
auditor's reading."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import true

from infra.control.policy_desk import Numbers, PolicyDesk, asked_numbers, read_policy
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch
from infra.desk.read_log import ReadLog
from infra.stores.deals import visible
from infra.stores.pasts import PastStore, Record
from models import codec
from models.counterfactual import Past, Period, Tried, added_up, tried
from models.counterfactual_refusals import RefusedAct
from models.counterfactual_values import Total
from models.errors import Verdict
from models.instants import between, canonical
from models.lifecycle.roles import HEADS, Role
from models.policy import Policy
from models.timeline import Entry

TRIERS = HEADS | {Role.ADMIN, Role.AUDITOR}
_TOGETHER = 20
"""Deals that are read and judged at once."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """Which decisions are tried: from an instant on, before another one; of one deal when it is named, else of all but
    test deals, unless those are asked for too. A page begins `after` a deal and has at most `limit` deals (0: all)."""

    since: str
    until: str
    deal: str = ""
    tests: bool = False
    after: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out otherwise. `deals` has those with a difference that the caller sees; `unreadable` names deals that
    could not be judged, and why. `next_after` is the last deal of this page, empty on the last one."""

    version: str
    since: str
    until: str
    tried: int
    judged: int
    deals: list[Tried]
    totals: list[Total]
    unreadable: dict[str, str]
    next_after: str = ""


class CounterfactualDesk:
    """Tries policies on what was recorded."""

    def __init__(self, books: Books, policies: PolicyDesk, reads: ReadLog, clock: Clock) -> None:
        self._books, self._policies, self._reads, self._clock = books, policies, reads, clock
        self._pasts = PastStore(books.database)

    async def run(
        self,
        caller: Caller,
        version: str,
        asked: Question,
        changes: Numbers | None = None,
        progress: Progress = lambda done: None,
    ) -> Outcome:
        """Try a draft or a version that stands, perhaps with further changes. Raises WrongRole, NoSuch or Invalid.

        Who sees no deals, as an admin, is told the totals over all.
        """
        caller.require("trying policies", TRIERS)
        body = await self._policies.numbers(caller, version)
        policy = read_policy(asked_numbers(body, changes) if changes else body)
        period = self._period(asked)
        deals = await self._deals(caller, asked)
        page = deals[: asked.limit] if asked.limit else deals
        await self._reads.many(caller, "counterfactual", version, len(page))
        found, unreadable = await self._judge(page, policy, period, progress)
        seen = [each for each in found if each.flips and caller.scope.covers(each.owner, each.department)]
        return Outcome(
            version=version,
            since=period.since,
            until=period.until,
            tried=len(page),
            judged=sum(each.judged for each in found),
            deals=seen,
            totals=added_up(flip for each in found for flip in each.flips),
            unreadable=unreadable if caller.scope.kind != "none" else {},
            next_after=page[-1] if len(page) < len(deals) else "",
        )

    def _period(self, asked: Question) -> Period:
        try:
            since, until = canonical(asked.since), canonical(asked.until)
        except (ValueError, OverflowError):
            raise Invalid({"since": "instants look like 2026-11-21T08:00:00Z"}) from None
        if since >= until:
            raise Invalid({"until": "must be later than since"})
        return Period(since, until, self._clock())

    async def _deals(self, caller: Caller, asked: Question) -> list[str]:
        totals_only = caller.scope.kind == "none"
        if asked.deal and (totals_only or not await self._books.deals.get(asked.deal, caller.scope)):
            raise NoSuch("deal", asked.deal)
        scope = true() if totals_only else visible(caller.scope)
        found = await self._pasts.deals(canonical(asked.since), canonical(asked.until), scope, asked.deal, asked.tests)
        # databases order texts as their locale says; pages need one order
        return sorted(deal for deal in found if deal > asked.after)

    async def _judge(
        self, deals: Sequence[str], draft: Policy, period: Period, progress: Progress
    ) -> tuple[list[Tried], dict[str, str]]:
        roles = await self._pasts.roles()
        found: list[Tried] = []
        unreadable: dict[str, str] = {}
        for place in range(0, len(deals), _TOGETHER):
            for record in await self._pasts.records(deals[place : place + _TOGETHER]):
                try:
                    past = await self._past(record, roles)
                    found.append(await asyncio.to_thread(tried, past, draft, period))
                except (ValueError, KeyError, LookupError) as problem:
                    unreadable[record.entries[0].deal_id] = str(problem)
            progress(min(len(deals), place + _TOGETHER))
        return found, unreadable

    async def _past(self, record: Record, roles: dict[str, tuple[str, ...]]) -> Past:
        versions = {entry.policy_version for entry in record.entries}
        policies = {version: await self._books.policies.of(version) for version in versions}
        refused = [_refused(row, record, roles) for row in record.refused]
        return Past(record.entries, policies, refused)


def _refused(row: dict[str, Any], record: Record, roles: dict[str, tuple[str, ...]]) -> RefusedAct:
    """A refusal with the roles of who asked: those of the nearest act on this deal, else those of today."""
    mine = [entry for entry in record.entries if entry.actor == row["actor"] and entry.receipt]
    acted = min(mine, key=lambda entry: abs(between(_asked_at(entry), row["at"])), default=None)
    held = tuple(acted.receipt["roles"]) if acted and acted.receipt else roles.get(row["actor"], ())
    failing = tuple(codec.decode(Verdict, verdict) for verdict in row["detail"].get("failing", ()))
    state = str(row["detail"].get("state", ""))
    return RefusedAct(row["at"], row["actor"], held, row["action"], failing, state)


def _asked_at(entry: Entry) -> str:
    """When an act was asked by the wall clock, as far as its entry says so."""
    return str(entry.receipt["asked_at"]) or entry.at if entry.receipt else entry.at
