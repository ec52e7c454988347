"""The versioned business numbers from the command line: policies list, adopt, and drafts from draft to activation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.session import Session, run, session_of

app = typer.Typer(help="The versioned business numbers that deals pin.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, or a draft of one.")]
File = Annotated[Path | None, typer.Option("--file", help="JSON: a merge patch (RFC 7396), or whole numbers.")]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="One number, such as discount_authority.account_manager=300."),
]


@app.command("list")
def list_policies(context: typer.Context) -> None:
    """All versions, the newest first; a deal keeps the one that was active when it started, until it is moved."""
    run(_list(session_of(context)))


@app.command()
def adopt(context: typer.Context) -> None:
    """Let new deals pin this release's default policy; running deals keep theirs, as they keep their rules."""
    run(_adopt(session_of(context)))


@app.command()
def draft(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The name of the new version.")],
    based_on: Annotated[str, typer.Option(help="The version whose numbers it starts with; else the active one.")] = "",
    values: Values = None,
    file: File = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Draft a version; nothing lives by it before a second admin has approved it and it was activated."""
    from cli import policy_drafts

    session, numbers = session_of(context), policy_drafts.numbers_of(file, values or [])

    async def work() -> None:
        base = based_on or await policy_drafts.active_version(session)
        await policy_drafts.show_step(
            session, "drafted", lambda desk, me: desk.policies.draft(me, version, base, numbers, note)
        )

    run(work())


@app.command()
def edit(
    context: typer.Context,
    version: Version,
    values: Values = None,
    file: File = None,
    note: Annotated[str | None, typer.Option(help="What it is for.")] = None,
) -> None:
    """Change a draft's numbers; an approval is void then."""
    from cli import policy_drafts

    numbers = policy_drafts.numbers_of(file, values or [])
    run(
        policy_drafts.show_step(
            session_of(context), "changed", lambda desk, me: desk.policies.edit(me, version, numbers, note=note)
        )
    )


@app.command()
def drafts(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="draft, approved, active or withdrawn.")] = "",
) -> None:
    """Policies on their way."""
    from cli import policy_drafts

    run(policy_drafts.show_drafts(session_of(context), state))


@app.command()
def show(
    context: typer.Context,
    version: Version,
    whole: Annotated[bool, typer.Option("--whole", help="All numbers, not only what a draft changes.")] = False,
) -> None:
    """One draft with what it changes, or a version with its numbers."""
    from cli import policy_drafts

    run(policy_drafts.show(session_of(context), version, whole=whole))


@app.command()
def compare(
    context: typer.Context,
    old: Version,
    new: Annotated[str, typer.Argument(metavar="OTHER", help="The version or draft to compare it with.")],
) -> None:
    """What differs between two versions or drafts, number by number."""
    from cli import policy_drafts

    run(policy_drafts.compare(session_of(context), old, new))


@app.command()
def approve(
    context: typer.Context,
    version: Version,
    seen: Annotated[str, typer.Option("--hash", help="The hash of the numbers that you have looked at.")],
) -> None:
    """Approve exactly these numbers, --as an admin who neither drafted nor changed them."""
    from cli import policy_drafts

    run(policy_drafts.approve(session_of(context), version, seen))


@app.command()
def withdraw(
    context: typer.Context,
    version: Version,
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back.")],
) -> None:
    """Take a draft back before it is active."""
    from cli import policy_drafts

    run(
        policy_drafts.show_step(
            session_of(context), "withdrawn", lambda desk, me: desk.policies.withdraw(me, version, reason)
        )
    )


@app.command()
def activate(
    context: typer.Context,
    version: Version,
    since: Annotated[str, typer.Option("--from", metavar="INSTANT", help="Such as 2027-01-01T00:00:00Z.")] = "",
) -> None:
    """Let deals that are opened from an instant on (else from now on) pin an approved draft; it stands for ever."""
    from cli import policy_drafts

    run(
        policy_drafts.show_step(
            session_of(context), "activated", lambda desk, me: desk.policies.activate(me, version, since)
        )
    )


@app.command("try")
def try_(
    context: typer.Context,
    version: Version,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, such as 2026-01-01.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day.")] = "",
    deal: Annotated[str, typer.Option(help="Only this deal.")] = "",
    tests: Annotated[bool, typer.Option("--test-deals", help="Test deals, too.")] = False,
    values: Values = None,
    file: File = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Decisions that are shown.")] = 50,
) -> None:
    """Judge the decisions of a period again under a version or draft, and list what comes out otherwise.

    Nothing is written. --set and --file try further changes on top of it.
    """
    from cli.counterfactual import show_trial
    from cli.policy_drafts import numbers_of

    numbers = numbers_of(file, values or [])
    run(show_trial(session_of(context), version, numbers, first, last, deal, tests, limit))


async def _list(session: Session) -> None:
    from infra.desk.books import Books

    async with session.database() as database:
        rows = await Books(database, session.settings).policies.store.all()
    plain = [
        {"version": r["version"], "rules": r["body"].get("rules", 1), "from": r["active_from"], "note": r["note"]}
        for r in rows
    ]
    shown = [tuple(row.values()) for row in plain]
    session.screen.result(plain, lambda: session.screen.table("", ("version", "rules>", "active from", "note"), shown))


async def _adopt(session: Session) -> None:
    from infra.desk.books import Books
    from infra.desk.clocks import wall_clock
    from models.policy import DEFAULT

    async with session.database() as database:
        new = await Books(database, session.settings).policies.adopt(wall_clock())
    outcome = "is active for new deals from now on" if new else "stood already; nothing changed"
    plain = {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": new}
    session.screen.result(plain, lambda: session.screen.line(f"policy {DEFAULT.version} {outcome}"))
