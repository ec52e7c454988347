"""Customers' answers to statements of account: taken in whole, with what each difference is to become, and seen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, func, insert, select, update

from infra.db import Database, table_of
from infra.stores.alerts import Alert, ring, settle, tell_log
from infra.stores.pages import Row
from infra.stores.reconciliations import ALERT_UNANSWERED, ITEMS, RECONCILIATIONS
from models.reconciliation import (
    Claim,
    ItemKind,
    ReconciliationState,
    StatementLine,
    lines_of,
    to_dispute,
    unexplained,
)
from models.tables.projection import DealDisputeRow, DealInvoiceRow
from models.tables.reconciliations import ReconciliationItemRow

ALERT_DIFFERENCE = "reconciliation_difference"

DISPUTE, TASK, CORRECTED = "dispute", "task", "corrected"
"""What an item becomes."""

_R, _I = RECONCILIATIONS.c, ITEMS.c
_INVOICES, _DISPUTES = table_of(DealInvoiceRow), table_of(DealDisputeRow)
_NOT_EXPLAINED = "the items do not explain the difference between the balances"


class NoSuchReconciliation(LookupError):
    """There is no reconciliation of this id."""


class NotOpen(ValueError):
    """The reconciliation has been answered, or is in no state in which this can be done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer says: its balance and where it differs. `key` names this answer, `by` who brought it."""

    theirs_minor: int
    claims: tuple[Claim, ...]
    key: str
    by: str


class AnswerStore:
    """Answers, and what became of their items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, number: str, answer: Answer, now: str) -> None:
        """Take the answer in: `confirmed` when the balances are equal and nothing differs, else `differs` with items.

        The same answer again changes nothing. Raises NoSuchReconciliation, and NotOpen when another one was given.
        """
        await self._database.write(partial(_take, number, answer, now))

    async def became_dispute(self, number: str, item: int, dispute: int) -> None:
        """Note the dispute that an item is now."""
        values = {"became": DISPUTE, "dispute": dispute, "outcome": f"dispute {dispute} about the invoice"}
        await self._database.write(partial(_note_item, number, item, values))

    async def became_task(self, number: str, item: int, what: str, outcome: str, now: str) -> None:
        """Note that a person must see to an item, and ring. `what` names no price."""
        alert = Alert(ALERT_DIFFERENCE, subject_of(number, item), what)

        def work(connection: Connection) -> bool:
            _note_item(number, item, {"became": TASK, "outcome": outcome}, connection)
            return ring(connection, alert, now)

        if await self._database.write(work):
            tell_log(alert)

    async def dispute_of(self, deal_id: str, invoice: str, reason: str) -> int:
        """The number of the dispute that was raised with this reason; 0 when there is none."""
        query = select(func.max(_DISPUTES.c.number)).where(
            _DISPUTES.c.deal_id == deal_id, _DISPUTES.c.invoice == invoice, _DISPUTES.c.reason == reason
        )
        return await self._database.look(lambda connection: connection.execute(query).scalar_one()) or 0

    async def settle(self, number: str, note: str, by: str, now: str) -> None:
        """The differences are put right: what was a task is corrected, and rings no more.

        Raises NoSuchReconciliation, and NotOpen unless it differs and all its items have been seen to.
        """
        await self._database.write(partial(_settle, number, note, by, now))


def subject_of(number: str, item: int) -> str:
    """What the alert about an item is about."""
    return f"{number}/{item}"


