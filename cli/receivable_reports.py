"""Reports on receivables in a terminal: reports ageing, dso, effectiveness, cash, lateness."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.as_of import check_times
from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.desk.callers import Caller
    from infra.desk.money_reports import Asked, MoneyReports

Plain = dict[str, Any]
AsOf = Annotated[str, typer.Option(metavar="DAY", help="The day at whose end things stood so; today without.")]
Currency = Annotated[str, typer.Option(help="Only this currency, such as EUR.")]
Customer = Annotated[str, typer.Option(help="Only this customer.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Customers to name at most.")]
Days = Annotated[int, typer.Option(min=1, max=1_100, help="Days of the period that ends with the day.")]
Weeks = Annotated[int, typer.Option(min=1, max=104, help="ISO weeks, that of the day first.")]
KnownAt = Annotated[
    str,
    typer.Option(metavar="TIME", help="Count what was known by this day or instant, on value days."),
]
TestDeals = Annotated[bool, typer.Option("--test-deals", help="Count test deals, too, such as those of the demo.")]

_BUCKETS = ("not due>", "1-30>", "31-60>", "61-90>", "91-180>", "over 180>")


def add_to(app: typer.Typer) -> None:
    """Put the commands into the tree of reports."""
    for name, command in (
        ("ageing", ageing),
        ("dso", dso),
        ("effectiveness", effectiveness),
        ("cash", cash),
        ("lateness", lateness),
    ):
        app.command(name)(command)


def ageing(
    context: typer.Context,
    as_of: AsOf = "",
    currency: Currency = "",
    customer: Customer = "",
    limit: Limit = 25,
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> None:
    """What customers owe, by how late it is."""
    asked = (as_of, currency, customer, test_deals, limit, known_at)
    run(_show(session_of(context), asked, lambda reports, who, what: reports.ageing(who, what), _ageing))


def dso(
    context: typer.Context,
    as_of: AsOf = "",
    days: Days = 90,
    currency: Currency = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> None:
    """Days sales outstanding: how many days of sales customers owe."""
    asked = (as_of, currency, "", test_deals, 1, known_at)
    run(_show(session_of(context), asked, lambda reports, who, what: reports.dso(who, what, days), _dso))


def effectiveness(
    context: typer.Context,
    as_of: AsOf = "",
    days: Days = 90,
    currency: Currency = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> None:
    """How much of what could have been collected in a period was collected."""
    asked = (as_of, currency, "", test_deals, 1, known_at)
    ask = lambda reports, who, what: reports.effectiveness(who, what, days)  # noqa: E731
    run(_show(session_of(context), asked, ask, _effectiveness))


def cash(
    context: typer.Context,
    as_of: AsOf = "",
    weeks: Weeks = 13,
    currency: Currency = "",
    customer: Customer = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> None:
    """What money is expected in which week, by promises and by how late each customer pays."""
    asked = (as_of, currency, customer, test_deals, 1, known_at)
    run(_show(session_of(context), asked, lambda reports, who, what: reports.expected_cash(who, what, weeks), _cash))


def lateness(
    context: typer.Context,
    as_of: AsOf = "",
    currency: Currency = "",
    customer: Customer = "",
    limit: Limit = 25,
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> None:
    """How late customers pay, and how many invoices reached which rung of the collection ladder."""
    asked = (as_of, currency, customer, test_deals, limit, known_at)
    run(_show(session_of(context), asked, lambda reports, who, what: reports.lateness(who, what), _lateness))


async def _show(
    session: Session,
    asked: tuple[str, str, str, bool, int, str],
    ask: Callable[[MoneyReports, Caller, Asked], Awaitable[Plain]],
    render: Callable[[Session, Plain], None],
) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.desk.money_reports import Asked, MoneyReports

    _check(asked[0], asked[1])
    check_times(("--known-at", asked[5]))
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            report = await ask(MoneyReports(desk.books, desk.clock), caller, Asked(*asked))
    session.screen.result(report, lambda: render(session, report))


def _check(as_of: str, currency: str) -> None:
    from models.instants import day_start
    from models.money import Money

    try:
        day_start(as_of or "2026-01-01")
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"--as-of {as_of!r} is no day such as 2026-11-21") from None
    try:
        Money(0, currency or "EUR")
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"--currency {currency!r} is no code such as EUR") from None


def _ageing(session: Session, report: Plain) -> None:
    screen = session.screen
    for total in report["totals"]:
        rows = [row for row in report["customers"] if row["currency"] == total["currency"]]
        screen.table(
            f"Open receivables in {total['currency']} at the end of {_when(report)}, by days overdue",
            ("customer", *_BUCKETS, "open>", "disputed>"),
            [_aged(row["customer"], row) for row in rows] + [_aged(f"all {total['customers']}", total)],
        )
    if not report["totals"]:
        screen.line(f"nothing is open at the end of {_when(report)}")


def _aged(name: str, row: Plain) -> tuple[str, ...]:
    return (name, *(_bare(bucket["open"]) for bucket in row["buckets"]), _bare(row["open"]), _bare(row["disputed"]))


def _dso(session: Session, report: Plain) -> None:
    columns = (
        "currency",
        "sales>",
        "receivables>",
        "not overdue>",
        "DSO>",
        "best possible>",
        "delinquent>",
        "count-back>",
    )
    names = ("dso", "best_possible", "delinquent", "countback")
    rows = [
        (
            row["currency"],
            *(_bare(row[name]) for name in ("sales", "receivables", "current")),
            *(_tenths(row[f"{name}_tenths"]) for name in names),
        )
        for row in report["items"]
    ]
    session.screen.table(_period("Days sales outstanding", report), columns, rows)
    session.screen.line(
        "DSO = receivables / sales x days. Delinquent: DSO less the best possible, which nobody's delay adds to."
    )


def _effectiveness(session: Session, report: Plain) -> None:
    columns = ("currency", "beginning>", "sales>", "ending>", "not overdue>", "collected>", "collectable>", "index>")
    names = ("beginning", "sales", "ending", "current", "collected", "collectable")
    rows = [
        (row["currency"], *(_bare(row[name]) for name in names), _percent(row["effectiveness_bps"]))
        for row in report["items"]
    ]
    session.screen.table(_period("Collection effectiveness", report), columns, rows)


def _cash(session: Session, report: Plain) -> None:
    screen = session.screen
    for row in report["items"]:
        weeks = [(w["week"], w["monday"], _bare(w["expected"]), _bare(w["promised"])) for w in row["weeks"]]
        apart = [(name, "", _bare(row[name]), "") for name in ("later", "uncertain", "legal")]
        screen.table(
            f"Expected cash in {row['currency']} as of {_when(report)}",
            ("week", "from", "expected>", "promised>"),
            [*weeks, *apart, ("open", "", _bare(row["open"]), "")],
        )
    if not report["items"]:
        screen.line(f"nothing is open at the end of {_when(report)}")
    screen.line(
        "uncertain: disputed. legal: handed over. Who never paid before is expected to pay "
        f"{report['usual_days_late']} days after the due day."
    )


def _lateness(session: Session, report: Plain) -> None:
    columns = ("customer", "settled invoices>", "median days late>", "average days late>")
    names = ("customer", "invoices", "median_days", "average_days")
    together = ("all", report["invoices"], report["median_days"], report["average_days"])
    rows = [tuple(row[name] for name in names) for row in report["customers"]]
    session.screen.table(f"Days late until {_when(report)}", columns, [*rows, together])
    counts = [(row["rung"].replace("_", " "), row["invoices"]) for row in report["rungs"]]
    if counts:
        session.screen.table("Rungs of the collection ladder", ("rung", "invoices>"), counts)


def _period(name: str, report: Plain) -> str:
    return f"{name}, {report['from']} to {_when(report)} ({report['days']} days)"


def _when(report: Plain) -> str:
    known = report["known_at"]
    return f"{report['as_of']}, as known at {known[:16].replace('T', ' ')}" if known else str(report["as_of"])


def bare(amount: Plain) -> str:
    """An amount without its currency, which the table's title or first column names."""
    from models.money import show

    return show(amount["amount_minor"], amount["currency"]).rsplit(" ", 1)[0]


def _bare(amount: Plain) -> str:
    return bare(amount) if amount["amount_minor"] else "-"


def _tenths(days: int | None) -> str:
    return "-" if days is None else f"{'-' if days < 0 else ''}{abs(days) // 10}.{abs(days) % 10}"


def _percent(bps: int | None) -> str:
    return "-" if bps is None else f"{bps / 100:.2f} %"
