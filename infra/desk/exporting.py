"""Exports auditors' bundles for callers: who may take what along, and a leaf of the log that says who did."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from infra.desk import payloads
from infra.desk.books import Books
from infra.desk.callers import OPERATOR, SEES_MARGINS, Caller
from infra.desk.clocks import Clock
from infra.desk.engine import Engine
from infra.desk.errors import Busy, Conflict, Invalid, NoSuch, WrongRole
from infra.desk.read_log import KIND, logged
from infra.evidence.bundle_extent import Extent
from infra.evidence.bundle_histories import BundleHistories
from infra.evidence.bundle_writing import Bundle, BundleWriter
from infra.evidence.checkpoints import Checkpoints
from infra.evidence.heads import LogContradicted
from infra.evidence.keys import KeyTrouble
from infra.payloads import cipher_of
from models.instants import day_start
from models.lifecycle.roles import Role
from models.visibility import EVERYTHING

EXPORTERS = SEES_MARGINS
"""Receipts can't be shown in part, for their hashes cover all: who must not see margins exports nothing."""

HISTORIANS = (Role.AUDITOR, Role.COMMERCIAL_DIRECTOR)
MOST_DEALS = 500
"""Deals that can be named at once; more are asked for by customer or period."""

_LONGEST_LOG = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported: named deals, a customer's, those with acts between two days (ISO, UTC, both inside), or
    `everything`. `against` are sizes of checkpoints that the bundle is to continue provably."""

    deals: Sequence[str] = ()
    customer: str = ""
    first: str = ""
    last: str = ""
    everything: bool = False
    against: Sequence[int] = ()


class Exporting:
    """Exports, one at a time in a process: each reads a good part of the books."""

    def __init__(self, books: Books, engine: Engine, clock: Clock) -> None:
        self._books, self._engine, self._clock = books, engine, clock
        self._turn = asyncio.Semaphore(1)

    async def export(
        self, caller: Caller, asked: Asked, target: BinaryIO, progress: Callable[[int], None] = lambda done: None
    ) -> Bundle:
        """Write a bundle into `target` and note in the log who took it. Raises WrongRole, Invalid, NoSuch when there is
        no such deal (or none to see), Busy, and Conflict when the log can't be signed."""
        extent = await self._extent(caller, asked)
        if self._turn.locked():
            raise Busy("another bundle is being exported", retry_after=10)
        async with self._turn:
            bundle = await self._written(caller, extent, target, progress)
        return bundle

    async def _written(
        self, caller: Caller, extent: Extent, target: BinaryIO, progress: Callable[[int], None]
    ) -> Bundle:
        books, at = self._books, self._clock()
        client = self._engine.client if self._engine.is_attached else None
        checkpoints = Checkpoints.of(books.settings, books.database)
        histories = BundleHistories(books.archive, client, cipher_of(books.settings))
        writer = BundleWriter(books.database, books.settings, checkpoints, histories)
        try:
            bundle = await writer.write(target, extent, caller.user, at, progress)
        except LogContradicted as found:
            raise Conflict("log_contradicted", f"the audit log can't be signed: {found}") from None
        except KeyTrouble as trouble:
            raise Conflict("no_audit_key", str(trouble)) from None
        if not bundle.deals and not extent.complete:
            raise NoSuch("deal with acts in this selection", extent.customer or extent.kind)
        ref = extent.deals[0] if len(extent.deals) == 1 else "export"
        # the leaf comes after the checkpoint that the bundle rests on, and before anybody gets the bundle
        await books.audit.append(KIND, ref, _attested(caller, extent, bundle, at) | {"decoded": histories.opened}, at)
        logged(ref)
        return bundle

    async def _extent(self, caller: Caller, asked: Asked) -> Extent:
        if caller != OPERATOR:
            caller.require("exporting evidence", EXPORTERS)
            if caller.is_blind:
                raise WrongRole("exporting evidence", tuple(sorted(map(str, EXPORTERS))))
        _check(asked)
        scope = EVERYTHING if caller == OPERATOR else caller.scope
        for deal_id in asked.deals:
            if payloads.bad_text(deal_id) or await self._books.deals.get(deal_id, scope) is None:
                raise NoSuch("deal", deal_id)
        all_seeing = caller == OPERATOR or caller.has(Role.AUDITOR)
        return Extent(
            deals=tuple(dict.fromkeys(asked.deals)),
            customer=asked.customer,
            first=asked.first,
            last=asked.last,
            scope=scope,
            histories=caller == OPERATOR or caller.has(*HISTORIANS),
            reads=all_seeing,
            complete=asked.everything and all_seeing,
            against=tuple(asked.against),
        )


def _check(asked: Asked) -> None:
    if [bool(asked.deals), bool(asked.customer or asked.first or asked.last), asked.everything].count(True) != 1:
        raise Invalid({"query": "name deals, or a customer and a period or one of them, or ask for everything"})
    if len(asked.deals) > MOST_DEALS:
        raise Invalid({"query.deals": f"at most {MOST_DEALS}"})
    if asked.customer and (why := payloads.bad_text(asked.customer)):
        raise Invalid({"query.customer": why})
    for name, day in (("query.from", asked.first), ("query.to", asked.last)):
        try:
            sound = not day or (len(day) == 10 and bool(day_start(day)) and day < "9999-12-31")
        except (ValueError, OverflowError):
            sound = False
        if not sound:
            raise Invalid({name: "a day looks like 2026-11-21"})
    if asked.first and asked.last and asked.last < asked.first:
        raise Invalid({"query.to": "the last day is before the first"})
    if any(not 0 <= size <= _LONGEST_LOG for size in asked.against):
        raise Invalid({"query.against": "the number of leaves of a checkpoint"})


def _attested(caller: Caller, extent: Extent, bundle: Bundle, at: str) -> dict[str, Any]:
    deputy = {"on_behalf_of": caller.on_behalf_of} if caller.on_behalf_of else {}
    return deputy | {
        "by": caller.user,
        "credential": caller.credential,
        "what": "export",
        "selection": extent.plain(),
        "deals": bundle.deals,
        "checkpoint": bundle.size,
        "root": bundle.root,
        "manifest": bundle.manifest,
        "at": at,
    }