def _take(number: str, answer: Answer, now: str, connection: Connection) -> None:
    row = _locked(connection, number)
    if row["state"] != ReconciliationState.OPEN.value:
        if (row["answer_key"], row["answered_by"]) == (answer.key, answer.by):
            return
        raise NotOpen(f"{number} was answered at {row['answered_at']}, it is {row['state']}")
    items = _items(connection, row, answer)
    agrees = not items and answer.theirs_minor == row["our_balance_minor"]
    values = {
        "state": (ReconciliationState.CONFIRMED if agrees else ReconciliationState.DIFFERS).value,
        "their_balance_minor": answer.theirs_minor,
        "answered_at": now,
        "answered_by": answer.by,
        "answer_key": answer.key,
    }
    connection.execute(update(RECONCILIATIONS).where(_R.id == number).values(values))
    if items:
        connection.execute(insert(ReconciliationItemRow), items)
    settle(connection, ALERT_UNANSWERED, number, answer.by, now)


def _items(connection: Connection, row: Row, answer: Answer) -> list[Row]:
    """The items with what is to be disputed; a last one for what they leave unexplained."""
    ours = {line.invoice: line for line in lines_of(row["lines"])}
    open_ours = {invoice: line.open_minor for invoice, line in ours.items()}
    left = _collectable(connection, [claim.invoice for claim in answer.claims if claim.invoice in ours])
    items: list[Row] = []
    for claim in answer.claims:
        line = ours.get(claim.invoice)
        disputed = to_dispute(claim, line.open_minor, left.get(claim.invoice, 0)) if line else 0
        if disputed:
            left[claim.invoice] -= disputed
        items.append(_item(row["id"], len(items) + 1, claim, line, disputed))
    rest = unexplained(row["our_balance_minor"], answer.theirs_minor, answer.claims, open_ours)
    if rest:
        claim = Claim(ItemKind.OTHER, "", abs(rest), note=f"{_NOT_EXPLAINED}: {'more' if rest > 0 else 'less'}")
        items.append(_item(row["id"], len(items) + 1, claim, None, 0))
    return items


def _item(number: str, item: int, claim: Claim, line: StatementLine | None, disputed: int) -> Row:
    return {
        "reconciliation_id": number,
        "number": item,
        "kind": claim.kind.value,
        "invoice": claim.invoice,
        "deal_id": line.deal_id if line else "",
        "ours_minor": line.open_minor if line else 0,
        "theirs_minor": claim.theirs_minor,
        "disputed_minor": disputed,
        "reference": claim.reference,
        "note": claim.note,
        "became": "",
        "dispute": 0,
        "outcome": "",
    }


def _collectable(connection: Connection, invoices: Sequence[str]) -> dict[str, int]:
    """What is open now and not disputed, by invoice."""
    i = _INVOICES.c
    query = select(i.number, i.open_minor, i.disputed_minor).where(i.number.in_(invoices))
    return {row.number: max(0, row.open_minor - row.disputed_minor) for row in connection.execute(query)}


def _note_item(number: str, item: int, values: Row, connection: Connection) -> None:
    one = (_I.reconciliation_id == number, _I.number == item, _I.became == "")
    connection.execute(update(ITEMS).where(*one).values(values))


def _settle(number: str, note: str, by: str, now: str, connection: Connection) -> None:
    row = _locked(connection, number)
    if row["state"] != ReconciliationState.DIFFERS.value:
        raise NotOpen(f"{number} is {row['state']}: there is nothing to be put right")
    items = connection.execute(select(_I.number, _I.became).where(_I.reconciliation_id == number)).all()
    if any(not item.became for item in items):
        raise NotOpen(f"{number} has differences that nobody has seen to; give its answer again, with the same key")
    tasks = (_I.reconciliation_id == number, _I.became == TASK)
    connection.execute(update(ITEMS).where(*tasks).values(became=CORRECTED))
    for item in items:
        settle(connection, ALERT_DIFFERENCE, subject_of(number, item.number), by, now)
    values = {"state": ReconciliationState.SETTLED.value, "settled_at": now, "settled_by": by, "note": note}
    connection.execute(update(RECONCILIATIONS).where(_R.id == number).values(values))


def _locked(connection: Connection, number: str) -> Row:
    row = connection.execute(select(RECONCILIATIONS).where(_R.id == number).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NoSuchReconciliation(number)
    return dict(row)
