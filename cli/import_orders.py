"""`dealwright import orders`: judge the rows, drive the deals, show what became of every line and that it adds up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from cli.exits import ExitCode
from cli.hands import Hands, hands_on
from cli.import_reports import end_with, keep_report, show_reports
from cli.imports.order_driving import ORDER_POLICY, OrderDriver, Served
from cli.imports.order_outcomes import Balance, Units, balance_of
from cli.imports.order_setup import customers_of, demand, enter, opening_stock, warehouse_of
from cli.imports.orders import OrderFile, SalesOrder, read_orders
from cli.imports.pipeline import CLERK, DIRECTOR, RISK
from cli.imports.steps import Office
from cli.session import Session


async def import_orders(
    session: Session, path: Path, driving: bool, limit: int, share: int, concurrency: int, allow_refused: bool
) -> None:
    """Read, and with `driving` drive. Raises typer.Exit with 1 when the sums don't agree, with 5 for refused rows."""
    file = await asyncio.to_thread(read_orders, path)
    orders = file.orders[:limit] if limit else file.orders
    if not driving:
        _show_reading(session, file, orders, share)
    else:
        async with hands_on(session, create=True) as hands:
            started = time.monotonic()
            served = await _drive(session, hands, file, orders, share, concurrency)
            seconds = time.monotonic() - started
            balance = await balance_of(served, file.returns, warehouse_of(file), hands.desk.books)
        _show_driving(session, file, served, balance, seconds)
        if balance.problems:
            raise typer.Exit(ExitCode.REFUSED)
    end_with([file.report], allow_refused)


async def _drive(
    session: Session, hands: Hands, file: OrderFile, orders: list[SalesOrder], share: int, concurrency: int
) -> list[Served]:
    await enter(file, orders, share, hands.desk.books, hands.desk.clock())
    office = Office(CLERK.id, RISK.id, DIRECTOR.id)
    driver = OrderDriver(hands, office, warehouse_of(file), customers_of(file))
    with session.screen.progress("orders", len(orders)) as progress:
        return await driver.drive_all(orders, file.returns, concurrency, progress)


def _show_reading(session: Session, file: OrderFile, orders: list[SalesOrder], share: int) -> None:
    wanted, stock = demand(orders), opening_stock(orders, share)
    counts = {
        "orders": len(orders),
        "order_lines": sum(len(order.items) for order in orders),
        "articles": len(wanted),
        "units": wanted.total(),
        "opening_units": sum(stock.values()),
        "returns": len(file.returns),
    }
    plain: dict[str, Any] = {"files": [file.report.plain()], **counts}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, [file.report], kept)
        session.screen.line(
            f"{counts['orders']} orders of {counts['order_lines']} lines, {counts['units']} units of "
            f"{counts['articles']} articles, {counts['returns']} returns; nothing was changed. Add --drive.",
            "bold",
        )

    session.screen.result({**plain, "report": str(kept)}, render)


def _show_driving(session: Session, file: OrderFile, served: list[Served], balance: Balance, seconds: float) -> None:
    found = sum(one.resumed for one in served)
    counts = {"orders": len(served), "opened": len(served) - found, "found": found, "seconds": round(seconds, 1)}
    plain = {"files": [file.report.plain()], **counts, "policy": ORDER_POLICY.version, **balance.plain()}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, [file.report], kept)
        show_balance(session, balance)
        session.screen.line(
            f"{counts['orders']} orders ({counts['opened']} driven now, {found} found from an earlier import) "
            f"in {counts['seconds']} s"
        )
        for problem in balance.problems[:20]:
            session.screen.line(f"  {problem}")
        good = not balance.problems
        session.screen.line("Every unit is accounted for." if good else "The sums do NOT agree.", _style(good))

    session.screen.result({**plain, "report": str(kept)}, render)


def show_balance(session: Session, balance: Balance) -> None:
    """Lines and units per outcome, and the sums that must agree."""
    names = Units.__slots__
    columns = ("outcome", "lines>", *(f"{name.replace('_', ' ')}>" for name in names))
    rows: list[tuple[Any, ...]] = [
        (outcome, lines, *asdict(units).values()) for outcome, (lines, units) in balance.by_outcome().items()
    ]
    rows.append(("all", len(balance.lines), *asdict(balance.total).values()))
    session.screen.table(
        "Units: ordered + as substitute = shipped + returned + cancelled + substituted + open", columns, rows
    )
    stock = balance.stock
    session.screen.line(
        f"stock: opening {stock.opening} + received {stock.received} + returned {stock.returned} "
        f"- shipped {stock.shipped} = on hand {stock.on_hand}"
    )
    for back in balance.returns:
        less = "" if back.taken_back == back.asked else f" of {back.asked}: the rest had not been delivered"
        told = f"{back.cancellation} (line {back.line}): {back.taken_back} units taken back{less}"
        session.screen.line(f"return {told}, order {back.invoice}")


def _style(good: bool) -> str:
    return "bold green" if good else "bold red"
