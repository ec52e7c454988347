"""Separation of duties in a terminal: audit duties, conflicts, rights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.desk.service import DealDesk
    from models.lifecycle.roles import Role

Plain = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(duties)
    app.command()(conflicts)
    app.command()(rights)


def duties(context: typer.Context) -> None:
    """The rules: which acts make up a duty, and which duties one person must not combine."""
    from infra.control.duty_reports import rules

    session, told = session_of(context), rules()

    def render() -> None:
        acts = [(each["name"], each["words"], ", ".join(each["acts"])) for each in told["duties"]]
        session.screen.table("Duties", ("duty", "what it is about", "acts"), acts)
        rows = [
            (each["name"], each["scope"] + (f", {each['within']} days" if each["within"] else ""), each["severity"],
             each["prevented_by"] or "only detected", each["why"])
            for each in told["conflicts"]
        ]  # fmt: skip
        session.screen.table("Kept apart", ("rule", "on the same", "severity", "prevented by", "why"), rows)

    session.screen.result(told, render)


def conflicts(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, such as 2026-11-01.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, in UTC like the first.")] = "",
    customer: Annotated[str, typer.Option(help="Only this customer or customer group.")] = "",
    test_deals: Annotated[bool, typer.Option("--test-deals", help="Look at test deals, too.")] = False,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Look at this event log instead: XES or CSV, or .gz.")
    ] = None,
    meaning: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="ACTIVITY=DUTY", help="What an activity of the log is; may be given again."),
    ] = None,
) -> None:
    """Combined duties, self-approval and split concessions; exit code 1 when something is found."""
    session = session_of(context)
    if log is not None:
        if first or last or customer or test_deals:
            raise CommandFailed(ExitCode.USAGE, "--log takes no period, customer or --test-deals: the file says it all")
        found = _in_log(log, meaning or [])
    else:
        if meaning:
            raise CommandFailed(ExitCode.USAGE, "--map says what activities of a --log mean")
        found = run(_in_history(session, first, last, customer, test_deals))
    session.screen.result(found, lambda: _render(session, found))
    if found["findings"]:
        raise typer.Exit(ExitCode.REFUSED)


def rights(
    context: typer.Context,
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="The day, in UTC; today without.")] = "",
    user: Annotated[str, typer.Option(help="Only this user.")] = "",
    action: Annotated[str, typer.Option(help="Only who could do this act.")] = "",
) -> None:
    """Who could do what at any moment of a day, in their own right and as a deputy, and what is too much for one."""
    session = session_of(context)
    told = run(_rights(session, on, user, action))

    def render() -> None:
        rows = [
            (
                each["user"], _span(each, told["on"]), ", ".join(each["roles"]) if each["active"] else "(not active)",
                each["department"], len(each["acts"]), ", ".join(one["absent"] for one in each["instead"]),
                "\n".join(f"{one['rule']}{'' if one['prevented_by'] else ' (only detected)'}" for one in each["toxic"]),
                each["origin"],
            )
            for each in told["items"]
        ]  # fmt: skip
        columns = ("user", "when", "roles", "department", "acts>", "deputy of", "could combine", "as told by")
        session.screen.table(f"Rights on {told['on']}", columns, rows)
        if user:
            for each in told["items"]:
                session.screen.line(f"{each['user']}: {', '.join(each['acts']) or 'nothing'}")
                for one in each["instead"]:
                    session.screen.line(f"  on behalf of {one['absent']}: {', '.join(one['acts'])}")

    session.screen.result(told, render)


async def _in_history(session: Session, first: str, last: str, customer: str, test_deals: bool) -> Plain:
    from cli.hands import desk_on
    from infra.control.detecting import Asked
    from infra.control.duty_reports import conflicts as found_in
    from models.lifecycle.roles import Role

    _check_days(("--from", first), ("--to", last))
    if first and last and last < first:
        raise CommandFailed(ExitCode.USAGE, f"--to {last} is before --from {first}")
    async with desk_on(session) as desk:
        await _allow(session, desk, "looking for conflicts", frozenset({Role.AUDITOR}))
        with session.screen.progress("deals", None) as progress:
            return await found_in(desk.books.database, Asked(first, last, customer, test_deals), progress)


def _in_log(file: Path, meaning: list[str]) -> Plain:
    from infra.control.detecting import detect_in_log
    from infra.control.duty_reports import shown
    from infra.control.event_logs import MAX_BYTES, UnreadableLog, read_log
    from infra.control.foreign_duties import UnknownDuty, mapping

    try:
        named = mapping(meaning)
    except UnknownDuty as problem:
        raise CommandFailed(ExitCode.USAGE, str(problem)) from None
    try:
        with file.open("rb") as opened:
            return shown(detect_in_log(read_log(opened.read(MAX_BYTES + 1), file.name), named))
    except IsADirectoryError:
        raise CommandFailed(ExitCode.USAGE, f"{file} is a folder") from None
    except UnreadableLog as problem:
        raise CommandFailed(ExitCode.BAD_DATA, str(problem)) from None


async def _rights(session: Session, on: str, user: str, action: str) -> Plain:
    from cli.hands import desk_on
    from infra.control.duty_reports import ACTS
    from infra.control.duty_reports import rights as told
    from models.lifecycle.roles import Role

    _check_days(("--on", on))
    if action and action not in ACTS:
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no act {action!r}", f"acts: {', '.join(sorted(ACTS))}")
    async with desk_on(session) as desk:
        await _allow(session, desk, "reading who could do what", frozenset({Role.AUDITOR, Role.ADMIN}))
        return await told(desk.books.database, on or desk.clock()[:10], user, action)


def _check_days(*given: tuple[str, str]) -> None:
    from models.instants import day_start

    for option, day in given:
        try:
            day_start(day or "2026-01-01")
        except ValueError:
            raise CommandFailed(ExitCode.USAGE, f"{option} {day!r} is no day such as 2026-11-21") from None


async def _allow(session: Session, desk: DealDesk, what: str, roles: frozenset[Role]) -> None:
    """Whoever is named with --as needs the role; whoever has the machine has the files anyway."""
    from cli.deal_views import said_no
    from cli.hands import caller_named

    if session.options.acting_as:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            caller.require(what, roles)


def _render(session: Session, found: Plain) -> None:
    screen = session.screen
    rows = [
        (
            each["rule"], each["severity"], each["case"] or each["about"], ", ".join(each["people"]),
            "\n".join(f"{act['at']} {act['activity']} by {_who(act)} ({act['where']})" for act in each["acts"]),
            "" if each["link"].startswith("the same") else each["link"],
        )
        for each in found["findings"]
    ]  # fmt: skip
    if rows:
        screen.table("", ("rule", "severity", "where", "people", "acts", "linked"), rows)
    for name, times in list(found["unmapped"].items())[:20]:
        screen.line(f"  not mapped: {name} ({times} times)")
    if found["nameless"]:
        screen.line(f"  {found['nameless']} acts without a person")
    screen.line(f"{len(rows)} conflicts in {found['cases']} cases with {found['acts']} acts", "bold")


def _who(act: Plain) -> str:
    return f"{act['who']} for {act['on_behalf_of']}" if act["on_behalf_of"] else str(act["who"])


def _span(each: Plain, day: str) -> str:
    """When on that day; nothing for the whole of it."""
    from models.instants import DAY, day_start, plus

    whole = (day_start(day), plus(day_start(day), DAY))
    if (each["from_at"], each["until_at"]) == whole:
        return ""
    return f"{each['from_at'][11:19]} to {'24:00' if each['until_at'] == whole[1] else each['until_at'][11:19]}"
