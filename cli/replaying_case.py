"""The three replays of some deals, in this process: what a process of the crew does with its portion."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from cli.replaying_engine import EngineReplay, Testimony, compare
from infra.db import open_database
from infra.evidence.replay_bundle import BundleCases
from infra.evidence.replay_cases import ReplayCase, ReplayCases
from infra.evidence.replays import Verdict, count_seconds, replay_records, timed
from infra.payload_cipher import KeyRing, PayloadCipher
from infra.payloads import DATA_CONVERTER, converter_of
from infra.settings import Settings
from infra.stores.archive import HistoryArchive, HistoryDamaged
from infra.temporal_client import connect_as
from models.messages.deals import workflow_id
from models.policy import Policy
from models.replaying import ENGINE, Difference

_TOLD = 10
"""Differences told of one deal and replay: what comes after them mostly follows from them."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process needs to begin: where the records are (a bundle, when one is named), the address of the engine
    (empty: none is needed), and which replays are asked for."""

    settings: Settings
    engine: str
    kinds: tuple[str, ...]
    bundle: Path | None = None


Cases = ReplayCases | BundleCases
"""Where deals come from."""


@dataclass(slots=True)
class _Trial:
    """A deal under replay."""

    case: ReplayCase
    verdict: Verdict
    runs: list[Testimony] = field(default_factory=list)


class CaseReplays:
    """Replays deals of one installation. Belongs to one event loop, like its database."""

    def __init__(self, setup: Setup, cases: Cases, policies: dict[str, Policy], client: Client | None) -> None:
        self._kinds, self._cases, self._policies, self._client = setup.kinds, cases, policies, client
        self._engine = EngineReplay(_converter(setup)) if ENGINE in setup.kinds else None

    @classmethod
    async def open(cls, setup: Setup, cases: Cases) -> CaseReplays:
        """Replays of deals from a source that is open."""
        client = await connect_as(setup.settings, setup.engine) if setup.engine else None
        return cls(setup, cases, await cases.policies(), client)

    async def replay(self, deals: Sequence[str]) -> list[Verdict]:
        """The verdicts on some deals, in their order."""
        trials = [_Trial(case, Verdict(case.deal_id)) for case in await self._cases.read(deals)]
        for trial in trials:
            # in a thread: long work that must not stop whoever shares the event loop
            await asyncio.to_thread(replay_records, trial.case, self._policies, self._kinds, trial.verdict)
        if self._engine is not None:
            await self._replay_histories({trial.case.deal_id: trial for trial in trials})
        for trial in trials:
            trial.verdict.differences = _first_of_each(trial.verdict.differences)
        return [trial.verdict for trial in trials]

    async def _replay_histories(self, trials: dict[str, _Trial]) -> None:
        assert self._engine is not None
        sources: dict[str, _Trial] = {}
        began = time.perf_counter()
        async for testimony in self._engine.replay(self._histories(trials, sources)):
            trial = sources[testimony.run_id]
            trial.runs.append(testimony)
            now = time.perf_counter()
            count_seconds(trial.verdict, ENGINE, now - began)
            began = now
        await self._compare(trials)

    async def _compare(self, trials: dict[str, _Trial]) -> None:
        # read again where a deal has moved on between the look at its timeline and the one at its history
        behind = [deal for deal, trial in trials.items() if _reaches_beyond(trial)]
        for case in await self._cases.read(behind) if behind else []:
            trials[case.deal_id].case = case
        for deal, trial in trials.items():
            verdict = trial.verdict
            with timed(verdict, ENGINE):
                told = await asyncio.to_thread(compare, deal, trial.runs, trial.case.entries, self._policies)
            verdict.vouched, verdict.unknown = told.vouched, told.unknown
            verdict.differences += told.differences

    async def _histories(self, trials: dict[str, _Trial], sources: dict[str, _Trial]) -> AsyncIterator[WorkflowHistory]:
        """All runs of the deals, one after the other: archived ones, and the latest when it is not among them."""
        for deal, trial in trials.items():
            found = 0
            for row in trial.case.archived:
                found += 1
                history = await self._archived(row, trial.verdict)
                if history is not None:
                    yield self._counted(history, trial, sources)
            latest = await self._latest(deal)
            known = {row["run_id"] for row in trial.case.archived}
            if latest is not None and latest.run_id not in known:
                yield self._counted(latest, trial, sources)
            elif latest is None and not found and trial.case.beside:
                why = "the engine knows no history of it, and none is archived"
                trial.verdict.differences.append(Difference(deal, 0, ENGINE, why))

    def _counted(self, history: WorkflowHistory, trial: _Trial, sources: dict[str, _Trial]) -> WorkflowHistory:
        trial.verdict.runs += 1
        trial.verdict.events += len(history.events)
        sources[history.run_id] = trial
        return history

    async def _archived(self, row: dict[str, Any], verdict: Verdict) -> WorkflowHistory | None:
        try:
            stored = await self._cases.history(row)
            history = WorkflowHistory(row["workflow_id"], list(History.FromString(stored).events))
            if history.run_id != row["run_id"]:
                raise HistoryDamaged(f"the archived run {row['run_id']} is that of another, {history.run_id}")
        except (HistoryDamaged, DecodeError, RuntimeError) as problem:
            verdict.differences.append(Difference(verdict.deal_id, 0, ENGINE, str(problem)))
            return None
        return history

    async def _latest(self, deal_id: str) -> WorkflowHistory | None:
        if self._client is None:
            return None
        try:
            return await self._client.get_workflow_handle(workflow_id(deal_id)).fetch_history()
        except RPCError:
            return None


def _reaches_beyond(trial: _Trial) -> bool:
    last = trial.case.entries[-1].sequence if trial.case.entries else 0
    return any(entry.sequence > last for run in trial.runs for entry in run.entries)


def _first_of_each(found: list[Difference]) -> list[Difference]:
    kept: list[Difference] = []
    for kind in dict.fromkeys(one.replay for one in found):
        mine = [one for one in found if one.replay == kind]
        kept += mine[:_TOLD]
        if len(mine) > _TOLD:
            after = mine[_TOLD]
            why = f"and {len(mine) - _TOLD} more from here on"
            kept.append(Difference(after.deal_id, after.sequence, kind, why))
    return kept


def _converter(setup: Setup) -> DataConverter:
    if not setup.bundle:
        return converter_of(setup.settings)
    # a bundle may come from another installation: in clear, or under keys that were handed over with it
    if not has_keys(setup):
        return DATA_CONVERTER
    return replace(DATA_CONVERTER, payload_codec=PayloadCipher(KeyRing(setup.settings.keys_dir), "migrating"))


def has_keys(setup: Setup) -> bool:
    """Whether there is a ring of payload keys here."""
    return KeyRing(setup.settings.keys_dir).exists()


def cases_of(setup: Setup) -> Cases:
    """The source of the deals. Raises BundleUnreadable."""
    if setup.bundle:
        return BundleCases(setup.bundle)
    settings = setup.settings
    database = open_database(settings.database, settings.sqlite_synchronous)
    return ReplayCases(database, HistoryArchive(database, settings.archive_dir))


_runner: asyncio.Runner | None = None
_replays: CaseReplays | None = None


def begin(setup: Setup) -> None:
    """Make this process one of the crew."""
    global _runner, _replays
    _runner = asyncio.Runner()
    _replays = _runner.run(CaseReplays.open(setup, cases_of(setup)))


def replay_portion(deals: list[str]) -> list[Verdict]:
    """The verdicts on a portion, in a process that has begun."""
    assert _runner is not None
    assert _replays is not None
    return _runner.run(_replays.replay(deals))
