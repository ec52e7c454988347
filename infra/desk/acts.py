"""Acts on deals: found by their key when they were done before, else judged by the engine; refusals are recorded."""

import re
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from infra.control.separation import CREDIT_ACT, Separation
from infra.db import table_of
from infra.desk import payloads
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.engine import Engine, WorkflowGone
from infra.desk.errors import DeskError, EngineDown, Invalid, NoSuch, Refused, key_reused, malformed
from infra.desk.judging import Rehearsal, Snapshot, rehearse, shown_refusal, snapshot_of
from infra.desk.recording import RefusalBook
from infra.privacy.discretion import Indiscreet
from models import codec
from models.command import Command
from models.deal import consider
from models.errors import MoveRefused, Refusal
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import HEADS, SALES, Role
from models.messages.deals import ActInput, ActResult
from models.rules import ACTIONS
from models.tables.projection import DealRow
from models.tables.records import CommandRow

_DEALS, _COMMANDS = table_of(DealRow), table_of(CommandRow)
_OWNERS = SALES | HEADS | {Role.AUTOMATION}
_LONGEST_DEPARTMENT = 40
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Ask:
    """One act that a caller asks for."""

    caller: Caller
    deal_id: str
    action: str
    payload: Any
    key: str
    expected_version: int = 0
    settle: bool = False

    @property
    def command(self) -> Command:
        """The act as the core reads it."""
        return Command(self.action, self.caller.actor, self.key, self.payload, self.expected_version)

    @property
    def fingerprint(self) -> str:
        """The digest of what is asked."""
        return payloads.fingerprint(self.action, self.payload, self.caller.user, self.caller.on_behalf_of)


