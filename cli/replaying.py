"""The auditor's two replays: engine histories through the SDK's Replayer, timelines through the pure core's fold."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from cli.exits import CommandFailed, ExitCode
from cli.session import Session
from infra.db import Database
from infra.desk.books import Books
from infra.payloads import DATA_CONVERTER
from infra.settings import Settings
from infra.stores.archive import HistoryDamaged
from infra.stores.pages import Row
from infra.system import engine_for
from infra.temporal_client import connect
from models import codec
from models.deal import fold
from models.messages.deals import workflow_id
from workflows.registry import WORKFLOWS


@dataclass(slots=True)
class Verdict:
    """One deal: how many runs and events were replayed, and everything that came out different."""

    deal_id: str
    runs: int = 0
    events: int = 0
    entries: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """True when every replay gave what stands."""
        return not self.problems


class Replays:
    """Replays deals of one installation; `client` is None when no deal needs the engine."""

    def __init__(self, books: Books, client: Client | None) -> None:
        self._books, self._client = books, client
        self._replayer = Replayer(
            workflows=list(WORKFLOWS),
            data_converter=DATA_CONVERTER,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )

    async def replay(self, deal_id: str) -> Verdict:
        """Both replays of one deal."""
        verdict = Verdict(deal_id)
        row = await self._books.deals.get(deal_id)
        await self._fold(deal_id, row, verdict)
        await self._replay_histories(deal_id, verdict)
        return verdict

    async def _fold(self, deal_id: str, row: Row | None, verdict: Verdict) -> None:
        entries = await self._books.timeline.entries(deal_id)
        verdict.entries = len(entries)
        try:
            folded = codec.encode(await asyncio.to_thread(fold, entries))
        except (ValueError, KeyError) as problem:
            verdict.problems.append(f"the timeline does not fold: {problem}")
            return
        if row is None:
            verdict.problems.append("there is a timeline but no deal")
        elif folded != row["snapshot"]:
            parts = [name for name in folded if folded[name] != row["snapshot"].get(name)]
            verdict.problems.append(f"the folded timeline differs from the deal in: {', '.join(parts)}")

    async def _replay_histories(self, deal_id: str, verdict: Verdict) -> None:
        archived = await self._books.archive.of_deal(deal_id)
        for row in archived:
            try:
                stored = await self._books.archive.load(row["workflow_id"], row["run_id"])
            except HistoryDamaged as problem:
                verdict.problems.append(str(problem))
                continue
            events = list(History.FromString(stored or b"").events)
            await self._replay(WorkflowHistory(row["workflow_id"], events), verdict)
        if self._client is None:
            return
        latest = await self._latest(deal_id)
        known = {row["run_id"] for row in archived}
        if latest is None and not archived:
            verdict.problems.append("the engine knows no history of it, and none is archived")
        elif latest is not None and latest.run_id not in known:
            await self._replay(latest, verdict)

    async def _latest(self, deal_id: str) -> WorkflowHistory | None:
        assert self._client is not None
        try:
            return await self._client.get_workflow_handle(workflow_id(deal_id)).fetch_history()
        except RPCError:
            return None

    async def _replay(self, history: WorkflowHistory, verdict: Verdict) -> None:
        verdict.runs += 1
        verdict.events += len(history.events)
        result = await self._replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            first_line = str(result.replay_failure).splitlines()[0][:300]
            verdict.problems.append(f"its history does not replay: {first_line}")


async def show_replay(session: Session, deals: list[str]) -> bool:
    """Replay the named deals, or all; True when all are equal."""
    async with session.database() as database:
        verdicts = await replay_all(session, database, session.settings, deals)
    screen = session.screen

    def render() -> None:
        for verdict in verdicts:
            for problem in verdict.problems:
                screen.line(f"  {verdict.deal_id}: {problem}", "bold red")
        screen.line(summary(verdicts), "bold")

    rows = [{**asdict(verdict), "equal": verdict.equal} for verdict in verdicts]
    screen.result({"equal": all(verdict.equal for verdict in verdicts), "deals": rows}, render)
    return all(verdict.equal for verdict in verdicts)


def summary(verdicts: list[Verdict]) -> str:
    """One line about all deals."""
    equal = sum(verdict.equal for verdict in verdicts)
    runs, events = sum(v.runs for v in verdicts), sum(v.events for v in verdicts)
    entries = sum(v.entries for v in verdicts)
    different = len(verdicts) - equal
    what = (
        f"{len(verdicts)} deals: {runs} engine histories ({events} events) replayed, {entries} timeline entries folded"
    )
    return f"{what}; {equal} equal, {different} different"


async def replay_all(session: Session, database: Database, settings: Settings, deals: list[str]) -> list[Verdict]:
    """Replay deals; the engine is started only when an open deal needs it. Raises CommandFailed."""
    books = Books(database, settings)
    known = await books.timeline.deal_ids()
    if unknown := sorted(set(deals) - set(known)):
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no deal {', '.join(unknown)}")
    chosen = deals or known
    async with AsyncExitStack() as stack:
        client: Client | None = None
        if await _need_engine(books, chosen):
            address = await stack.enter_async_context(engine_for(settings, session.screen.note))
            client = await connect(address, settings.temporal_namespace)
        replays = Replays(books, client)
        verdicts = []
        with session.screen.progress("deals", len(chosen)) as progress:
            for deal_id in chosen:
                verdicts.append(await replays.replay(deal_id))
                progress(len(verdicts))
        return verdicts


async def _need_engine(books: Books, deals: list[str]) -> bool:
    """Whether some history is not archived yet: that of an open deal, or of one that was closed a moment ago."""
    for deal_id in deals:
        row: dict[str, Any] | None = await books.deals.get(deal_id)
        if row is None or not row["closed_at"] or not await books.archive.of_deal(deal_id):
            return True
    return False
