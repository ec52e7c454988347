"""The keys that payloads in the engine's store are encrypted with, from the command line: keys list, rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.payload_cipher import KeyRing

app = typer.Typer(help="Keys that encrypt payloads in the engine's store.", no_args_is_help=True)


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """Ids of all keys, the oldest first; the last one encrypts. The keys themselves are never shown."""
    session = session_of(context)
    session.require_data()
    ids = _ring(session).ids()
    rows = [(key_id, "encrypts" if key_id == ids[-1] else "reads what it wrote") for key_id in ids]
    session.screen.result(
        [{"key": key_id, "use": use} for key_id, use in rows],
        lambda: session.screen.table("", ("key", "use"), rows),
    )


@app.command()
def rotate(context: typer.Context) -> None:
    """Encrypt under a new key from now on; running workers and APIs notice by themselves. Older keys stay."""
    run(_rotate(session_of(context)))


def _ring(session: Session) -> KeyRing:
    from infra.payloads import cipher_of

    cipher = cipher_of(session.settings)
    if cipher is None:
        raise CommandFailed(ExitCode.USAGE, "payloads are not encrypted here", "DEALWRIGHT_PAYLOADS says plain")
    return cipher.ring


async def _rotate(session: Session) -> None:
    from infra.desk.clocks import wall_clock
    from infra.stores.audit import AuditStore

    at = wall_clock()
    async with session.database() as database:
        key_id = _ring(session).rotate()
        body = {"by": session.options.acting_as or "operator", "at": at, "key": key_id}
        await AuditStore(database).append("payload_key", key_id, body, at)
    session.screen.result({"key": key_id}, lambda: session.screen.line(f"payloads are encrypted under {key_id} now"))
