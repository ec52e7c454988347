"""Acts on deals as the users of a data folder, patiently: waits until a deal rests, asks again when nobody answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import Client

from cli.exits import CommandFailed, ExitCode
from cli.session import DEPUTY_OF, OPERATOR, Session
from infra.data_folder import see_that_the_keys_are_there
from infra.db import Database
from infra.desk.callers import OPERATOR as OPERATING
from infra.desk.callers import Caller, caller_of
from infra.desk.errors import Busy, DeskError, EngineDown
from infra.desk.service import DealDesk
from infra.stores.pages import Row
from infra.system import engine_for
from infra.temporal_client import connect_as
from infra.test_clock import fast_forward
from models import codec
from models.deal_state import Deal
from models.instants import render
from models.lifecycle.states import DealState
from models.messages.deals import ActResult, workflow_id

T = TypeVar("T")

REST_SECONDS = 60.0
_FIRST_LOOK, _LAST_LOOK = 0.02, 0.25
_TRIES = 5


class Hands:
    """The users' hands on one installation."""

    def __init__(self, desk: DealDesk, client: Client) -> None:
        self.desk, self.client = desk, client
        self._callers: dict[str, Caller] = {OPERATOR: OPERATING}

    async def caller(self, user: str) -> Caller:
        """The user with the roles that stand in the data folder. Raises CommandFailed."""
        if user not in self._callers:
            self._callers[user] = await caller_named(self.desk, user)
        return self._callers[user]

    async def act(self, user: str, deal_id: str, action: str, payload: dict[str, Any], key: str) -> ActResult:
        """Carry out one act; asked again with the same key while the engine doesn't answer. Raises a DeskError."""
        caller = await self.caller(user)
        return await patiently(lambda: self.desk.act(caller, deal_id, action, payload, key))

    async def settled(self, deal_id: str, patience: float = REST_SECONDS) -> Deal:
        """The deal as soon as everything that it asked of the world is done. Raises CommandFailed after `patience`
        seconds: a minute, unless what a killed worker had begun must be given up first."""
        row = await self.settled_row(deal_id, patience)
        return codec.decode(Deal, row["snapshot"])

    async def settled_row(self, deal_id: str, patience: float = REST_SECONDS) -> Row:
        """The deal's row with its snapshot, as soon as nothing is pending."""
        give_up_at, pause = time.monotonic() + patience, _FIRST_LOOK
        while True:
            row = await self.desk.books.deals.get(deal_id)
            if row is None:
                raise CommandFailed(ExitCode.NOT_FOUND, f"there is no deal {deal_id}")
            if not row["pending_effects"] and row["state"] != DealState.RELIABILITY_CHECK:
                return row
            if time.monotonic() > give_up_at:
                raise CommandFailed(
                    ExitCode.ENGINE, f"deal {deal_id} waits for {row['pending_effects']} answers too long"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, _LAST_LOOK)

    async def forward(self, deal_id: str, seconds: int) -> str:
        """Let virtual time pass for a test deal, and answer its time afterwards. Raises TestClockError."""
        return render(await fast_forward(self.client, workflow_id(deal_id), None, timedelta(seconds=seconds)))


async def caller_named(desk: DealDesk, user: str) -> Caller:
    """The user with this id, a deputy on behalf of somebody, or the operator of this machine. Raises CommandFailed."""
    user, _, absent = user.partition(DEPUTY_OF)
    if user in ("", OPERATOR):
        if absent:
            raise CommandFailed(ExitCode.USAGE, "the operator is a machine, which stands in for nobody")
        return OPERATING
    person = await desk.books.people.get(user)
    if person is None:
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no user {user!r}", "`dealwright user list` shows them all")
    if not person.active:
        raise CommandFailed(ExitCode.REFUSED, f"user {user} is not active")
    if not absent:
        return caller_of(person)
    try:
        return await desk.deputies.acting_for(caller_of(person), absent)
    except DeskError as problem:
        advice = "`dealwright user deputy list` shows who stands in for whom"
        raise CommandFailed(ExitCode.REFUSED, problem.message, advice) from None


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer, be it a refusal; with an idempotency key that is safe."""
    for left in reversed(range(_TRIES)):
        try:
            return await ask()
        except (EngineDown, Busy) as problem:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # the engine's client tells of a call that Ctrl-C ended as of one that nobody answered
                raise asyncio.CancelledError from problem
            if not left:
                raise
            await asyncio.sleep(min(problem.retry_after, 2) * 0.5)
    raise AssertionError("the loop above returns or raises")


@asynccontextmanager
async def hands_on(session: Session, create: bool = False) -> AsyncIterator[Hands]:
    """Database, engine and desk of the session's data folder; the engine is started if it doesn't run."""
    if not create:
        session.require_data()
    settings = session.settings
    async with engine_for(settings, session.screen.note) as address, session.database(create=True) as database:
        await see_that_the_keys_are_there(settings, database)
        client = await connect_as(settings, address)
        yield Hands(DealDesk(database, client, settings), client)


@asynccontextmanager
async def desk_on(session: Session) -> AsyncIterator[DealDesk]:
    """The desk for reading: needs no engine, but asks a running one for the time of test deals."""
    async with session.database() as database:
        yield await reading_desk(session, database)


async def reading_desk(session: Session, database: Database) -> DealDesk:
    """A desk that is connected if an engine runs already."""
    from infra.system_state import running_system
    from infra.temporal_client import EngineUnreachable

    settings = session.settings
    running = None if settings.temporal_address else running_system(settings.data_dir)
    address = settings.temporal_address or (running.temporal if running else "")
    if not address:
        return DealDesk(database, None, settings)
    try:
        client = await connect_as(settings, address, timedelta(seconds=2))
    except EngineUnreachable:
        return DealDesk(database, None, settings)
    return DealDesk(database, client, settings)
