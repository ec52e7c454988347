"""The bank's inbox: a file is read, each statement kept or put in quarantine, each entry matched and told to its deals.

What can't be decided waits for a person (infra/desk/bank_worklist.py). Sending a file again is always safe.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.bank.reading import UnreadableStatement, read_statements
from infra.desk.amounts import money
from infra.desk.bank_matching import Matching
from infra.desk.bank_telling import Telling, Told
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.carrier_inbox import DealClock, Teller
from infra.desk.clocks import Clock
from infra.desk.errors import NoSuch, UnreadableFile
from infra.desk.recording import RefusalBook
from infra.stores.bank_intake import BankFile, BankIntake, Taken
from infra.stores.pages import Page, Row
from models.lifecycle.roles import HEADS, MONEY, Role

ACTION = "import_statement"
"""What a file that can't be read was refused for."""

IMPORTERS = MONEY
READERS = MONEY | HEADS | {Role.ADMIN, Role.AUDITOR}
RETRIERS = MONEY | {Role.ADMIN}

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Import:
    """What became of the statements of a file, and which deals were told."""

    statements: list[Plain]
    deals: frozenset[str] = frozenset()
    unanswered: int = 0


class BankInbox:
    """Takes files in."""

    def __init__(
        self, books: Books, teller: Teller, deal_clock: DealClock, refusals: RefusalBook, clock: Clock
    ) -> None:
        self._books, self._refusals, self._clock = books, refusals, clock
        self._intake = BankIntake(books.database)
        self._matching = Matching(books, clock)
        self._telling = Telling(books, teller, deal_clock, clock)

    async def receive(self, caller: Caller, body: bytes, name: str = "") -> Import:
        """Import a file and tell the deals; `name` is only for messages. Raises WrongRole or UnreadableFile.

        When the engine does not answer the import stands nevertheless, and the deals are told later.
        """
        taken = await self.take_in(caller, body, name)
        await self._matching.run(caller.user)
        told = await self._telling.run(caller)
        return Import(await self._shown(taken), frozenset(told.deals), told.unanswered)

    async def take_in(self, caller: Caller, body: bytes, name: str = "") -> list[Taken]:
        """Read a file and keep what is new in it, unmatched. Raises WrongRole or UnreadableFile."""
        caller.require("importing bank statements", IMPORTERS)
        try:
            statements = await asyncio.to_thread(read_statements, body, name)
        except UnreadableStatement as problem:
            raise await self._refused(caller, body, problem) from None
        return await self._intake.take(BankFile(body, caller.user, self._clock()), statements)

    async def match(self, caller: Caller) -> int:
        """Match whatever was taken in, and tell nobody. Raises WrongRole."""
        caller.require("matching bank entries", RETRIERS)
        return await self._matching.run(caller.user)

    async def resume(self, caller: Caller) -> Told:
        """Go on where an import was interrupted: match what was received, tell what was matched. Raises WrongRole."""
        caller.require("booking bank entries", RETRIERS)
        await self._matching.run(caller.user)
        return await self._telling.run(caller)

    async def retry(self, caller: Caller) -> Plain:
        """Match what waits once more, as invoices and payers may be known by now, and tell all deals again."""
        caller.require("booking bank entries", RETRIERS)
        again = await self._books.bank_entries.match_again()
        told = await self.resume(caller)
        counts = await self._books.bank_entries.counts()
        return {
            "matched_again": again,
            "booked": told.booked,
            "refused": told.refused,
            "unanswered": told.unanswered,
            "waiting": counts.get("waiting", 0),
            "deals": sorted(told.deals),
        }

    async def statements(self, caller: Caller, account: str, state: str, cursor: str, limit: int) -> Page:
        """Statements, the newest first. Raises WrongRole or BadCursor."""
        caller.require("reading bank statements", READERS)
        page = await self._books.bank_entries.statements(account, state, cursor, limit)
        return Page(await self._with_outcomes(page.rows), page.next_cursor)

    async def statement(self, caller: Caller, number: int) -> Plain:
        """One statement with what became of its entries. Raises WrongRole or NoSuch."""
        caller.require("reading bank statements", READERS)
        row = await self._books.bank_entries.statement(number)
        if row is None:
            raise NoSuch("bank statement", str(number))
        return (await self._with_outcomes([row]))[0]

    async def _refused(self, caller: Caller, body: bytes, problem: UnreadableStatement) -> UnreadableFile:
        """The refusal, written down without a word of the file, in which customers are named."""
        refused = UnreadableFile(problem.code, str(problem))
        detail = {"message": "the file can't be read", "size": len(body), "digest": BankFile(body, "", "").digest}
        await self._refusals.note(caller, "", ACTION, problem.code, detail)
        refused.recorded = True
        return refused

    async def _shown(self, taken: Sequence[Taken]) -> list[Plain]:
        shown = await self._with_outcomes([one.row for one in taken])
        for plain, one in zip(shown, taken, strict=True):
            plain["replayed"] = one.replayed
            if one.replayed:  # nothing of it is new any more
                plain["known"], plain["new"] = plain["known"] + plain["new"], 0
        return shown

    async def _with_outcomes(self, rows: Sequence[Row]) -> list[Plain]:
        outcomes = await self._books.bank_entries.outcomes([row["id"] for row in rows])
        return [_statement(row, outcomes.get(row["id"], [])) for row in rows]


def _statement(row: Row, outcomes: Sequence[Row]) -> Plain:
    same = ("id", "digest", "position", "account", "currency", "number", "source", "opened_on", "closed_on")
    rest = ("entries", "known", "state", "reason", "received_at", "received_by")
    amounts = {name: _optional(row[f"{name}_minor"], row["currency"]) for name in _AMOUNTS}
    counts = [
        {name: one[name] for name in ("state", "rule", "count")}
        | {"amount": money(one["amount_minor"], row["currency"])}
        for one in outcomes
    ]
    new = row["entries"] - row["known"] if row["state"] == "imported" else 0
    return {name: row[name] for name in (*same, *rest)} | amounts | {"new": new, "outcomes": counts}


_AMOUNTS = ("opening", "moved", "closing", "difference")


def _optional(amount: int | None, currency: str) -> Plain | None:
    return None if amount is None else money(amount, currency)
