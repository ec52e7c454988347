"""Alerts from the command line: what a person must look at, and saying that somebody has."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.session import Session, run, session_of

app = typer.Typer(help="What a person must look at.")


@app.callback(invoke_without_command=True)
def list_alerts(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that somebody has acknowledged.")] = False,
) -> None:
    """Open alerts, the newest first."""
    if context.invoked_subcommand is None:
        run(_list(session_of(context), everything))


@app.command()
def acknowledge(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of an alert.")]
) -> None:
    """Say that you see to it; who was the first stays."""
    run(_acknowledge(session_of(context), number))


async def _list(session: Session, everything: bool) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.stores.pages import Row

    rows: list[Row] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        while True:
            with said_no():
                page = await desk.alarms.page(caller, not everything, cursor, 200)
            rows += page.rows
            if not (cursor := page.next_cursor):
                break
    columns = ("id>", "since", "kind", "subject", "what", "seen by")
    shown = [(r["id"], r["at"], r["kind"], r["subject"], r["text"], r["acknowledged_by"]) for r in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _acknowledge(session: Session, number: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            row = await desk.alarms.acknowledge(caller, number)
    told = f"alert {number} was acknowledged by {row['acknowledged_by']} at {row['acknowledged_at']}"
    session.screen.result(row, lambda: session.screen.line(told))
