"""The test clock from the command line: clock advance."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="The clock of test deals; real deals only know the real one.", no_args_is_help=True)

_PART = re.compile(r"(\d{1,6})([wdhms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


@app.command()
def advance(
    context: typer.Context,
    by: Annotated[str, typer.Argument(help="How far: 30d, 12h, 1d12h (w, d, h, m, s).")],
    deal: Annotated[str, typer.Argument(metavar="[DEAL]", help="Id of a test deal.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All open test deals.")] = False,
) -> None:
    """Let virtual time pass for a test deal, or for all of them."""
    if bool(deal) == everything:
        raise CommandFailed(ExitCode.USAGE, "name one test deal, or say --all")
    run(_advance(session_of(context), deal or None, duration(by)))


def duration(text: str) -> timedelta:
    """A duration such as 1d12h. Raises CommandFailed."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise CommandFailed(ExitCode.USAGE, f"{text!r} is no duration", "write 30d, 12h or 1d12h")
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))


async def _advance(session: Session, deal: str | None, by: timedelta) -> None:
    from dataclasses import asdict

    from cli.deal_views import said_no
    from cli.hands import hands_on
    from infra.desk.callers import OPERATOR

    async with hands_on(session) as hands:
        with said_no():
            moved = await hands.desk.advance_clock(OPERATOR, deal, by)
    rows = [(one.deal_id, one.now, one.problem) for one in moved]
    columns = ("deal", "its time now", "problem")
    session.screen.result([asdict(one) for one in moved], lambda: session.screen.table("", columns, rows))
    if any(one.problem for one in moved):
        raise typer.Exit(ExitCode.REFUSED)
