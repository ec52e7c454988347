"""The versioned business numbers from the command line: policies list, adopt."""

from __future__ import annotations

import typer

from cli.session import Session, run, session_of

app = typer.Typer(help="The versioned business numbers that deals pin.", no_args_is_help=True)


@app.command("list")
def list_policies(context: typer.Context) -> None:
    """All versions, the newest first; a deal keeps the one that was active when it started."""
    run(_list(session_of(context)))


@app.command()
def adopt(context: typer.Context) -> None:
    """Let new deals pin this release's default policy; running deals keep theirs, as they keep their rules."""
    run(_adopt(session_of(context)))


async def _list(session: Session) -> None:
    from infra.desk.books import Books

    async with session.database() as database:
        rows = await Books(database, session.settings).policies.store.all()
    plain = [
        {"version": r["version"], "rules": r["body"].get("rules", 1), "from": r["active_from"], "note": r["note"]}
        for r in rows
    ]
    shown = [tuple(row.values()) for row in plain]
    session.screen.result(plain, lambda: session.screen.table("", ("version", "rules>", "active from", "note"), shown))


async def _adopt(session: Session) -> None:
    from infra.desk.books import Books
    from infra.desk.clocks import wall_clock
    from models.policy import DEFAULT

    async with session.database() as database:
        new = await Books(database, session.settings).policies.adopt(wall_clock())
    outcome = "is active for new deals from now on" if new else "stood already; nothing changed"
    plain = {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": new}
    session.screen.result(plain, lambda: session.screen.line(f"policy {DEFAULT.version} {outcome}"))
