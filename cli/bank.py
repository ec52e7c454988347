"""Bank statements and the worklist of their entries, from the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.desk.bank_worklist import Part
    from infra.desk.callers import Caller
    from infra.desk.service import DealDesk

app = typer.Typer(help="Bank statements, and entries that wait for a person.", no_args_is_help=True)

Plain = dict[str, Any]
Number = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of a bank entry.")]


@app.command("list")
def list_statements(
    context: typer.Context,
    account: Annotated[str, typer.Option(help="Only this account of ours.")] = "",
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Only statements that do not add up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Statements that are shown.")] = 50,
) -> None:
    """Statements with what became of their entries, the newest first."""
    run(_list(session_of(context), account, "quarantined" if quarantined else "", limit))


@app.command()
def show(context: typer.Context, number: Number) -> None:
    """One entry: what the bank says, what was booked of it, and what it may be for."""
    run(_show(session_of(context), number))


@app.command()
def worklist(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="waiting, matched, ignored, booked or received.")] = "waiting",
) -> None:
    """Entries that no rule could decide, each with the best candidate."""
    run(_worklist(session_of(context), state))


@app.command()
def allocate(
    context: typer.Context,
    number: Number,
    parts: Annotated[
        list[str],
        typer.Argument(metavar="INVOICE=AMOUNT...", help="Amounts in minor units (cents); together what is left."),
    ],
) -> None:
    """Book an entry on invoices; what exceeds an invoice's open amount stays as its customer's credit."""
    run(_allocate(session_of(context), number, [_part(text) for text in parts]))


@app.command()
def ignore(
    context: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why it is not ours to book.")],
) -> None:
    """Say that an entry is not ours to book."""
    run(_ignore(session_of(context), number, reason))


@app.command()
def retry(context: typer.Context) -> None:
    """Match once more what waits, and tell deals that did not answer."""
    run(_retry(session_of(context)))


def _part(text: str) -> Part:
    from infra.desk.bank_worklist import Part

    invoice, _, amount = text.rpartition("=")
    if not invoice or not amount.isascii() or not amount.isdecimal():
        raise typer.BadParameter(f"{text!r} is not like 2026-000123=11900")
    return Part(invoice, int(amount))


Reading = Callable[["DealDesk", "Caller"], Awaitable[Any]]


async def _read(session: Session, ask: Reading) -> Any:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            return await ask(desk, caller)


async def _list(session: Session, account: str, state: str, limit: int) -> None:
    from cli.import_bank import CELLS, statement_cells

    page = await _read(session, lambda desk, me: desk.bank_inbox.statements(me, account, state, "", limit))
    rows = [statement_cells(one) for one in page.rows]

    def render() -> None:
        session.screen.table("", CELLS, rows)
        for one in page.rows:
            if one["reason"]:
                session.screen.line(f"statement {one['id']} is in quarantine: {one['reason']}", "bold red")

    session.screen.result(page.rows, render)


async def _show(session: Session, number: int) -> None:
    entry = await _read(session, lambda desk, me: desk.bank_worklist.entry(me, number))
    session.screen.result(entry, lambda: _draw(session, entry))


async def _worklist(session: Session, state: str) -> None:
    from cli.import_bank import amount
    from infra.stores.bank_rows import STATES

    if state not in STATES:
        raise typer.BadParameter(f"a state is one of {', '.join(STATES)}")

    async def all_of(desk: DealDesk, me: Caller) -> list[Plain]:
        rows: list[Plain] = []
        cursor = ""
        while True:
            page = await desk.bank_worklist.page(me, state, cursor=cursor, limit=200)
            rows += page.rows
            if not (cursor := page.next_cursor):
                return rows

    rows = await _read(session, all_of)
    columns = ("id>", "booked", "left>", "customer", "reason", "best candidate")
    shown = [
        (one["id"], one["booked_on"], amount(one["left"]), one["customer"], one["reason"], _best(one)) for one in rows
    ]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


def _best(entry: Plain) -> str:
    if not entry["candidates"]:
        return ""
    best = entry["candidates"][0]
    return f"{best['score']}: {', '.join(part['invoice'] for part in best['parts'])} - {best['why']}"


def _draw(session: Session, entry: Plain) -> None:
    from cli.import_bank import amount

    screen = session.screen
    said = ("account", "booked_on", "valued_on", "party_name", "party_iban", "text", "structured", "end_to_end")
    fate = ("bank_reference", "return_reason", "state", "rule", "reason", "customer", "decided_by", "decided_at")
    rows = [("amount", amount(entry["amount"])), ("left", amount(entry["left"]))]
    rows += [(name.replace("_", " "), str(entry[name])) for name in (*said, *fate) if entry[name]]
    screen.table(f"Bank entry {entry['id']}", ("what", "value"), rows)
    if entry["parts"]:
        screen.table(
            "Parts", ("invoice", "deal", *_NAMES, "state", "reason"), [_cells(part) for part in entry["parts"]]
        )
    if entry["candidates"]:
        told = [
            (
                one["score"],
                ", ".join(f"{part['invoice']} {amount(part['applied'])}" for part in one["parts"]),
                one["why"],
            )
            for one in entry["candidates"]
        ]
        screen.table("Candidates", ("score>", "invoices", "why"), told)


_NAMES = ("applied>", "excess>", "charges>", "discount>")


def _cells(part: Plain) -> tuple[object, ...]:
    from cli.import_bank import amount

    amounts = (amount(part[name.rstrip(">")]) for name in _NAMES)
    return part["invoice"], part["deal_id"], *amounts, part["state"], part["reason"]


async def _allocate(session: Session, number: int, parts: list[Part]) -> None:
    from cli.deal_views import said_no
    from cli.exits import ExitCode
    from cli.hands import caller_named, hands_on
    from cli.import_bank import rested

    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no():
            entry = await hands.desk.bank_worklist.allocate(caller, number, parts)
        await rested(hands, {part["deal_id"] for part in entry["parts"] if part["state"] == "booked"})
    session.screen.result(entry, lambda: _draw(session, entry))
    if entry["state"] != "booked":
        raise typer.Exit(ExitCode.REFUSED)


async def _ignore(session: Session, number: int, reason: str) -> None:
    entry = await _read(session, lambda desk, me: desk.bank_worklist.ignore(me, number, reason))
    session.screen.result(entry, lambda: session.screen.line(f"bank entry {number} is ignored: {entry['reason']}"))


async def _retry(session: Session) -> None:
    from cli.deal_views import said_no
    from cli.exits import ExitCode
    from cli.hands import caller_named, hands_on
    from cli.import_bank import rested

    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no():
            told = await hands.desk.bank_inbox.retry(caller)
        await rested(hands, set(told["deals"]))
    names = ("matched_again", "booked", "refused", "unanswered", "waiting")
    words = ", ".join(f"{told[name]} {name.replace('_', ' ')}" for name in names)
    session.screen.result(told, lambda: session.screen.line(words))
    if told["unanswered"]:
        raise typer.Exit(ExitCode.ENGINE)
