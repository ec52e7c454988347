"""Time travel in a terminal: audit as-of deal, customer, stock, and audit who-could."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.desk.callers import Caller
    from infra.desk.service import DealDesk

Plain = dict[str, Any]
Ask = Callable[["DealDesk", "Caller"], Awaitable[Plain]]

At = Annotated[str, typer.Option(metavar="TIME", help="The day (to its end, UTC) or instant that is asked about.")]
KnownAt = Annotated[str, typer.Option(metavar="TIME", help="The day or instant whose knowledge counts; now without.")]

tree = typer.Typer(help="How things were on a day, as far as that was known on a day.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Put the commands into the tree of evidence."""
    app.add_typer(tree, name="as-of")
    app.command("who-could")(who_could)


@tree.command()
def deal(
    context: typer.Context,
    deal_id: Annotated[str, typer.Argument(metavar="DEAL", help="The id of a deal.")],
    at: At = "",
    known_at: KnownAt = "",
    compare: Annotated[
        str, typer.Option(metavar="TIME", help="Also what was learnt from --known-at until this day or instant.")
    ] = "",
) -> None:
    """A deal as it was: state, money and exposure; with --compare what was learnt since."""
    check_times(("--at", at), ("--known-at", known_at), ("--compare", compare))
    from cli.as_of_views import deal_then

    async def ask(desk: DealDesk, caller: Caller) -> Plain:
        from infra.desk.time_travel import TimeTravel
        from infra.desk.two_times import Asked

        return await TimeTravel(desk.books, desk.clock).deal(caller, deal_id, Asked(at, known_at), compare)

    run(_show(session_of(context), ask, deal_then))


@tree.command()
def customer(
    context: typer.Context,
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The id of a customer.")],
    at: At = "",
    known_at: KnownAt = "",
    group: Annotated[bool, typer.Option("--group", help="The whole group of the customer.")] = False,
    test_deals: Annotated[bool, typer.Option("--test-deals", help="Count test deals, too, as of the demo.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Deals to name at most.")] = 25,
) -> None:
    """A customer as it was: money, exposure and credit limit, deals by state, those that owed most."""
    check_times(("--at", at), ("--known-at", known_at))
    from cli.as_of_views import customer_then

    async def ask(desk: DealDesk, caller: Caller) -> Plain:
        from infra.desk.customers_then import CustomersThen, OfCustomer
        from infra.desk.two_times import Asked

        asked = OfCustomer(customer_id, group, test_deals, limit)
        return await CustomersThen(desk.books, desk.clock).customer(caller, asked, Asked(at, known_at))

    run(_show(session_of(context), ask, customer_then))


@tree.command()
def stock(
    context: typer.Context,
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="The id of an article.")],
    at: At = "",
    known_at: KnownAt = "",
    warehouse: Annotated[str, typer.Option(help="On hand in this warehouse alone.")] = "",
) -> None:
    """What lay in which warehouse, and how much of it was reserved."""
    check_times(("--at", at), ("--known-at", known_at))
    from cli.as_of_views import stock_then

    async def ask(desk: DealDesk, _: Caller) -> Plain:
        from infra.desk.stock_then import StockThen
        from infra.desk.two_times import Asked

        return await StockThen(desk.books, desk.clock).article(article, warehouse, Asked(at, known_at))

    run(_show(session_of(context), ask, stock_then))


def who_could(
    context: typer.Context,
    deal_id: Annotated[str, typer.Argument(metavar="DEAL", help="The id of a deal.")],
    at: At = "",
    known_at: KnownAt = "",
    action: Annotated[str, typer.Option(help="Only this action, with what stood in whose way.")] = "",
) -> None:
    """Who could do what with a deal at that time, by the rights and the rules of then."""
    check_times(("--at", at), ("--known-at", known_at))
    from cli.as_of_views import could_then

    async def ask(desk: DealDesk, caller: Caller) -> Plain:
        from infra.desk.two_times import Asked
        from infra.desk.who_could import WhoCould

        return await WhoCould(desk.books, desk.clock).deal(caller, deal_id, Asked(at, known_at), action)

    run(_show(session_of(context), ask, lambda session, told: could_then(session, told, action)))


def check_times(*options: tuple[str, str]) -> None:
    """Refuse what is neither a day nor an instant. Raises CommandFailed."""
    from models.as_of import moment

    for name, text in options:
        try:
            moment(text or "2026-01-01")
        except (ValueError, OverflowError):
            message = f"{name} {text!r} is no day such as 2026-03-31, and no instant such as 2026-03-31T08:00:00Z"
            raise CommandFailed(ExitCode.USAGE, message) from None


async def _show(session: Session, ask: Ask, render: Callable[[Session, Plain], None]) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            told = await ask(desk, caller)
    session.screen.result(told, lambda: render(session, told))
