"""The worklist of bank entries: what no rule could decide, with candidates, and what a person makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.desk.amounts import money
from infra.desk.bank_inbox import READERS
from infra.desk.bank_telling import Telling
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.carrier_inbox import DealClock, Teller
from infra.desk.clocks import Clock
from infra.desk.errors import Busy, Conflict, EngineDown, Invalid, NoSuch
from infra.desk.payloads import bad_text
from infra.stores.bank_rows import BOOKED, IGNORED, REFUSED, WAITING
from infra.stores.pages import Page, Row
from models.banking.matching_values import Allocation
from models.lifecycle.roles import Role

Plain = dict[str, Any]

DECIDERS = frozenset({Role.ACCOUNTS_RECEIVABLE})
MOST_PARTS = 100
LONGEST_REASON = 500

_AMOUNTS = ("applied", "excess", "charges", "discount")


@dataclass(frozen=True, slots=True)
class Part:
    """What a person wants booked on an invoice, in minor units and positive, whichever way the money went.

    `charges_minor` is forgiven as bank charges, `discount_minor` as cash discount, as far as the deal's policy agrees.
    """

    invoice: str
    amount_minor: int
    charges_minor: int = 0
    discount_minor: int = 0


class BankWorklist:
    """Shows entries, and takes decisions down."""

    def __init__(self, books: Books, teller: Teller, deal_clock: DealClock, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._store = books.bank_entries
        self._telling = Telling(books, teller, deal_clock, clock)

    async def page(
        self, caller: Caller, state: str = "", account: str = "", statement: int = 0, cursor: str = "", limit: int = 50
    ) -> Page:
        """Entries in the order in which they came. Raises WrongRole or BadCursor."""
        caller.require("reading bank entries", READERS)
        chosen = {"state": state, "account": account, "statement": statement}
        found = await self._store.page(chosen, cursor, limit)
        return Page([shown(row) for row in found.rows], found.next_cursor)

    async def entry(self, caller: Caller, number: int) -> Plain:
        """One entry. Raises WrongRole or NoSuch."""
        caller.require("reading bank entries", READERS)
        return shown(await self._get(number))

    async def allocate(self, caller: Caller, number: int, parts: Sequence[Part]) -> Plain:
        """Book what is left of an entry as a person says, and tell the deals; a deal that does not agree says why in
        the entry's reason. What exceeds an invoice's open amount stays as its customer's credit.

        Raises WrongRole, NoSuch, Conflict or Invalid. When the engine does not answer, the deals are told later.
        """
        caller.require("assigning bank entries", DECIDERS)
        entry = await self._to_decide(number)
        chosen = await self._chosen(entry, parts)
        day = entry["valued_on"] or entry["booked_on"]
        if not await self._store.allocate(number, chosen, day, caller.user, self._clock()):
            raise _decided(await self._get(number))
        try:
            await self._telling.tell(caller, number)
        except (EngineDown, Busy):
            await self._store.tried(number)
        return shown(await self._get(number))

    async def ignore(self, caller: Caller, number: int, reason: str) -> Plain:
        """Say that an entry, or what is left of it, is not ours to book, and why. Raises WrongRole, NoSuch, Conflict
        or Invalid."""
        caller.require("setting bank entries aside", DECIDERS)
        if not reason.strip() or len(reason) > LONGEST_REASON or bad_text(reason):
            raise Invalid({"reason": f"a text of 1 to {LONGEST_REASON} characters"})
        await self._to_decide(number)
        if not await self._store.ignore(number, reason.strip(), caller.user, self._clock()):
            raise _decided(await self._get(number))
        return shown(await self._get(number))

    async def _get(self, number: int) -> Row:
        row = await self._store.get(number)
        if row is None:
            raise NoSuch("bank entry", str(number))
        return row

    async def _to_decide(self, number: int) -> Row:
        """An entry that waits for a person. A part that a deal took after all is not decided twice."""
        entry = await self._get(number)
        if entry["state"] not in (WAITING, IGNORED):
            raise _decided(entry)
        taken = [part for part in entry["parts"] if part["state"] == REFUSED and await self._telling.known(part)]
        return await self._get(number) if taken else entry

    async def _chosen(self, entry: Row, parts: Sequence[Part]) -> tuple[Allocation, ...]:
        """The parts with the deals that they go to. Raises Invalid."""
        wrong, sign = _wrong_sums(entry, parts), 1 if entry["amount_minor"] > 0 else -1
        chosen = []
        for place, part in enumerate(parts):
            invoice = await self._books.ledger.invoice(part.invoice)
            if invoice is None or bad_text(part.invoice):
                wrong[f"parts[{place}].invoice"] = "there is no such invoice"
            elif invoice["currency"] != entry["currency"]:
                wrong[f"parts[{place}].invoice"] = f"foreign currency: the invoice is in {invoice['currency']}"
            else:
                chosen.append(await self._part(invoice, part, sign))
        if wrong:
            raise Invalid(wrong)
        return tuple(chosen)

    async def _part(self, invoice: Row, part: Part, sign: int) -> Allocation:
        rows = await self._books.deals.children(invoice["deal_id"], "invoices")
        opened = next((row["open_minor"] for row in rows if row["number"] == part.invoice), 0)
        left = max(0, opened - part.charges_minor - part.discount_minor)
        applied = min(part.amount_minor, left) if sign > 0 else part.amount_minor
        return Allocation(
            invoice=part.invoice,
            deal_id=invoice["deal_id"],
            customer=invoice["customer_id"],
            applied_minor=sign * applied,
            excess_minor=sign * (part.amount_minor - applied),
            charges_minor=part.charges_minor,
            discount_minor=part.discount_minor,
        )


def left_of(entry: Row) -> int:
    """What of an entry is booked nowhere yet, in minor units with the entry's sign."""
    booked = (part for part in entry["parts"] if part["state"] == BOOKED)
    left: int = entry["amount_minor"] - sum(part["applied_minor"] + part["excess_minor"] for part in booked)
    return left


