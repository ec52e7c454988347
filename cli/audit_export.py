"""`dealwright audit export` writes an auditor's bundle, `audit verify-bundle` judges one as the auditor does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.evidence.bundle_writing import Bundle

Plain = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Add the commands to those about evidence."""
    app.command()(export)
    app.command("verify-bundle")(verify_bundle)


def export(
    context: typer.Context,
    deals: Annotated[list[str] | None, typer.Argument(metavar="[DEAL]...", help="Ids of deals.")] = None,
    customer: Annotated[str, typer.Option(help="All deals of this customer.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="Deals with acts on this day or later.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Deals with acts until this day, in UTC.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every deal, and every leaf of the audit log.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Where to; without, a name made of what is exported.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="NOTE", help="A checkpoint that the auditor holds: the bundle proves that it follows."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Write one file with receipts, histories, documents, policies and proofs, which `verify_bundle.py` checks."""
    from infra.desk.exporting import Asked

    session = session_of(context)
    sizes = [_size_of(note) for note in against or []]
    asked = Asked(deals or [], customer, first, last, everything, sizes)
    target = file or Path(_name_for(asked))
    if target.exists() and not force:
        raise CommandFailed(ExitCode.USAGE, f"{target} is there already", "--force replaces it, --file names another")
    run(_export(session, asked, target, force=force))


def verify_bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")],
    checkpoint: Annotated[
        list[str] | None, typer.Option(metavar="NOTE", help="A checkpoint that was kept outside, in a file.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(metavar="PUBKEY", help="A public key that is trusted: base64, or a file.")
    ] = None,
    proof: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="A consistency proof between two checkpoints.")
    ] = None,
) -> None:
    """Check a bundle as verify_bundle.py does, from the file alone; exit code 1 unless it is sound and trusted."""
    import verify_bundle as verifier

    try:
        outside = verifier.brought(key or [], checkpoint or [], proof or [])
    except verifier.Unreadable as problem:
        raise CommandFailed(ExitCode.USAGE, str(problem)) from None
    report = verifier.verify(str(file), outside)
    screen = session_of(context).screen

    def render() -> None:
        for line in verifier.lines_of(report):
            screen.line(line)

    screen.result(report.__dict__, render)
    if report.exit_code == verifier.UNREADABLE:
        raise typer.Exit(ExitCode.BAD_DATA)
    if report.exit_code != verifier.SOUND:
        raise typer.Exit(ExitCode.REFUSED)


async def _export(session: Session, asked: Any, target: Path, *, force: bool) -> None:
    from dataclasses import asdict

    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on

    screen = session.screen
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with _written_to(target, force=force) as file, screen.progress("deals", None) as progress, said_no():
            bundle = await desk.exporting.export(caller, asked, file, progress)
    screen.result({"file": str(target), **asdict(bundle)}, lambda: _draw(session, target, bundle))


def _draw(session: Session, target: Path, bundle: Bundle) -> None:
    screen = session.screen
    screen.line(f"{target}: {bundle.deals} deals, {bundle.entries} entries, {bundle.leaves} leaves", "bold")
    screen.line(f"checkpoint of {bundle.size} leaves, root {bundle.root}")
    for lacking in bundle.missing[:20]:
        screen.line(f"  not in it: {lacking['what']} {lacking['name'] or lacking['digest'][:12]}: {lacking['why']}")
    screen.line(f"check it with: python verify_bundle.py {target}")


@contextmanager
def _written_to(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole; of one that is not, nothing is left."""
    import os
    import tempfile

    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _publish(Path(part), target, force=force)
    finally:
        Path(part).unlink(missing_ok=True)


def _publish(part: Path, target: Path, *, force: bool) -> None:
    """Give the file its name in one step; without `force` nothing is ever replaced, whoever wrote in the meantime."""
    import os

    os.chmod(part, 0o600)  # receipts are not for everybody on the machine
    if force:
        os.replace(part, target)
        return
    try:
        os.link(part, target)
    except FileExistsError:
        raise CommandFailed(ExitCode.USAGE, f"{target} is there already", "--force replaces it") from None
    except OSError:  # a file system without hard links
        os.replace(part, target)


def _name_for(asked: Any) -> str:
    from infra.gateways.paper_files import file_stem

    what = [*asked.deals[:1], *([f"and-{len(asked.deals) - 1}-more"] if len(asked.deals) > 1 else [])]
    parts = what or [part for part in (asked.customer, asked.first, asked.last) if part] or ["all"]
    return f"audit-{file_stem(*parts)}.zip"


def _size_of(note: Path) -> int:
    from models.checkpoint import NotACheckpoint, read_note

    try:
        return read_note(note.read_text(encoding="utf-8"))[0].size
    except (NotACheckpoint, UnicodeDecodeError) as problem:
        raise CommandFailed(ExitCode.USAGE, f"{note} is no checkpoint: {problem}") from None
