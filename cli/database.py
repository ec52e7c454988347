"""Our own tables from the command line: db upgrade, db check."""

from __future__ import annotations

import typer

from cli.session import run, session_of

app = typer.Typer(help="The tables of our own database.", no_args_is_help=True)


@app.command()
def upgrade(context: typer.Context) -> None:
    """Create the tables or bring them up to date, and what stands in them."""
    from infra.migrate import head

    session = session_of(context)

    async def work() -> None:
        async with session.database(create=True):
            pass  # opening it does all of that

    run(work())
    session.screen.result({"revision": head()}, lambda: session.screen.line(f"the tables are at revision {head()}"))


@app.command()
def check(context: typer.Context) -> None:
    """Say whether the tables are what this version expects; exit code 1 when they are not."""
    from infra.migrate import check, head

    session = session_of(context)
    session.require_data()
    check(session.settings.database)
    plain = {"revision": head(), "up_to_date": True}
    session.screen.result(plain, lambda: session.screen.line(f"the tables are up to date (revision {head()})"))
