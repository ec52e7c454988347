"""Deputies from the command line: user deputy appoint, end, list."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="Who stands in for whom while somebody is away.", no_args_is_help=True)


@app.command()
def appoint(
    context: typer.Context,
    absent: Annotated[str, typer.Argument(help="Who is away.")],
    deputy: Annotated[str, typer.Argument(help="Who stands in.")],
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="A day (its end) or an instant, in UTC.")],
    since: Annotated[str, typer.Option("--from", metavar="WHEN", help="A day or an instant; now without.")] = "",
    reason: Annotated[str, typer.Option(help="Kept here, never in the audit log.")] = "",
) -> None:
    """Let somebody act with the rights of somebody who is away, for at most 60 days."""
    run(_appoint(session_of(context), absent, deputy, since, until, reason))


@app.command()
def end(
    context: typer.Context, number: Annotated[int, typer.Argument(min=1, help="Number of the deputyship.")]
) -> None:
    """End a deputyship now."""
    run(_end(session_of(context), number))


@app.command("list")
def list_deputies(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Only where this user is absent or stands in.")] = "",
    active: Annotated[bool, typer.Option("--active", help="Only those that give rights now.")] = False,
) -> None:
    """Deputyships, in the order of their appointment."""
    run(_list(session_of(context), user, active))


async def _appoint(session: Session, absent: str, deputy: str, since: str, until: str, reason: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.control.standing_in import NewDeputy

    asked = NewDeputy(deputy, _instant("--until", until, end=True), absent, _instant("--from", since), reason)
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            row = await desk.deputies.appoint(caller, asked)
    _show(session, [row], row)


async def _end(session: Session, number: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            row = await desk.deputies.end(caller, number)
    _show(session, [row], row)


async def _list(session: Session, user: str, active: bool) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    rows: list[dict[str, Any]] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        with said_no():
            while True:
                page = await desk.deputies.page(caller, user, active, cursor, 200)
                rows += page.rows
                if not (cursor := page.next_cursor):
                    break
    _show(session, rows, rows)


def _show(session: Session, rows: list[dict[str, Any]], plain: Any) -> None:
    columns = ("number>", "absent", "deputy", "from", "until", "ended", "appointed by")
    names = ("id", "absent", "deputy", "from_at", "until_at", "ended_at", "appointed_by")
    shown = [tuple(row[name] for name in names) for row in rows]
    session.screen.result(plain, lambda: session.screen.table("", columns, shown))


def _instant(option: str, text: str, *, end: bool = False) -> str:
    """A day as the instant at which it begins or ends, an instant as it is."""
    from models.instants import DAY, canonical, day_start, plus

    try:
        if len(text) == len("2026-11-21"):
            return plus(day_start(text), DAY if end else 0)
        return canonical(text) if text else ""
    except ValueError:
        why = f"{option} {text!r} is no day such as 2026-11-21 and no instant such as 2026-11-21T08:00:00Z"
        raise CommandFailed(ExitCode.USAGE, why) from None
