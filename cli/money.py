"""The books of money from the command line: money verify."""

from __future__ import annotations

from typing import Any

import typer

from cli.exits import ExitCode
from cli.receivable_reports import bare
from cli.session import Session, run, session_of

app = typer.Typer(help="Prove that no cent is missing or booked twice.", no_args_is_help=True)

Plain = dict[str, Any]

WAYS_OUT = (
    "What to do: `dealwright audit verify` says whether somebody changed what happened, and",
    "`dealwright audit rebuild --check` whether the deals' own rows went wrong (`audit rebuild` writes them anew).",
    "A wrong booking is put right by another one on its deal (payment, credit, reversal), never by changing a row.",
)


@app.callback()
def money() -> None:
    """Prove that no cent is missing or booked twice."""


@app.command()
def verify(context: typer.Context) -> None:
    """Check the whole ledger: invoiced = paid + credited + written off + open, deals and bank agree to the cent; exit
    code 1 when something differs."""
    if not run(_verify(session_of(context))):
        raise typer.Exit(ExitCode.REFUSED)


async def _verify(session: Session) -> bool:
    from infra.desk.money_reports import told
    from infra.gateways.money_audit import MoneyAudit

    screen = session.screen
    async with session.database() as database:
        verdict = await MoneyAudit(database).verify()
    plain = told(verdict)

    def render() -> None:
        names = ("invoiced", "paid", "credited", "written_off", "open", "difference")
        columns = ("currency", *(f"{name.replace('_', ' ')}>" for name in names))
        rows = [(row["currency"], *(bare(row[name]) for name in names)) for row in plain["currencies"]]
        screen.table("", columns, rows)
        for found in verdict.differences:
            screen.line(f"  {found}", "bold red")
        for warning in verdict.warnings:
            screen.line(f"  {warning}", "yellow")
        for line in WAYS_OUT if verdict.differences else ():
            screen.line(line)
        screen.line("sound" if verdict.is_sound else f"{len(verdict.differences)} differences", "bold")

    screen.result(plain, render)
    return verdict.is_sound
