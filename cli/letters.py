"""Letters to customers from the command line: where they stand, decisions about them, and sending what waits now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.stores.pages import Row

app = typer.Typer(help="Letters to customers on their way.")

STATES = ("waiting", "claimed", "sending", "sent", "failed", "unsure", "kept")
Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of a letter, as the list shows it.")]
State = Annotated[str, typer.Option(help=f"Only letters in this state: {', '.join(STATES)}.")]


@app.callback(invoke_without_command=True)
def letters(context: typer.Context) -> None:
    """Letters that are not sent, the oldest first; `letters list` shows others."""
    if context.invoked_subcommand is None:
        run(_list(session_of(context), [state for state in STATES if state != "sent"]))


@app.command("list")
def list_letters(context: typer.Context, state: State = "") -> None:
    """All letters or those in a state, the oldest first."""
    if state and state not in STATES:
        raise CommandFailed(ExitCode.USAGE, f"--state {state!r} is none of: {', '.join(STATES)}")
    run(_list(session_of(context), [state]))


@app.command()
def resend(context: typer.Context, key: Key) -> None:
    """Let a letter be sent (again) that failed, is unsure or kept."""
    run(_decide(session_of(context), key, "resend"))


@app.command("mark-sent")
def mark_sent(context: typer.Context, key: Key) -> None:
    """Note that a letter has reached the customer, so that it is not sent again."""
    run(_decide(session_of(context), key, "mark_sent"))


@app.command()
def dispatch(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Letters to send at most.")] = 100,
) -> None:
    """Send what waits, now and from this process; exit code 1 when a letter could not be sent."""
    if not run(_dispatch(session_of(context), limit)):
        raise typer.Exit(ExitCode.REFUSED)


async def _list(session: Session, states: list[str]) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    rows: list[Row] = []
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        for state in states:
            cursor = ""
            while True:
                with said_no():
                    page = await desk.letters.page(caller, state, cursor, 200)
                rows += page.rows
                if not (cursor := page.next_cursor):
                    break
    columns = ("since", "state", "customer", "subject", "tries>", "why", "key")
    names = ("queued_at", "state", "customer", "subject", "attempts", "failure", "key")
    shown = [tuple(row[name] for name in names) for row in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _decide(session: Session, key: str, decision: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            row = await getattr(desk.letters, decision)(caller, key)
    session.screen.result(row, lambda: session.screen.line(f"letter {key} is {row['state']}"))


async def _dispatch(session: Session, limit: int) -> bool:
    from dataclasses import asdict

    from infra.desk.clocks import wall_clock
    from infra.gateways.letter_office import dispatcher_of

    async with session.database() as database:
        dispatcher = dispatcher_of(session.settings, database)
        if dispatcher is None:
            advice = "set DEALWRIGHT_SMTP_HOST and DEALWRIGHT_SMTP_FROM (docs/settings.md); letters wait in the outbox"
            raise CommandFailed(ExitCode.USAGE, "no mail server is set", advice)
        done = await dispatcher.run_once(wall_clock(), limit)
    told: dict[str, Any] = asdict(done)
    words = ", ".join(f"{number} {what}" for what, number in told.items())
    session.screen.result(told, lambda: session.screen.line(words))
    return not (done.failed or done.unsure)
