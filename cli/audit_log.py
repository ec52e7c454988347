"""The audit log from the command line: checkpoints, proofs, keys, and notes that somebody outside was handed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

Size = Annotated[int | None, typer.Option("--size", min=1, help="Leaves of the log that is proved for.")]
NoteFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="A signed note.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the tree `audit`."""
    app.command()(checkpoint)
    app.command()(checkpoints)
    app.command()(prove)
    app.command()(consistency)
    app.command()(keys)
    app.command("rotate-key")(rotate_key)
    app.command("check-note")(check_note)
    app.command()(retile)


def checkpoint(context: typer.Context) -> None:
    """Sign the audit log as it stands, hand the checkpoint to whom the settings name, and print it."""
    run(_sign(session_of(context)))


def checkpoints(context: typer.Context, limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50) -> None:
    """Signed checkpoints and where they were handed, the newest first."""
    run(_list(session_of(context), limit))


def prove(
    context: typer.Context,
    leaf: Annotated[str, typer.Argument(metavar="LEAF", help="Number of a leaf, or DEAL/ENTRY.")],
    size: Size = None,
) -> None:
    """Prove that a leaf is in the log, under the latest checkpoint when it covers the leaf."""
    run(_prove(session_of(context), leaf, size or 0))


def consistency(
    context: typer.Context,
    old: Annotated[int, typer.Argument(metavar="OLD", min=1, help="Leaves of the earlier log.")],
    new: Annotated[int, typer.Argument(metavar="[NEW]", min=0, help="Of the later one; 0: as it stands.")] = 0,
) -> None:
    """Prove that the log begins with what it was earlier."""
    run(_consistency(session_of(context), old, new))


def keys(context: typer.Context) -> None:
    """The public keys under which checkpoints can be verified."""
    run(_keys(session_of(context)))


def rotate_key(context: typer.Context) -> None:
    """Retire the key that signs; a leaf says so, and both keys sign the next checkpoint."""
    run(_rotate(session_of(context)))


def check_note(
    context: typer.Context,
    note: NoteFile,
    against: Annotated[Path | None, typer.Option(dir_okay=False, help="Another note, earlier or later.")] = None,
) -> None:
    """Hold a note that was handed out against our log and keys; exit code 1 when they disagree."""
    if not run(_check(session_of(context), _read(note), _read(against) if against else "")):
        raise typer.Exit(ExitCode.REFUSED)


def retile(context: typer.Context) -> None:
    """Throw away the stored inner nodes of the log's tree, and compute them again from its leaves."""
    run(_retile(session_of(context)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CommandFailed(ExitCode.REFUSED, f"{path} is no text") from None


async def _sign(session: Session) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.evidence.office import office_of

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            signed = await desk.log_keeping.sign(caller)
        handed = await office_of(session.settings, desk.books.database).hand_over(desk.clock())
    if not signed["is_new"]:
        session.screen.note("nothing was added since this checkpoint")
    if handed.waiting:
        session.screen.note(f"{handed.waiting} could not be handed over now: `dealwright alerts`, and it goes on")
    plain = {**signed, "delivered": handed.delivered, "waiting": handed.waiting}
    session.screen.result(plain, lambda: session.screen.line(signed["note"].rstrip("\n")))


async def _list(session: Session, limit: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    rows: list[dict[str, Any]] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        while len(rows) < limit:
            with said_no():
                page = await desk.log_keeping.page(caller, cursor, min(200, limit - len(rows)))
            rows += page.rows
            if not (cursor := page.next_cursor):
                break

    def handed(row: dict[str, Any]) -> str:
        return ", ".join(f"{one['target']} {one['delivered_at'] or 'waits'}" for one in row["deliveries"])

    columns = ("number>", "leaves>", "signed at", "key", "root", "handed to")
    shown = [(r["number"], r["size"], r["at"], r["key_hash"], r["root"][:16], handed(r)) for r in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))


async def _prove(session: Session, leaf: str, size: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            sequence = await desk.log_keeping.number_of(caller, leaf)
            found = None if size else await desk.log_keeping.covering(caller, sequence)
            proof = await desk.log_keeping.inclusion(caller, sequence, size or (found["size"] if found else 0))
    plain = {**proof, "checkpoint": found}
    session.screen.result(plain, lambda: _show(session, f"leaf {sequence} {proof['leaf_hash']}", proof, found))


async def _consistency(session: Session, old: int, new: int) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            proof = await desk.log_keeping.consistency(caller, old, new)
    said = f"the root over {old} leaves was {proof['from_root']}"
    session.screen.result(proof, lambda: _show(session, said, proof, None))


def _show(session: Session, what: str, proof: dict[str, Any], found: dict[str, Any] | None) -> None:
    screen = session.screen
    screen.line(what)
    screen.line(f"under the root {proof['root']} of {proof['size']} leaves")
    if found:
        screen.line(f"which checkpoint {found['number']} of {found['at']} signed with the key {found['key_hash']}")
    screen.line(f"{len(proof['hashes'])} hashes, {proof['bytes']} bytes:")
    for one in proof["hashes"]:
        screen.line(f"  {one}")


async def _keys(session: Session) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            rows = await desk.log_keeping.keys(caller)

    def render() -> None:
        for row in rows:
            state = f"retired {row['retired_at']}" if row["retired_at"] else "signs"
            session.screen.line(f"{row['key_hash']}  made {row['made_at']}  {state}")
            session.screen.line(f"  {row['verifier']}")

    session.screen.result(rows, render)


async def _rotate(session: Session) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.evidence.office import office_of

    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            done = await desk.log_keeping.rotate(caller)
        await office_of(session.settings, desk.books.database).hand_over(desk.clock())
    told = f"checkpoints are signed by {done['key']['verifier']} from now on"
    session.screen.result(done, lambda: session.screen.line(told))


async def _check(session: Session, note: str, against: str) -> bool:
    from infra.evidence.checkpoints import Checkpoints
    from infra.evidence.note_check import check_note as check

    async with session.database() as database:
        verdict = await check(Checkpoints.of(session.settings, database), note, against)
    head, screen = verdict.head, session.screen
    stated = {"origin": head.origin, "size": head.size, "root": head.root, "at": head.at} if head else None

    def render() -> None:
        for line in verdict.agreed:
            screen.line(f"  {line}")
        for line in verdict.problems:
            screen.line(f"  {line}", "bold red")
        screen.line("sound" if verdict.sound else f"{len(verdict.problems)} problems", "bold")

    plain = {"sound": verdict.sound, "head": stated, "agreed": verdict.agreed, "problems": verdict.problems}
    screen.result({**plain, "keys": [key.key_hash for key in verdict.keys]}, render)
    return verdict.sound


async def _retile(session: Session) -> None:
    from infra.evidence.tree import AuditTree

    async with session.database() as database:
        blocks = await AuditTree(database).retile()
    session.screen.result({"blocks": blocks}, lambda: session.screen.line(f"{blocks} blocks of 256 leaves"))
