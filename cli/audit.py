"""Evidence from the command line: audit verify, replay, rebuild."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="Prove that what stands in the books is what happened.", no_args_is_help=True)


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
) -> None:
    """Replay engine histories on this code, and fold the timelines; exit code 1 when a deal comes out different."""
    from cli.replaying import show_replay

    if bool(deals) == everything:
        raise CommandFailed(ExitCode.USAGE, "name deals, or say --all")
    if not run(show_replay(session_of(context), deals or [])):
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
