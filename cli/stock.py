"""The stock book from the command line: stock list, waiting, verify."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.exits import ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="What lies in which warehouse.", no_args_is_help=True)


@app.command("list")
def list_stock(context: typer.Context, article: Annotated[str, typer.Option(help="Only this article.")] = "") -> None:
    """Units on hand and reserved per article and warehouse."""
    run(_list(session_of(context), article))


@app.command()
def verify(context: typer.Context) -> None:
    """Check that all sums of the stock book agree with its moves and with the deals; exit code 1 when one does not."""
    run(_verify(session_of(context)))


@app.command()
def waiting(context: typer.Context, article: Annotated[str, typer.Option(help="Only this article.")] = "") -> None:
    """Order lines that wait for goods, in the order in which they will be served: who has waited longest, first."""
    run(_waiting(session_of(context), article))


async def _waiting(session: Session, article: str) -> None:
    from infra.gateways.stock_reading import StockReader

    async with session.database() as database:
        rows = await StockReader(database).waiting(article, limit=200)
    columns = ("article", "place>", "deal", "line>", "branch", "missing>", "set aside>", "since")
    names = ("article", "position", "deal_id", "line", "branch", "quantity", "allocated", "since")
    shown = [tuple(row[name] for name in names) for row in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _list(session: Session, article: str) -> None:
    from cli.balances import stock_levels

    async with session.database() as database:
        rows = await stock_levels(database, article)
    columns = ("article", "warehouse", "on hand>", "reserved>", "free>")
    shown = [(r["article"], r["warehouse"], r["on_hand"], r["reserved"], r["on_hand"] - r["reserved"]) for r in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _verify(session: Session) -> None:
    from dataclasses import asdict

    from cli.balances import stock_levels
    from infra.gateways.stock_reading import StockReader

    async with session.database() as database:
        differences = await StockReader(database).verify(with_deals=session.settings.stock_url is None)
        shelves = len(await stock_levels(database))
    plain = {"shelves": shelves, "sound": not differences, "differences": [asdict(found) for found in differences]}

    def render() -> None:
        for found in differences:
            session.screen.line(str(found), "bold red")
        session.screen.line(f"{shelves} shelves, {len(differences)} differences")

    session.screen.result(plain, render)
    if differences:
        raise typer.Exit(ExitCode.REFUSED)