def _wrong_sums(entry: Row, parts: Sequence[Part]) -> dict[str, str]:
    """What is wrong with the amounts: no part, the same invoice twice, not the sum, or nothing that may be forgiven."""
    if entry["currency"] != entry["account_currency"]:
        return {"parts": "foreign currency: it is booked where the account is kept"}
    if not 1 <= len(parts) <= MOST_PARTS or len({part.invoice for part in parts}) != len(parts):
        return {"parts": f"1 to {MOST_PARTS} different invoices"}
    if any(part.amount_minor <= 0 or min(part.charges_minor, part.discount_minor) < 0 for part in parts):
        return {"parts": "amounts are positive, whichever way the money went"}
    if entry["amount_minor"] < 0 and any(part.charges_minor or part.discount_minor for part in parts):
        return {"parts": "nothing is forgiven when money went back"}
    left, total = abs(left_of(entry)), sum(part.amount_minor for part in parts)
    return {} if total == left else {"parts": f"they add up to {total}, but {left} minor units are to be assigned"}


def _decided(entry: Row) -> Conflict:
    return Conflict("already_decided", f"bank entry {entry['id']} is {entry['state']} already")


def shown(row: Row) -> Plain:
    """An entry as callers get it."""
    same = ("id", "account", "statement_id", "number", "booked_on", "valued_on", "bank_reference", "end_to_end")
    said = ("structured", "text", "party_name", "party_iban", "code", "is_reversal", "return_reason", "mandate")
    fate = ("state", "rule", "reason", "customer", "tries", "received_at", "decided_by", "decided_at")
    currency = row["currency"]
    original = row["original_currency"] and money(row["original_amount_minor"], row["original_currency"])
    return {name: row[name] for name in (*same, *said, *fate)} | {
        "amount": money(row["amount_minor"], currency),
        "charges": money(row["charges_minor"], currency),
        "original": original or None,
        "left": money(left_of(row), currency),
        "parts": [_part(part, currency) for part in row["parts"]],
        "candidates": [_candidate(one, currency) for one in row["candidates"]],
    }


def _part(part: Row, currency: str) -> Plain:
    same = ("number", "invoice", "deal_id", "customer", "received_on", "key", "state", "reason")
    rest = ("planned_by", "planned_at", "settled_at")
    return {name: part[name] for name in (*same, *rest)} | _amounts(part, currency)


def _candidate(one: Plain, currency: str) -> Plain:
    parts = [
        {name: part[name] for name in ("invoice", "deal_id", "customer")} | _amounts(part, currency)
        for part in one["allocations"]
    ]
    return {"score": one["score"], "why": one["why"], "parts": parts}


def _amounts(part: Plain, currency: str) -> Plain:
    return {name: money(part.get(f"{name}_minor", 0), currency) for name in _AMOUNTS}
