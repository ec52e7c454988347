"""Invoices in a terminal: what customers were asked to pay, how it is collected, and what its lateness costs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="Invoices: what is open, how late, and what was done about it.", no_args_is_help=True)

Plain = dict[str, Any]


@app.callback()
def invoices() -> None:
    """Invoices: what is open, how late, and what was done about it."""


@app.command("list")
def list_invoices(
    context: typer.Context,
    customer: Annotated[str, typer.Option(help="Only this customer's.")] = "",
    deal: Annotated[str, typer.Option(help="Only this deal's.")] = "",
    state: Annotated[str, typer.Option(help="Only this level, such as dunned, or end, such as paid.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only open ones.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only open ones past their due day, the oldest first.")] = False,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only those with disputed money.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")] = 50,
) -> None:
    """Invoices by number; late and disputed ones by their due date."""
    asked = {"customer": customer, "deal_id": deal, "state": state}
    wanted = {"is_open": is_open, "late": late, "disputed": disputed}
    run(_list(session_of(context), asked | {name: True for name, on in wanted.items() if on}, limit))


@app.command()
def show(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="An invoice, such as 2026-000123.")],
    as_of: Annotated[str, typer.Option(metavar="DAY", help="Interest until the end of this day; today without.")] = "",
) -> None:
    """One invoice: lines, bookings, ladder, disputes, promises, plans, interest, letters and holds."""
    run(_show(session_of(context), number, as_of))


async def _list(session: Session, asked: Plain, limit: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.desk.money_reading import InvoiceFilter
    from models.lifecycle.states import ReceivableState

    if asked["state"] and asked["state"] not in list(ReceivableState):
        known = ", ".join(ReceivableState)
        raise CommandFailed(ExitCode.USAGE, f"--state {asked['state']!r} is none of: {known}")
    rows: list[Plain] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        while len(rows) < limit:
            with said_no():
                page = await desk.money.invoices(caller, InvoiceFilter(**asked), cursor, min(200, limit - len(rows)))
            rows += page.rows
            if not (cursor := page.next_cursor):
                break

    def render() -> None:
        _draw_list(session, rows)
        if cursor:
            session.screen.line(f"the first {len(rows)}; --limit shows more")

    session.screen.result({"invoices": rows, "more": bool(cursor)}, render)


def _draw_list(session: Session, rows: list[Plain]) -> None:
    from cli.deal_texts import amount
    from cli.invoice_views import words

    columns = ("invoice", "deal", "customer", "kind", "due", "late>", "level", "total>", "open>", "collectable>")
    shown = [
        (
            *(r["number"], r["deal_id"], r["customer"], r["kind"], r["due_at"][:10]),
            *(r["days_late"] or "", words(r["state"])),
            *(amount(r[name]) for name in ("total", "open", "collectable")),
        )
        for r in rows
    ]
    session.screen.table("", columns, shown)


async def _show(session: Session, number: str, as_of: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from cli.invoice_views import draw
    from models.instants import day_start

    try:
        day_start(as_of or "2026-01-01")
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"--as-of {as_of!r} is no day such as 2026-11-21") from None
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            invoice = await desk.money.invoice(caller, number, as_of)
    session.screen.result(invoice, lambda: draw(session.screen, invoice))
