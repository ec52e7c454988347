"""What stands in the audit log, from the command line: who was refused, read, decoded, appointed or erased what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.session import Session, run, session_of

_TOGETHER = 200


def add_to(app: typer.Typer) -> None:
    """Add the command to the tree `audit`."""
    app.command()(leaves)


def leaves(
    context: typer.Context,
    kind: Annotated[str, typer.Option(help="Only of this kind, such as act, refusal, read, decode, user.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Leaves at most, the first ones.")] = 50,
) -> None:
    """Leaves of the audit log in their order, with what they attest."""
    run(_show(session_of(context), kind, limit))


async def _show(session: Session, kind: str, limit: int) -> None:
    from infra.desk.audit_reading import AuditReading

    rows: list[dict[str, Any]] = []
    cursor = ""
    async with session.database() as database:
        reading = AuditReading(database)
        while len(rows) < limit:
            page = await reading.leaves(kind, cursor, min(_TOGETHER, limit - len(rows)))
            rows += page.rows
            cursor = page.next_cursor
            if not cursor:
                break
    shown = [(row["sequence"], row["kind"], row["ref"], row["at"], _told(row["body"])) for row in rows]

    def render() -> None:
        session.screen.table("", ("leaf>", "kind", "ref", "at", "tells"), shown)
        if cursor:
            session.screen.line(f"the first {limit}; --limit shows more", "dim")

    session.screen.result({"items": rows, "complete": not cursor}, render)


def _told(body: dict[str, Any] | None) -> str:
    """The body in a line, without what stands in the other columns."""
    told = {name: value for name, value in (body or {}).items() if name != "at" and value not in ("", [], None)}
    return ", ".join(f"{name}={value}" for name, value in told.items())
