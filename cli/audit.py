"""Evidence from the command line: audit verify, replay, rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import as_of, audit_export, audit_leaves, audit_log, duties
from cli.exits import ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="Prove that what stands in the books is what happened.", no_args_is_help=True)
audit_log.add_to(app)
audit_leaves.add_to(app)
audit_export.add_to(app)
as_of.add_to(app)
duties.add_to(app)


@app.command()
def verify(context: typer.Context) -> None:
    """Verify every timeline's chain and every leaf of the audit log; exit code 1 when something is wrong."""
    if not run(_verify(session_of(context))):
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def replay(
    context: typer.Context,
    deals: Annotated[list[str] | None, typer.Argument(metavar="[DEAL]...", help="Ids of deals.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every deal.")] = False,
    customer: Annotated[str, typer.Option(help="Deals of this customer.")] = "",
    owner: Annotated[str, typer.Option(help="Deals of this owner.")] = "",
    state: Annotated[str, typer.Option(help="Deals in this state.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="Deals with an act on this day or later.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Deals with an act on this day or before.")] = "",
    kind: Annotated[str, typer.Option(help="Which replays, of: fold, rules, engine.")] = "fold,rules,engine",
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0 for one on each core.")] = 0,
    bundle: Annotated[Path | None, typer.Option(metavar="FILE", help="The deals of an exported bundle.")] = None,
) -> None:
    """Fold timelines, judge every act again, replay engine histories; exit code 1 when a deal comes out different."""
    from cli.replaying import show_replay
    from cli.replaying_asked import asked_of

    asked = asked_of(deals or [], everything, (customer, owner, state, first, last), kind, jobs, bundle)
    if not run(show_replay(session_of(context), asked)):
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def rebuild(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Compare only; change nothing.")] = False,
) -> None:
    """Rebuild the projections from the timelines, or compare them; exit code 1 when --check finds a difference."""
    if not run(_rebuild(session_of(context), check=check)):
        raise typer.Exit(ExitCode.REFUSED)


async def _verify(session: Session) -> bool:
    from dataclasses import asdict

    from infra.stores.audit import AuditStore

    screen = session.screen
    async with session.database() as database:
        with screen.progress("entries and leaves", None) as progress:
            report = await AuditStore(database).verify(progress)

    def render() -> None:
        counts = f"{report.deals} deals, {report.entries} entries, {report.refusals} refusals, {report.leaves} leaves"
        screen.line(f"{counts}, root {report.root[:16]}...")
        for problem in report.problems:
            screen.line(f"  {problem.where}: {problem.why}", "bold red")
        screen.line("sound" if report.sound else f"{len(report.problems)} problems", "bold")

    screen.result({**asdict(report), "sound": report.sound}, render)
    return report.sound


async def _rebuild(session: Session, *, check: bool) -> bool:
    from dataclasses import asdict

    from infra.desk.books import Books
    from infra.stores.rebuild import Rebuilder

    screen = session.screen
    async with session.database() as database:
        fold = await Books(database, session.settings).policies.folding()
        rebuilder = Rebuilder(database, fold)
        with screen.progress("deals", None) as progress:
            if not check:
                written = await rebuilder.write(progress)
                screen.result(
                    {"rebuilt": written}, lambda: screen.line(f"{written} deals rebuilt from their timelines")
                )
                return True
            report = await rebuilder.compare(progress)

    def render() -> None:
        for found in report.differences[:50]:
            place = f"{found.deal_id} {found.table} {found.row} {found.column}".strip()
            screen.line(f"  {place}: stands {str(found.live)[:60]!r}, rebuilt {str(found.rebuilt)[:60]!r}", "bold red")
        verdict = "equal row for row" if not report.differences else f"{len(report.differences)} differences"
        screen.line(f"{report.deals} deals rebuilt from their timelines: {verdict}", "bold")

    equal = not report.differences
    screen.result({**asdict(report), "equal": equal}, render)
    return equal
