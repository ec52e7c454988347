"""`dealwright import bank`: reads files, shows what became of every statement, and tells the deals."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from cli.deal_views import said_no
from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands, caller_named, hands_on
from cli.session import Session
from infra.bank.unreadable import MAX_BYTES
from infra.desk.errors import UnreadableFile
from models.money import show

Plain = dict[str, Any]

CELLS = ("statement>", "account", "until", "state", "entries>", "new>", "known>", "became")
"""The columns of `statement_cells`."""


async def import_bank(session: Session, files: Sequence[Path]) -> None:
    """Import files in their order. Raises typer.Exit with 5 when one was refused or a statement is in quarantine."""
    bodies = [await asyncio.to_thread(_body, file) for file in files]
    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        told: list[Plain] = []
        deals: set[str] = set()
        for file, body in zip(files, bodies, strict=True):
            with said_no():
                try:
                    done = await hands.desk.bank_inbox.receive(caller, body, file.name)
                except UnreadableFile as no:
                    told.append({"file": str(file), "refused": no.code, "reason": no.message, "statements": []})
                    continue
            deals |= done.deals
            told.append({"file": str(file), "statements": done.statements, "unanswered": done.unanswered})
        await rested(hands, deals)
    session.screen.result(told, lambda: _show(session, told))
    if any("refused" in one or _in_quarantine(one) for one in told):
        raise typer.Exit(ExitCode.BAD_DATA)


async def rested(hands: Hands, deals: set[str] | frozenset[str]) -> None:
    """Wait until what payments ask of the world is done, before the engine may be stopped."""
    for deal in sorted(deals):
        with suppress(CommandFailed):
            await hands.settled_row(deal)


def _body(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _in_quarantine(one: Plain) -> bool:
    return any(statement["state"] == "quarantined" for statement in one["statements"])


def _show(session: Session, told: Sequence[Plain]) -> None:
    screen = session.screen
    rows = [(Path(one["file"]).name, *statement_cells(statement)) for one in told for statement in one["statements"]]
    if rows:
        screen.table("", ("file", *CELLS), rows)
    for one in told:
        if "refused" in one:
            screen.line(f"refused ({one['refused']}): {one['reason']}", "bold red")
        for statement in one["statements"]:
            if statement["reason"]:
                screen.line(f"statement {statement['id']} is in quarantine: {statement['reason']}", "bold red")
        if one.get("unanswered"):
            screen.line(f"{one['unanswered']} entries wait for the engine: `dealwright bank retry` tells their deals")


def statement_cells(statement: Plain) -> tuple[object, ...]:
    """A statement as cells: id, account, last day, state, counts, and what became of its entries."""
    same = ("id", "account", "closed_on", "state", "entries", "new", "known")
    return *(statement[name] for name in same), became(statement)


def became(statement: Plain) -> str:
    """What became of the entries of a statement, in words."""
    return ", ".join(
        f"{one['count']} {one['state']}" + (f" ({one['rule'].replace('_', ' ')})" if one["rule"] else "")
        for one in statement["outcomes"]
    )


def amount(plain: Plain | None) -> str:
    """An amount for people."""
    return "" if plain is None else show(plain["amount_minor"], plain["currency"])
