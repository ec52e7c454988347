"""Reconciliation of accounts for callers: runs are started, answers taken in, differences seen to."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from infra.desk.acts import Ask, check_key
from infra.desk.amounts import money
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.engine import Engine
from infra.desk.errors import Busy, Conflict, DeskError, EngineDown, Invalid, NoSuch
from infra.stores.pages import Page, Row
from infra.stores.reconciliation_answers import Answer, AnswerStore, NoSuchReconciliation, NotOpen
from infra.stores.reconciliations import ReconciliationStore
from models.lifecycle.roles import MONEY, Role
from models.messages.deals import ActResult
from models.messages.reconciliation import MONTHLY, Reconcile, Reconciled
from models.reconciliation import Claim, ItemKind, WrongMonth, check_ended, month_before
from models.reconciliation import bounds as checked_month

READERS = MONEY | {Role.COMMERCIAL_DIRECTOR, Role.ADMIN, Role.AUDITOR}
"""A statement is about all of a customer's deals, so it is shown to who sees them all, and to the admin who runs it."""

RUNNERS = MONEY | {Role.ADMIN}
ANSWERERS = MONEY
SETTLERS = frozenset({Role.ACCOUNTS_RECEIVABLE, Role.COMMERCIAL_DIRECTOR})

PATIENCE = timedelta(seconds=15)
"""How long a caller waits for a run; it goes on without."""

Plain = dict[str, Any]

_PRICELESS = {
    ItemKind.MISSING_PAYMENT: "the customer names a payment that is not booked; look for it in the bank",
    ItemKind.UNKNOWN_INVOICE: "the customer names an invoice that is not open in our books",
    ItemKind.AMOUNT: "the customer has another amount that can't be disputed",
    ItemKind.OTHER: "the customer's balance is another one",
}


class Teller(Protocol):
    """Who tells a deal: the desk's acts."""

    async def act(self, ask: Ask) -> ActResult:
        """Carry out one act. Raises a DeskError."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run for a month. Unless it is `finished`, it goes on and `written` does not count yet."""

    month: str
    finished: bool
    written: int = 0


class Reconciling:
    """The desk of the monthly reconciliation."""

    def __init__(self, books: Books, teller: Teller, engine: Engine, clock: Clock) -> None:
        self._books, self._teller, self._engine, self._clock = books, teller, engine, clock
        self._store = ReconciliationStore(books.database)
        self._answers = AnswerStore(books.database)

    async def run(self, caller: Caller, month: str = "", test_deals: bool = False) -> Run:
        """Have the statements of a month written (empty: the last whole one), or join who does. What was written
        before stays. Raises WrongRole, Invalid, EngineDown or Conflict."""
        caller.require("running the reconciliation", RUNNERS)
        now = self._clock()
        month = month or month_before(now)
        try:
            checked_month(month)
            if not test_deals:
                check_ended(month, now)
        except WrongMonth as wrong:
            raise Invalid({"month": str(wrong)}) from None
        handle = await self._start(Reconcile(month, test_deals))
        return await _finished(handle, month)

    async def page(
        self,
        caller: Caller,
        month: str = "",
        state: str = "",
        customer: str = "",
        test_deals: bool = False,
        cursor: str = "",
        limit: int = 50,
    ) -> Page:
        """Reconciliations, the latest month first. Raises WrongRole or BadCursor."""
        caller.require("reading reconciliations", READERS)
        page = await self._store.page(month, state, customer, test_deals, cursor, limit)
        return Page([told(row) for row in page.rows], page.next_cursor)

    async def get(self, caller: Caller, number: str) -> Plain:
        """One reconciliation with its invoices and differences. Raises WrongRole or NoSuch."""
        caller.require("reading reconciliations", READERS)
        return await self._whole(number)

    async def number_of(self, caller: Caller, customer: str, month: str, currency: str) -> str:
        """The id of a customer's reconciliation of a month. Raises WrongRole or NoSuch."""
        page = await self.page(caller, month, customer=customer, limit=200)
        found = [row["id"] for row in page.rows if row["our_balance"]["currency"] == currency]
        if not found:
            raise NoSuch("reconciliation", f"{customer} {currency} {month}")
        return str(found[0])

    async def answer(
        self, caller: Caller, number: str, theirs_minor: int, claims: tuple[Claim, ...], key: str
    ) -> Plain:
        """Take in what the customer answered, and see to every difference: a dispute on the deal whose invoice it is
        about, or else a task for a person.

        To be repeated with the same key when the engine did not answer: what was seen to is left alone. Raises a
        DeskError.
        """
        caller.require("answering a reconciliation", ANSWERERS)
        check_key(key)
        try:
            await self._answers.take(number, Answer(theirs_minor, claims, key, caller.user), self._clock())
        except NoSuchReconciliation:
            raise NoSuch("reconciliation", number) from None
        except NotOpen as no:
            raise Conflict("already_answered", str(no)) from None
        row = await self._get(number)
        for item in await self._store.items(number):
            if not item["became"]:
                await self._see_to(caller, row, item)
        return await self._whole(number)

    async def settle(self, caller: Caller, number: str, note: str) -> Plain:
        """The differences are put right, and `note` says how. Raises WrongRole, NoSuch or Conflict."""
        caller.require("settling a reconciliation", SETTLERS)
        try:
            await self._answers.settle(number, note, caller.user, self._clock())
        except NoSuchReconciliation:
            raise NoSuch("reconciliation", number) from None
        except NotOpen as no:
            raise Conflict("not_open", str(no)) from None
        return await self._whole(number)

    async def _see_to(self, caller: Caller, row: Row, item: Row) -> None:
        """Raises EngineDown or Busy."""
        why = _PRICELESS[ItemKind(item["kind"])]
        outcome = why
        if item["disputed_minor"]:
            try:
                dispute = await self._dispute(caller, row, item)
            except (EngineDown, Busy):
                raise
            except DeskError as no:
                why, outcome = "the deal refuses the customer's difference as a dispute", no.message
            else:
                await self._answers.became_dispute(row["id"], item["number"], dispute)
                return
        text = f"{why}; `dealwright reconcile show {row['id']}`, item {item['number']}"
        await self._answers.became_task(row["id"], item["number"], text, outcome, self._clock())

    async def _dispute(self, caller: Caller, row: Row, item: Row) -> int:
        """The number of the dispute about the item's invoice, raised once whoever asks. Raises a DeskError."""
        key = f"reconciliation:{row['id']}:{item['number']}"
        reason = (
            f"reconciliation {row['month']}: {item['note'] or _REASONS[item['kind']]} ({row['id']}/{item['number']})"
        )
        payload = {
            "invoice": item["invoice"],
            "amount_minor": item["disputed_minor"],
            "reason": reason,
            "evidence": item["reference"],
        }
        try:
            await self._teller.act(Ask(caller, item["deal_id"], "dispute", payload, key))
        except (EngineDown, Busy):
            raise
        except DeskError:
            # somebody else may have gone on with this answer: the deal's timeline knows
            if await self._books.timeline.under(item["deal_id"], key) is None:
                raise
        return await self._answers.dispute_of(item["deal_id"], item["invoice"], reason)

    async def _start(self, asked: Reconcile) -> WorkflowHandle[Any, Any]:
        queue = self._books.settings.task_queue
        name = f"{queue}-reconciliation-{asked.month}{'-test' if asked.test_deals else ''}"
        try:
            return await self._engine.client.start_workflow(
                MONTHLY,
                asked,
                id=name,
                task_queue=queue,
                result_type=Reconciled,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=PATIENCE,
            )
        except RPCError as problem:
            raise EngineDown(problem.status.name.lower().replace("_", " ")) from None

    async def _get(self, number: str) -> Row:
        row = await self._store.get(number)
        if row is None:
            raise NoSuch("reconciliation", number)
        return row

    async def _whole(self, number: str) -> Plain:
        row = await self._get(number)
        return whole(row, await self._store.items(number))


