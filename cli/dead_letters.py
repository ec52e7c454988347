"""Carrier messages that could not be used, from the command line: the list, and telling one again."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.session import Session, run, session_of

app = typer.Typer(help="Carrier messages that could not be used.")


@app.callback(invoke_without_command=True)
def list_letters(context: typer.Context) -> None:
    """Dead messages in the order in which they came, and before them those that wait to be told."""
    if context.invoked_subcommand is None:
        run(_list(session_of(context)))


@app.command()
def retry(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of a message.")]
) -> None:
    """Tell a message to its deal again, when the cause of its trouble is gone; exit code 1 when it stays dead."""
    run(_retry(session_of(context), number))


async def _list(session: Session) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.stores.carrier_messages import Outcome
    from infra.stores.pages import Row

    rows: list[Row] = []
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        for outcome in (Outcome.RECEIVED, Outcome.DEAD):
            cursor = ""
            while True:
                with said_no():
                    page = await desk.carrier_inbox.page(caller, outcome, "", cursor, 200)
                rows += page.rows
                if not (cursor := page.next_cursor):
                    break
    columns = ("id>", "received", "carrier", "message", "shipment", "kind", "outcome", "reason", "tries>")
    names = ("id", "received_at", "carrier", "message_id", "shipment", "kind", "outcome", "reason", "tries")
    shown = [tuple(row[name] for name in names) for row in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _retry(session: Session, number: int) -> None:
    from contextlib import suppress

    from cli.deal_views import said_no
    from cli.exits import CommandFailed, ExitCode
    from cli.hands import caller_named, hands_on
    from infra.stores.carrier_messages import Outcome

    async with hands_on(session) as hands:
        inbox = hands.desk.carrier_inbox
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no():
            row = await inbox.retry(caller, number)
        if row["outcome"] == Outcome.BOOKED:
            with suppress(CommandFailed):  # what the news ask of the world is done before the engine may be stopped
                await hands.settled_row(row["deal_id"])
    told = f"message {number} is {row['outcome']}" + (f": {row['reason']}" if row["reason"] else "")
    session.screen.result(
        {name: value for name, value in row.items() if name not in ("body", "digest")},
        lambda: session.screen.line(told),
    )
    if row["outcome"] == Outcome.DEAD:
        raise typer.Exit(ExitCode.REFUSED)
