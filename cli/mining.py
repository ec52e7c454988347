"""Process mining from the command line: event logs into files, and whether sequences fit the lifecycle tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.desk.service import DealDesk
    from infra.evidence.mining import Chosen, Conformance

First = Annotated[str, typer.Option("--from", metavar="DAY", help="Deals to which something happened from this day.")]
Last = Annotated[str, typer.Option("--until", metavar="DAY", help="Deals to which something happened until this day.")]
UntilOrTo = Annotated[
    str, typer.Option("--to", "--until", metavar="DAY", help="Deals to which something happened until this day.")
]
Customer = Annotated[str, typer.Option(help="Only this customer's deals.")]
InStage = Annotated[str, typer.Option("--stage", help="Only deals that are in this stage now.")]
Test = Annotated[bool | None, typer.Option("--test/--real", help="Only test deals, or only real ones.")]


class Form(StrEnum):
    """Forms of an event log."""

    OCEL = "ocel"
    XES = "xes"
    CSV = "csv"


def add_to(app: typer.Typer) -> None:
    """Hang the commands into the tree `audit`."""
    app.command("event-log")(event_log)
    app.command("conformance")(conformance)


def event_log(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where to; a name that ends with .gz is packed.")],
    form: Annotated[Form, typer.Option("--format", help="OCEL 2.0 (JSON), XES (IEEE 1849-2016) or CSV.")] = Form.OCEL,
    first: First = "",
    last: Last = "",
    customer: Customer = "",
    stage: InStage = "",
    test: Test = None,
    with_amounts: Annotated[
        bool, typer.Option("--with-amounts", help="Amounts, discounts and margins, too; for auditors (--as).")
    ] = False,
) -> None:
    """Write the event log of all deals, one event an entry, for process-mining tools."""
    chosen = _chosen(first, last, customer, stage, test)
    file = to.absolute()
    if not file.parent.is_dir() or file.is_dir():
        raise CommandFailed(ExitCode.NOT_FOUND, f"{to} is no file in a folder that is there")
    session = session_of(context)
    deals = run(_export(session, form, file, chosen, with_amounts))
    told = {"file": str(to), "format": str(form), "deals": deals, "bytes": file.stat().st_size, "amounts": with_amounts}
    session.screen.result(told, lambda: session.screen.line(f"{deals} deals, {told['bytes']} bytes in {to}"))


def conformance(
    context: typer.Context,
    first: First = "",
    last: UntilOrTo = "",
    customer: Customer = "",
    stage: InStage = "",
    test: Test = None,
    every: Annotated[bool, typer.Option("--all", help="Tell of deals that fit, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Deals to tell of at most.")] = 1_000,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Check this event log (XES or CSV) instead of our deals."),
    ] = None,
) -> None:
    """Replay every deal on the lifecycle tables; exit code 1 when a sequence is not one that they allow."""
    session = session_of(context)
    chosen = _chosen(first, last, customer, stage, test)
    if log is not None:
        if any((first, last, customer, stage, test is not None)):
            raise CommandFailed(ExitCode.USAGE, "a file is checked whole: --log goes with no choice of deals")
        sound = _check_file(session, log, every, limit)
    else:
        sound = run(_check(session, chosen, every, limit))
    if not sound:
        raise typer.Exit(ExitCode.REFUSED)


def _chosen(first: str, last: str, customer: str, stage: str, test: bool | None) -> Chosen:
    from infra.evidence.mining import Chosen
    from models.instants import day_start
    from models.lifecycle.states import Stage

    for name, day in (("--from", first), ("--until", last)):
        try:
            day_start(day or "2000-01-01")
        except ValueError:
            raise CommandFailed(ExitCode.USAGE, f"{name} {day!r} is no day such as 2026-11-21") from None
    if stage and stage not in list(Stage):
        raise CommandFailed(ExitCode.USAGE, f"--stage {stage!r} is none of: {', '.join(Stage)}")
    return Chosen(first, last, customer, stage, test)


async def _export(session: Session, form: Form, to: Path, chosen: Chosen, with_amounts: bool) -> int:
    """How many deals stand in the file."""
    from contextlib import aclosing

    from cli.deal_views import said_no
    from cli.hands import desk_on
    from infra.evidence.mining import ProcessMining
    from infra.evidence.mining_file import ExportFile

    async with desk_on(session) as desk:
        mining = ProcessMining(desk.books.database)
        deals = await mining.count(chosen)
        with said_no():
            await _allowed(session, desk, f"event-log {form}", deals, with_amounts)
        with session.screen.progress("deals", deals) as progress, ExportFile(to) as file:
            async with aclosing(mining.event_log(form, chosen, with_amounts, progress)) as pieces:
                async for piece in pieces:
                    file.write(piece)
    return deals


async def _allowed(session: Session, desk: DealDesk, what: str, deals: int, with_amounts: bool = False) -> None:
    """The operator of the machine and auditors; amounts are for auditors, whose reading is logged. Raises WrongRole."""
    from cli.hands import caller_named
    from cli.session import OPERATOR
    from models.lifecycle.roles import Role

    caller = await caller_named(desk, session.options.acting_as)
    if with_amounts or caller.user != OPERATOR:
        caller.require("reading of all deals" + " with their amounts" * with_amounts, frozenset({Role.AUDITOR}))
    await desk.reads.many(caller, what, what.split()[0], deals)


async def _check(session: Session, chosen: Chosen, every: bool, limit: int) -> bool:
    from cli.deal_views import said_no
    from cli.hands import desk_on
    from infra.evidence.mining import ProcessMining

    async with desk_on(session) as desk:
        mining = ProcessMining(desk.books.database)
        deals = await mining.count(chosen)
        with said_no():
            await _allowed(session, desk, "conformance", deals)
        with session.screen.progress("deals", deals) as progress:
            report = await mining.conformance(chosen, every, limit, progress)
    _show(session, report)
    return report.sound


def _show(session: Session, report: Conformance) -> None:
    tally, screen = report.tally, session.screen

    def render() -> None:
        rows: list[tuple[Any, ...]] = [
            (fit.case, f"{fit.fitting} of {fit.events}", _percent(fit.fitness_bps), *_first(fit)) for fit in report.fits
        ]
        if rows:
            columns = ("case", "events that fit>", "fitness>", "at>", "table", "state", "action", "why")
            screen.table("", columns, rows)
        if report.more:
            screen.line(f"{report.more} more; --limit shows them")
        counts = (
            f"{tally.fitting_cases} of {tally.cases} sequences fit, {tally.fitting_events} of {tally.events} events"
        )
        screen.line(f"{counts}: fitness {_percent(tally.fitness_bps)}", "bold")

    screen.result(report.plain(), render)


def _first(fit: Any) -> tuple[Any, ...]:
    first = fit.first
    return (first.sequence, first.table, first.state_from, first.action, first.why) if first else ("", "", "", "", "")


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02} %"


def _check_file(session: Session, log: Path, every: bool, limit: int) -> bool:
    """Whether the activities of a file, case by case in the order of their times, are sequences of our actions."""
    from infra.control.event_logs import MAX_BYTES, UnreadableLog, read_log
    from infra.evidence.mining import Conformance
    from models.conformance import check_activities

    if not log.is_file():
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no file {log}")
    cases: dict[str, list[tuple[str, str]]] = {}
    with log.open("rb") as file:
        body = file.read(MAX_BYTES + 1)
    try:
        for event in read_log(body, log.name):
            cases.setdefault(event.case, []).append((event.at, event.activity))
    except UnreadableLog as problem:
        raise CommandFailed(ExitCode.BAD_DATA, str(problem)) from None
    report = Conformance()
    for case in sorted(cases):
        acts = sorted(cases[case], key=lambda act: act[0])  # stable: acts of one second stay as the file has them
        report.add(check_activities(case, (activity for _, activity in acts)), every, limit)
    _show(session, report)
    return report.sound