_REASONS = {
    "unknown_invoice": "the customer does not know the invoice",
    "amount": "the customer has another amount",
    "other": "the customer objects",
}


async def _finished(handle: WorkflowHandle[Any, Any], month: str) -> Run:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            done: Reconciled = await handle.result()
    except TimeoutError:
        return Run(month, finished=False)
    except WorkflowFailureError as failed:
        raise Conflict("run_failed", f"the run for {month} failed: {failed.cause}") from None
    except RPCError as problem:
        raise EngineDown(problem.status.name.lower().replace("_", " ")) from None
    return Run(month, finished=True, written=done.written)


def told(row: Row) -> Plain:
    """A reconciliation in a list. Before the answer their balance says nothing."""
    same = ("id", "month", "state", "is_test", "sent_at", "deadline", "reminded_at", "answered_at", "answered_by")
    letter = {name: row[name] for name in ("letter_key", "letter_name", "letter_digest", "settled_at", "settled_by")}
    amounts = {name: money(row[f"{name}_minor"], row["currency"]) for name in ("our_balance", "credit")}
    theirs = money(row["their_balance_minor"], row["currency"]) if row["answered_at"] else None
    known = {name: row[name] for name in same} | letter | amounts
    return known | {"customer": row["customer_id"], "their_balance": theirs, "note": row["note"]}


def whole(row: Row, items: list[Row]) -> Plain:
    """A reconciliation with its invoices and differences."""
    currency = row["currency"]
    lines = [
        {
            **dict(zip(("invoice", "deal_id", "issued_on", "due_on"), line[:4], strict=True)),
            "total": money(line[4], currency),
            "open": money(line[5], currency),
        }
        for line in row["lines"]
    ]
    return told(row) | {"lines": lines, "items": [_item(item, currency) for item in items]}


def _item(item: Row, currency: str) -> Plain:
    same = ("number", "kind", "invoice", "deal_id", "reference", "note", "became", "dispute", "outcome")
    amounts = {name: money(item[f"{name}_minor"], currency) for name in ("ours", "theirs", "disputed")}
    return {name: item[name] for name in same} | amounts
