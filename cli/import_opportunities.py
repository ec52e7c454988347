"""`dealwright import opportunities`: judge the rows, drive the deals, show that both funnels are equal."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.exits import ExitCode
from cli.hands import hands_on
from cli.import_reports import end_with, keep_report, show_reports
from cli.imports.driving import IMPORT_POLICY
from cli.imports.funnel import STAGES, Funnel
from cli.imports.opportunities import Dataset
from cli.imports.pipeline import Driving, drive, read_dataset
from cli.session import Session


async def import_opportunities(
    session: Session, path: Path, driving: bool, limit: int, concurrency: int, allow_refused: bool
) -> None:
    """Read, and with `driving` drive. Raises typer.Exit with 1 for unequal funnels, with 5 for refused rows."""
    if not driving:
        async with session.database(create=True) as database:
            dataset = await read_dataset(path, database, session.settings)
        _show_reading(session, dataset)
    else:
        async with hands_on(session, create=True) as hands:
            dataset = await read_dataset(path, hands.desk.books.database, session.settings)
            rows = dataset.opportunities[:limit] if limit else dataset.opportunities
            result = await drive(dataset, rows, hands, concurrency, session.screen)
        _show_driving(session, dataset, result)
        if not result.funnel.is_equal:
            raise typer.Exit(ExitCode.REFUSED)
    end_with(dataset.reports, allow_refused)


def _show_reading(session: Session, dataset: Dataset) -> None:
    plain = {"files": [report.plain() for report in dataset.reports]}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, dataset.reports, kept)
        session.screen.line(
            f"{len(dataset.opportunities)} rows could be driven; nothing was changed. Add --drive.", "bold"
        )

    session.screen.result({**plain, "report": str(kept)}, render)


def _show_driving(session: Session, dataset: Dataset, result: Driving) -> None:
    plain = {"files": [report.plain() for report in dataset.reports], **result.plain()}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, dataset.reports, kept)
        session.screen.line(
            f"policy {IMPORT_POLICY.version}: as the default, but the director may grant any discount and there is "
            "no margin floor, as these deals were made under other rules"
        )
        show_funnel(session, result.funnel)
        told = result.plain()
        count = f"{told['rows']} deals ({told['opened']} driven now, {told['found']} found from an earlier import)"
        session.screen.line(f"{count} in {told['seconds']} s, {told['rows_per_second']} a second")
        verdict = "The funnels are equal." if result.funnel.is_equal else "The funnels are NOT equal."
        session.screen.line(verdict, "bold green" if result.funnel.is_equal else "bold red")

    session.screen.result({**plain, "report": str(kept)}, render)


def show_funnel(session: Session, funnel: Funnel) -> None:
    """Per agent and outcome: the deals of the engine, and the rows' number where it differs."""
    columns = ("agent", *(f"{stage.lower()}>" for stage in STAGES), "won of closed>", "equal")
    rows = []
    for line in funnel.lines:
        cells = [_cell(line.rows.get(str(stage), 0), line.deals.get(str(stage), 0)) for stage in STAGES]
        won, lost = line.deals.get("Won", 0), line.deals.get("Lost", 0)
        share = f"{100 * won / (won + lost):.0f} %" if won + lost else "-"
        rows.append((line.agent, *cells, share, "yes" if line.is_equal else "NO"))
    totals = [
        _cell(sum(x.rows.get(str(s), 0) for x in funnel.lines), sum(x.deals.get(str(s), 0) for x in funnel.lines))
        for s in STAGES
    ]
    rows.append(("all", *totals, "", "yes" if all(line.is_equal for line in funnel.lines) else "NO"))
    session.screen.table("Funnel: deals of the engine per agent", columns, rows)
    for stray in funnel.plain()["strays"][:20]:
        told = f"line {stray['line']} ({stray['opportunity']}): wanted {stray['wanted']}"
        session.screen.line(
            f"  {told}, is {stray['state'] or 'nowhere'} after {stray['days']} days: {stray['problem']}"
        )


def _cell(rows: int, deals: int) -> str:
    return str(deals) if rows == deals else f"{deals} (rows: {rows})"