class Acts:
    """Carries acts to the engine."""

    def __init__(self, books: Books, engine: Engine, refusals: RefusalBook, clock: Clock) -> None:
        self._books, self._engine, self._refusals, self._clock = books, engine, refusals, clock
        self._separation = Separation(books, refusals, clock)

    async def act(self, ask: Ask) -> ActResult:
        """Carry out one act. Raises a DeskError; each but EngineDown and Busy stands among the refusals then."""
        state = ""
        try:
            check_key(ask.key)
            state, known = await self._find(ask)
            _check(ask, state)
            as_asked, ask = ask.fingerprint, await self._discreet(ask, state)
            if known is not None:
                return _replay(ask, known, as_asked)
            ask = await self._seen(ask)
            await self._check_people(ask, state)
            return await self._send(ask)
        except Refused as refused:
            await self._record(ask, refused)
            raise _as_shown(refused, ask.caller) from None
        except DeskError as problem:
            await self._record(ask, problem)
            raise

    async def rehearse(self, ask: Ask) -> Rehearsal:
        """Judge an act without carrying it out; records nothing."""
        state, _ = await self._find(ask)
        _check(ask, state)
        ask = await self._seen(ask)
        await self._check_people(ask, state)
        try:
            seen = await self.look(ask.caller, ask.deal_id)
            return await rehearse(self._books, seen, ask.command, ask.caller)
        except Refused as refused:
            raise _as_shown(refused, ask.caller) from None

    async def look(self, caller: Caller, deal_id: str) -> Snapshot:
        """The deal's snapshot at its own time. Raises NoSuch."""
        row = await self._books.deals.get(deal_id, caller.scope)
        if row is None:
            raise NoSuch("deal", deal_id)
        return await snapshot_of(self._books, row, await self.now_of(row))

    async def now_of(self, row: dict[str, Any]) -> str:
        """A deal's own time: the wall clock's, but for test deals, whose clock only the engine knows."""
        if not row["is_test"] or row["closed_at"]:
            return max(self._clock(), row["updated_at"]) if row["is_test"] else self._clock()
        return await self._engine.now(row["id"]) or str(row["updated_at"])

    async def _find(self, ask: Ask) -> tuple[str, dict[str, Any] | None]:
        """The deal's state, and the answer that stands under the key. Raises NoSuch."""
        deal = select(_DEALS.c.state, _DEALS.c.owner, _DEALS.c.department).where(_DEALS.c.id == ask.deal_id)
        known = select(_COMMANDS).where(_COMMANDS.c.scope == ask.deal_id, _COMMANDS.c.key == ask.key)
        if payloads.bad_text(ask.deal_id):
            raise NoSuch("deal", "")
        async with self._books.database.read() as connection:
            row = (await connection.execute(deal)).one_or_none()
            answer = (await connection.execute(known)).mappings().one_or_none() if row and ask.key else None
        if row is None or not ask.caller.scope.covers(row.owner, row.department):
            raise NoSuch("deal", ask.deal_id)
        return str(row.state), dict(answer) if answer else None

    async def _discreet(self, ask: Ask, state: str) -> Ask:
        """The act with tokens for what is personal: nobody behind the desk sees more. Raises Refused."""
        try:
            kind, at = ACTIONS[ask.action].payload, self._clock()
            payload = await self._books.discretion.payload(ask.deal_id, kind, ask.payload, at)
        except Indiscreet as problem:
            raise malformed(ask.action, state, {problem.field: problem.why}) from None
        # tokens are longer than what they stand for, and a short name may be said very often
        if wrong := payloads.too_much(payload):
            raise malformed(ask.action, state, wrong)
        return replace(ask, payload=payload)

    async def _check_people(self, ask: Ask, state: str) -> None:
        if ask.action == "reassign" and (wrong := await self._bad_owner(ask.payload)):
            raise malformed(ask.action, state, wrong)

        if ask.action == CREDIT_ACT:
            await self._separation.check_limit_of(ask.caller, ask.deal_id, ask.action, state)

    async def _seen(self, ask: Ask) -> Ask:
        """The act of a caller of whom it is known for whom they stand in: the core bars them by that."""
        stands_in_for = await self._books.deputies.standing_in(ask.caller.user, self._clock())
        return replace(ask, caller=replace(ask.caller, stands_in_for=stands_in_for)) if stands_in_for else ask

    async def _bad_owner(self, payload: dict[str, Any]) -> dict[str, str]:
        """A deal must wait for somebody who is there: the core cannot know who is."""
        person = await self._books.people.get(payload["owner"])
        if person is None or not person.active or not person.held_roles & _OWNERS:
            return {"owner": "not an active user who may own deals"}
        if len(payload.get("department", "")) > _LONGEST_DEPARTMENT:
            return {"department": f"more than {_LONGEST_DEPARTMENT} characters"}
        return {}

    async def _send(self, ask: Ask) -> ActResult:
        actor, version = ask.caller.actor, ask.expected_version
        asked = ActInput(ask.action, actor, ask.key, ask.fingerprint, ask.payload, version, ask.settle, self._clock())
        try:
            return await self._engine.act(ask.deal_id, asked)
        except WorkflowGone:
            return await self._without_workflow(ask)

    async def _without_workflow(self, ask: Ask) -> ActResult:
        """The workflow has ended: perhaps it answered this very key before, else the snapshot says why not."""
        _, known = await self._find(ask)
        if known is not None:
            return _replay(ask, known)
        seen = await self.look(ask.caller, ask.deal_id)
        try:
            consider(seen.deal, ask.command, seen.policy, seen.now)
        except MoveRefused as refused:
            raise Refused(refused.refusal) from None
        raise EngineDown("the engine does not run this deal")

    async def _record(self, ask: Ask, problem: DeskError) -> None:
        if problem.code in ("engine_unreachable", "too_many_requests"):
            return  # nobody said no
        await self._refusals.note_error(ask.caller, ask.deal_id, ask.action, problem, ask.key)


def check_key(key: str) -> None:
    """An idempotency key is 1 to 200 visible ASCII characters. Raises Invalid."""
    if not _KEY.fullmatch(key):
        raise Invalid({"key": "an idempotency key has 1 to 200 visible ASCII characters"})


def _check(ask: Ask, state: str) -> None:
    """Refuse what no engine has to be asked about: unknown actions and payloads of the wrong shape."""
    if ask.action not in DEALS.table.actions:
        message = f"there is no action {ask.action[:40]!r}"
        raise Refused(Refusal("unknown_action", ask.action, state, message))
    if wrong := payloads.check(ask.action, ask.payload):
        raise malformed(ask.action, state, wrong)


def _replay(ask: Ask, known: dict[str, Any], as_asked: str = "") -> ActResult:
    # as it was asked: stored before somebody whom it names was known, or by a release that kept nothing apart
    if known["fingerprint"] not in (ask.fingerprint, as_asked):
        raise key_reused(ask.key)
    return replace(codec.decode(ActResult, known["body"]), replayed=True)


def _as_shown(refused: Refused, caller: Caller) -> Refused:
    shown = Refused(shown_refusal(refused.refusal, caller))
    shown.recorded = refused.recorded
    return shown
