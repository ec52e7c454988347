"""Management's reports in a terminal: response-times, discrepancies, and those on receivables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import receivable_reports
from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(
    help="How the company works: who answers how fast, what goes wrong and why, who owes what.", no_args_is_help=True
)

if TYPE_CHECKING:
    from infra.stores.reports import Period

Plain = dict[str, Any]
First = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, such as 2026-11-01.")]
Last = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, in UTC like the first.")]
TestDeals = Annotated[bool, typer.Option("--test-deals", help="Count test deals, too, such as those of the demo.")]


@app.command("response-times")
def response_times(
    context: typer.Context,
    first: First = "",
    last: Last = "",
    as_of: Annotated[str, typer.Option(help="The instant at which open requests are judged late; now without.")] = "",
    test_deals: TestDeals = False,
) -> None:
    """How fast departments answer what deals ask them, and how often they are late."""
    run(_response_times(session_of(context), first, last, as_of, test_deals))


@app.command()
def discrepancies(
    context: typer.Context,
    first: First = "",
    last: Last = "",
    by: Annotated[str, typer.Option(help="cause, kind, article or measure.")] = "cause",
    test_deals: TestDeals = False,
) -> None:
    """Goods that were not as ordered, by their cause, and what was done against repetition."""
    run(_discrepancies(session_of(context), first, last, by, test_deals))


receivable_reports.add_to(app)


async def _response_times(session: Session, first: str, last: str, as_of: str, test_deals: bool) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from models.instants import canonical

    period = _period(first, last, test_deals)
    try:
        at = canonical(as_of) if as_of else ""
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"--as-of {as_of!r} is no instant such as 2026-11-21T08:00:00Z") from None
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            report = await desk.reporting.response_times(caller, period, at)
    columns = ("department", "kind", "asked>", "answered>", "open>", "late>", "escalated>", "mean>", "median>", "90 %>")
    counts = ("asked", "answered", "open", "late", "escalated")
    rows = [
        (
            *(_words(r["role"]), _words(r["kind"]), *(r[name] for name in counts)),
            *(_time(r[f"{name}_seconds"]) for name in ("mean", "median", "p90")),
        )
        for r in report["items"]
    ]

    def render() -> None:
        session.screen.table(_title("Response times", report), columns, rows)
        session.screen.line("90 %: the time in which 9 of 10 answers came. Weekends count; due dates leave them out.")

    session.screen.result(report, render)


async def _discrepancies(session: Session, first: str, last: str, by: str, test_deals: bool) -> None:
    from typing import cast, get_args

    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.stores.reports import By

    period = _period(first, last, test_deals)
    if by not in get_args(By):
        raise CommandFailed(ExitCode.USAGE, f"--by {by!r} is none of: {', '.join(get_args(By))}")
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            report = await desk.reporting.discrepancies(caller, period, cast("By", by))
    columns = (by, "acts>", "share>", "units>", "share>")
    rows = [
        (
            (r["name"] if by == "article" else _words(r["name"])) or "(open)",
            r["acts"],
            _percent(r["acts_bps"]),
            r["units"],
            _percent(r["units_bps"]),
        )
        for r in report["items"]
    ]

    def render() -> None:
        session.screen.table(_title("Discrepancies", report), columns, rows)
        session.screen.line(f"{report['acts']} acts about {report['units']} units")
        if report["measures"]:
            measures = [(measure["acts"], measure["text"]) for measure in report["measures"]]
            session.screen.table("Against repetition", ("acts>", "measure"), measures)

    session.screen.result(report, render)


def _period(first: str, last: str, test_deals: bool) -> Period:
    from infra.stores.reports import Period
    from models.instants import day_start

    for name, day in (("--from", first), ("--to", last)):
        try:
            day_start(day or "2026-01-01")
        except ValueError:
            raise CommandFailed(ExitCode.USAGE, f"{name} {day!r} is no day such as 2026-11-21") from None
    if first and last and last < first:
        raise CommandFailed(ExitCode.USAGE, f"--to {last} is before --from {first}")
    return Period(first, last, test_deals)


def _title(name: str, report: Plain) -> str:
    period = [f"{word} {report[word]}" for word in ("from", "to") if report[word]]
    return " ".join([name, *period])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _percent(bps: int) -> str:
    return f"{bps / 100:.2f} %"


def _time(seconds: int | None) -> str:
    """A duration for people: 2 d 3 h, 3 h 5 min or 4 min."""
    if seconds is None:
        return "-"
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3_600, seconds % 3_600 // 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
