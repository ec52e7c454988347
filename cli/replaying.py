"""The auditor's three replays: fold, rules and engine, for one deal, those of a filter, or all, over the cores."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path

from cli.exits import CommandFailed, ExitCode
from cli.replaying_case import CaseReplays, Cases, Setup, begin, has_keys, replay_portion
from cli.replaying_pool import Crew, cores, portions_of
from cli.replaying_report import died, remarks, report, summary
from cli.session import Session
from infra.db import Database
from infra.evidence.bundle_reading import BundleUnreadable
from infra.evidence.replay_bundle import BundleCases
from infra.evidence.replay_cases import CaseFilter, ReplayCases
from infra.evidence.replays import Verdict
from infra.settings import Settings
from infra.stores.archive import HistoryArchive
from infra.system import engine_for
from models.replaying import ENGINE, KINDS

__all__ = ["Asked", "Verdict", "replay_all", "show_replay", "summary"]

IN_THIS_PROCESS = 12
"""So few deals are done before another process has loaded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which deals (none named: those of the filter), by which replays, in how many processes (0: one for each core);
    those of a `bundle` when one is named."""

    deals: tuple[str, ...] = ()
    narrowed: CaseFilter = field(default_factory=CaseFilter)
    kinds: tuple[str, ...] = KINDS
    jobs: int = 0
    bundle: Path | None = None


async def show_replay(session: Session, asked: Asked) -> bool:
    """Replay deals and show what came of it; True when all are equal. Raises CommandFailed."""
    began = time.monotonic()
    if asked.bundle:
        verdicts, jobs = await _replay_bundle(session, asked.bundle, asked)
    else:
        async with session.database() as database:
            verdicts, jobs = await _replay(session, database, session.settings, asked)
    screen = session.screen

    def render() -> None:
        for verdict in verdicts:
            for problem in verdict.problems:
                screen.line(f"  {verdict.deal_id}: {problem}", "bold red")
        for remark in remarks(verdicts):
            screen.line(f"  {remark}")
        screen.line(summary(verdicts), "bold")

    screen.result(report(verdicts, asked.kinds, time.monotonic() - began, jobs), render)
    return all(verdict.equal for verdict in verdicts)


async def replay_all(session: Session, database: Database, settings: Settings, deals: Sequence[str]) -> list[Verdict]:
    """All three replays of some deals, or of all; the engine is started only when an open deal needs it."""
    verdicts, _ = await _replay(session, database, settings, Asked(tuple(deals)))
    return verdicts


async def _replay(session: Session, database: Database, settings: Settings, asked: Asked) -> tuple[list[Verdict], int]:
    cases = ReplayCases(database, HistoryArchive(database, settings.archive_dir))
    chosen = await _chosen(cases, asked)
    async with AsyncExitStack() as stack:
        address = ""
        if ENGINE in asked.kinds and await cases.need_engine(chosen):
            address = await stack.enter_async_context(engine_for(settings, session.screen.note))
        return await _all(session, Setup(settings, address, asked.kinds), cases, chosen, asked.jobs)


async def _replay_bundle(session: Session, bundle: Path, asked: Asked) -> tuple[list[Verdict], int]:
    try:
        cases = BundleCases(bundle)
        known = cases.deal_ids()
        if unknown := sorted(set(asked.deals) - set(known)):
            raise CommandFailed(ExitCode.NOT_FOUND, f"there is no deal {', '.join(unknown)} in the bundle")
        setup = Setup(session.settings, "", asked.kinds, bundle)
        if ENGINE in asked.kinds and cases.is_encrypted and not has_keys(setup):
            message = "the histories in the bundle are encrypted, and there is no ring of keys here"
            raise CommandFailed(ExitCode.USAGE, message, "`--kind fold,rules` needs none")
        return await _all(session, setup, cases, list(dict.fromkeys(asked.deals)) or known, asked.jobs)
    except BundleUnreadable as problem:
        raise CommandFailed(ExitCode.BAD_DATA, str(problem)) from None
    except OSError as problem:
        raise CommandFailed(ExitCode.NOT_FOUND, f"{bundle} cannot be read: {problem.strerror}") from None


async def _all(
    session: Session, setup: Setup, cases: Cases, chosen: Sequence[str], jobs: int
) -> tuple[list[Verdict], int]:
    """The verdicts on all chosen deals, and over how many processes they came."""
    wanted = jobs or (cores() if len(chosen) > IN_THIS_PROCESS else 1)
    jobs = min(wanted, max(1, len(chosen)))
    found: dict[str, Verdict] = {}
    with session.screen.progress("deals", len(chosen)) as progress:
        async with aclosing(_verdicts(setup, cases, chosen, jobs)) as portions:
            async for verdicts in portions:
                found |= {verdict.deal_id: verdict for verdict in verdicts}
                progress(len(found))
    return [found[deal] for deal in chosen], jobs


async def _chosen(cases: ReplayCases, asked: Asked) -> list[str]:
    if not asked.deals:
        chosen = await cases.chosen(asked.narrowed)
        if not chosen and asked.narrowed != CaseFilter():
            raise CommandFailed(ExitCode.NOT_FOUND, "there is no such deal")
        return chosen
    wanted = list(dict.fromkeys(asked.deals))
    if unknown := sorted(set(wanted) - await cases.known(wanted)):
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no deal {', '.join(unknown)}")
    return wanted


async def _verdicts(setup: Setup, cases: Cases, deals: Sequence[str], jobs: int) -> AsyncGenerator[list[Verdict], None]:
    if jobs > 1:
        crew = Crew(begin, setup, replay_portion, died, jobs)
        async with aclosing(crew.over(deals)) as portions:
            async for verdicts in portions:
                yield verdicts
        return
    replays = await CaseReplays.open(setup, cases)
    for portion in portions_of(deals, 1):
        yield await replays.replay(portion)
