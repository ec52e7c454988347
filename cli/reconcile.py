"""The monthly reconciliation from the command line: reconcile run, list, show, answer, settle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from models.reconciliation import Claim

app = typer.Typer(help="Reconcile accounts with customers, month by month.", no_args_is_help=True)

Plain = dict[str, Any]
Month = Annotated[str, typer.Option(metavar="YYYY-MM", help="The month; the last whole one without.")]
Number = Annotated[str, typer.Argument(metavar="ID", help="Id of a reconciliation, which is on its letter.")]
TestDeals = Annotated[bool, typer.Option("--test-deals", help="A rehearsal about test deals alone; never sent.")]

STATES = ("open", "confirmed", "differs", "settled")
_ITEM = '{"kind": "amount", "invoice": "2026-000123", "theirs_minor": 90000, "reference": "...", "note": "..."}'


@app.command("run")
def run_month(context: typer.Context, month: Month = "", test_deals: TestDeals = False) -> None:
    """Write the statements of a month; what was written before stays."""
    run(_run(session_of(context), month, test_deals))


@app.command("list")
def list_all(
    context: typer.Context,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Only this month.")] = "",
    state: Annotated[str, typer.Option(help=f"Only those in this state: {', '.join(STATES)}.")] = "",
    customer: Annotated[str, typer.Option(help="Only this customer's.")] = "",
    test_deals: TestDeals = False,
) -> None:
    """Statements and what became of them, the latest month first."""
    if state and state not in STATES:
        raise CommandFailed(ExitCode.USAGE, f"--state {state!r} is none of: {', '.join(STATES)}")
    run(_list(session_of(context), month, state, customer, test_deals))


@app.command()
def show(context: typer.Context, number: Number) -> None:
    """One statement with its invoices and the customer's differences."""
    run(_show(session_of(context), number))


@app.command()
def answer(
    context: typer.Context,
    number: Number,
    balance: Annotated[int | None, typer.Option(help="Their balance in minor units; negative when we owe it.")] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="They agree with our balance.")] = False,
    item: Annotated[list[str] | None, typer.Option(metavar="JSON", help=f"A difference, such as {_ITEM}.")] = None,
    key: Annotated[str, typer.Option(help="The same key again goes on with this very answer.")] = "",
) -> None:
    """Take in what a customer answered. A difference about an open invoice becomes a dispute, any other an alert."""
    if confirm == (balance is not None) or (confirm and item):
        raise CommandFailed(ExitCode.USAGE, "give either --confirm alone or --balance, with an --item per difference")
    run(_answer(session_of(context), number, balance, item or [], key))


@app.command()
def settle(
    context: typer.Context,
    number: Number,
    note: Annotated[str, typer.Argument(help="How the differences were put right.")],
) -> None:
    """The differences are put right; their alerts ring no more."""
    run(_settle(session_of(context), number, note))


async def _run(session: Session, month: str, test_deals: bool) -> None:
    from dataclasses import asdict

    from cli.deal_views import said_no
    from cli.hands import caller_named, hands_on

    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no():
            done = await hands.desk.reconciling.run(caller, month, test_deals)
            while not done.finished:
                session.screen.note(f"statements of {done.month} are still being written ...")
                done = await hands.desk.reconciling.run(caller, done.month, test_deals)
    told = f"{done.written} statements of {done.month} were written"
    session.screen.result(asdict(done), lambda: session.screen.line(told))


async def _list(session: Session, month: str, state: str, customer: str, test_deals: bool) -> None:
    from cli.deal_texts import amount
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    rows: list[Plain] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        while True:
            with said_no():
                page = await desk.reconciling.page(caller, month, state, customer, test_deals, cursor, 200)
            rows += page.rows
            if not (cursor := page.next_cursor):
                break
    columns = ("id", "month", "customer", "our balance>", "their balance>", "state", "answer by")
    shown = [
        (
            *(row["id"], row["month"], row["customer"], amount(row["our_balance"])),
            *(_or_dash(row["their_balance"]), row["state"], row["deadline"][:10]),
        )
        for row in rows
    ]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _show(session: Session, number: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            told = await desk.reconciling.get(caller, number)
    _render(session, told)


async def _answer(session: Session, number: str, balance: int | None, items: list[str], key: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, hands_on, patiently
    from models.timeline import digest

    claims = tuple(_claim(item) for item in items)
    chosen = key or f"cli-{digest([number, balance, items])[:16]}"
    async with hands_on(session) as hands:
        desk = hands.desk.reconciling
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no():
            if balance is None:
                balance = int((await desk.get(caller, number))["our_balance"]["amount_minor"])
            theirs = balance
            told = await patiently(lambda: desk.answer(caller, number, theirs, claims, chosen))
    _render(session, told)


async def _settle(session: Session, number: str, note: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            told = await desk.reconciling.settle(caller, number, note)
    _render(session, told)


def _claim(item: str) -> Claim:
    from models import codec
    from models.reconciliation import Claim

    try:
        return codec.decode(Claim, json.loads(item))
    except ValueError as problem:
        raise CommandFailed(ExitCode.USAGE, f"--item {item[:60]!r}: {problem}", f"such as {_ITEM}") from None


def _or_dash(money: Plain | None) -> str:
    from cli.deal_texts import amount

    return amount(money) if money else "-"


def _render(session: Session, told: Plain) -> None:
    from cli.deal_texts import amount

    def render() -> None:
        screen = session.screen
        screen.line(f"{told['id']}  {told['customer']}, {told['month']}: {told['state']}", "bold")
        theirs = _or_dash(told["their_balance"])
        screen.line(f"  our balance {amount(told['our_balance'])}, theirs {theirs}, credit {amount(told['credit'])}")
        names = ("invoice", "issued_on", "due_on")
        lines = [(*(line[n] for n in names), amount(line["total"]), amount(line["open"])) for line in told["lines"]]
        screen.table("Open at the month's end", ("invoice", "issued", "due", "total>", "open>"), lines)
        items = [
            (
                *(item["number"], item["kind"], item["invoice"], amount(item["ours"]), amount(item["theirs"])),
                *(item["became"] or "waits", item["outcome"]),
            )
            for item in told["items"]
        ]
        if items:
            screen.table("Differences", ("item>", "kind", "invoice", "ours>", "theirs>", "became", "what"), items)

    session.screen.result(told, render)
