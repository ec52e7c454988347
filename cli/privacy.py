"""Personal data from the command line: privacy erase, list, check, disclose, paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="Personal data of contacts: erase it, and prove that it is gone.", no_args_is_help=True)


@app.command()
def erase(
    context: typer.Context,
    contact: Annotated[str, typer.Argument(help="Id of a contact, or customer:ID for what is about nobody there.")],
    reason: Annotated[str, typer.Option(help="Why, such as the reference of the request; name nobody.")],
) -> None:
    """Destroy the personal data of a contact, for ever; doing it again changes nothing."""
    run(_erase(session_of(context), contact, reason))


@app.command("list")
def list_erasures(context: typer.Context, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50) -> None:
    """Erasures, the latest first."""
    run(_list(session_of(context), limit))


@app.command()
def check(
    context: typer.Context,
    marker: Annotated[list[str] | None, typer.Option("--marker", help="A text to search for; may be repeated.")] = None,
) -> None:
    """Search every file of the data folder and the keys for texts, or for all names and addresses that are kept; exit
    code 1 when one stands there in clear."""
    if run(_check(session_of(context), marker or [])):
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def disclose(
    context: typer.Context, token: Annotated[str, typer.Argument(help="A token, pv_ and 64 characters.")]
) -> None:
    """What a token stands for, with the salt that proves it: SHA-256 of salt and value is the token."""
    run(_disclose(session_of(context), token))


@app.command()
def paper(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="File name of an offer or contract.")],
    to: Annotated[Path | None, typer.Option(help="Write the text there, outside of the data folder.")] = None,
) -> None:
    """A printed document as its receiver reads it: with names in the place of tokens."""
    session = session_of(context)
    told = run(_paper(session, name))
    session.screen.note(f"{name}: {told['state']}, digest {told['digest']}")
    if to is not None:
        to.write_text(told["text"], encoding="utf-8")
    session.screen.result(told, lambda: None if to else session.screen.line(told["text"]))


async def _erase(session: Session, contact: str, reason: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            done = await desk.privacy.erase(caller, contact, reason)
    session.screen.result(done, lambda: _show(session, done))


def _show(session: Session, done: dict[str, Any]) -> None:
    screen = session.screen
    before = " before" if done["again"] else ""
    screen.line(f"{done['subject']} was erased{before}: {done['values']} values, at {done['erased_at']}", "bold")
    if not done["clean"]:
        screen.line("  old pages may still stand in the database's log: erase again when nobody reads", "bold red")
    for place in done["remaining"]:
        screen.line(f"  written before the person was known, and can't be changed: {place}")


async def _list(session: Session, limit: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    rows: list[dict[str, Any]] = []
    cursor = ""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            while len(rows) < limit:
                page = await desk.privacy.erasures(caller, cursor, min(200, limit - len(rows)))
                rows += page.rows
                cursor = page.next_cursor
                if not cursor:
                    break
    columns = ("contact", "customer", "erased", "by", "values>", "reason")
    names = ("subject", "customer_id", "erased_at", "requested_by", "values_erased", "reason")
    told = [tuple(row[name] for name in names) for row in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, told))


async def _check(session: Session, markers: list[str]) -> int:
    from cli.hands import desk_on

    screen = session.screen
    async with desk_on(session) as desk:
        with screen.progress("files", None):
            found = await desk.privacy.check(markers)
    plain = [{"file": str(one.file), "marker": one.number + 1, "packed": one.packed} for one in found]

    def render() -> None:
        for one in plain:
            screen.line(
                f"  text {one['marker']} stands in {one['file']}" + (", packed" if one["packed"] else ""), "red"
            )
        screen.line("nothing stands in clear" if not plain else f"{len(plain)} findings", "bold")

    screen.result({"findings": plain}, render)
    return len(plain)


async def _disclose(session: Session, token: str) -> None:
    from cli.deal_views import said_no
    from cli.hands import desk_on

    async with desk_on(session) as desk:
        with said_no():
            told = await desk.privacy.disclose(token)
    rows = list(told.items())
    session.screen.result(told, lambda: session.screen.table("", ("what", "value"), rows))


async def _paper(session: Session, name: str) -> dict[str, Any]:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            return await desk.privacy.paper(caller, name)
