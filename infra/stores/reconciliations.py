"""Reconciliations of accounts: one statement per customer, currency and month, for ever, and what became of it."""

from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from infra.db import Database, insert_into, table_of
from infra.stores.alerts import Alert, ring, tell_log
from infra.stores.pages import Page, Row, look_page
from infra.stores.statements import customers_after, statements, test_deal_of
from models.instants import DAY, plus
from models.reconciliation import ReconciliationState, Statement, letter_key, reconciliation_id
from models.tables.reconciliations import ReconciliationItemRow, ReconciliationRow

RECONCILIATIONS, ITEMS = table_of(ReconciliationRow), table_of(ReconciliationItemRow)
_R = RECONCILIATIONS.c

ALERT_UNANSWERED = "reconciliation_unanswered"
ALERT_UNWRITTEN = "statement_not_written"

_AT_ONCE = 200
_NOT_YET = {
    "state": ReconciliationState.OPEN.value,
    "their_balance_minor": 0,
    "note": "",
    **dict.fromkeys(("letter_name", "letter_digest", "reminded_at", "answered_at", "answered_by"), ""),
    **dict.fromkeys(("answer_key", "settled_at", "settled_by"), ""),
}
_LISTED = [column for column in RECONCILIATIONS.columns if column.name not in ("lines", "answer_key")]


class ReconciliationStore:
    """Reconciliations by their id, and how they begin."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, month: str, now: str, test_deals: bool, after: str, limit: int, answer_days: int
    ) -> tuple[list[Row], str]:
        """Open the reconciliations of the next customers. Answers all of theirs whose letter is not written yet, and
        where to go on (empty: nowhere). What stands under the same customer, currency and month stays as it is."""

        def work(connection: Connection) -> tuple[list[Row], str]:
            customers = customers_after(connection, after, test_deals, limit)
            for statement in statements(connection, customers, month, test_deals):
                _open(connection, statement, now, test_deals, plus(now, answer_days * DAY))
            waiting = select(RECONCILIATIONS).where(
                _R.customer_id.in_(customers), _R.month == month, _R.is_test.is_(test_deals), _R.letter_digest == ""
            )
            rows = connection.execute(waiting.order_by(_R.customer_id, _R.currency)).mappings()
            return [dict(row) for row in rows], customers[-1] if len(customers) == limit else ""

        return await self._database.write(work)

    async def note_letter(self, number: str, name: str, digest: str) -> bool:
        """Note that the letter is written; False when somebody else has done so."""
        query = update(RECONCILIATIONS).where(_R.id == number, _R.letter_digest == "")
        query = query.values(letter_name=name, letter_digest=digest)
        done = query.returning(_R.id)
        return await self._database.write(lambda connection: connection.execute(done).first() is not None)

    async def ring_unwritten(self, number: str, now: str) -> None:
        """Tell people of a statement that can't be written."""
        text = "the statement of account can't be written as a letter; the log says why"
        alert = Alert(ALERT_UNWRITTEN, number, text)
        if await self._database.write(partial(ring, alert=alert, at=now)):
            tell_log(alert)

    async def ring_unanswered(self, now: str) -> int:
        """Tell people of each statement whose deadline is over and that nobody has answered, once for ever."""
        rung = 0
        while alerts := await self._database.write(partial(_overdue, now=now)):
            for alert in alerts:
                tell_log(alert)
            rung += len(alerts)
        return rung

    async def get(self, number: str) -> Row | None:
        """One reconciliation with its lines."""
        return await self._database.row(select(RECONCILIATIONS).where(_R.id == number))

    async def items(self, number: str) -> list[Row]:
        """The differences of a reconciliation by their number."""
        query = select(ITEMS).where(ITEMS.c.reconciliation_id == number).order_by(ITEMS.c.number)
        return await self._database.rows(query)

    async def page(
        self, month: str, state: str, customer: str, test_deals: bool, cursor: str = "", limit: int = 50
    ) -> Page:
        """Reconciliations without their lines, the latest month first. Raises BadCursor."""
        query = select(*_LISTED).where(_R.is_test.is_(test_deals))
        for column, asked in ((_R.month, month), (_R.state, state), (_R.customer_id, customer)):
            query = query.where(column == asked) if asked else query
        return await look_page(self._database, query, [_R.month, _R.id], cursor, limit, newest_first=True)


def _open(connection: Connection, statement: Statement, now: str, is_test: bool, deadline: str) -> None:
    key = (statement.customer, statement.currency, statement.month, is_test)
    number = reconciliation_id(*key)
    row: dict[str, Any] = _NOT_YET | {
        "id": number,
        "customer_id": statement.customer,
        "currency": statement.currency,
        "month": statement.month,
        "is_test": is_test,
        "our_balance_minor": statement.balance_minor,
        "credit_minor": statement.credit_minor,
        "lines": [list(astuple(line)) for line in statement.lines],
        "reference": test_deal_of(connection, statement.customer) if is_test else number,
        "letter_key": letter_key(*key),
        "sent_at": now,
        "deadline": deadline,
    }
    connection.execute(insert_into(connection.dialect.name, ReconciliationRow).on_conflict_do_nothing(), row)


def _overdue(connection: Connection, now: str) -> Sequence[Alert]:
    late = (_R.state == ReconciliationState.OPEN.value, _R.deadline < now, _R.reminded_at == "", _R.is_test.is_(False))
    query = select(_R.id, _R.customer_id, _R.currency, _R.month).where(*late).order_by(_R.deadline, _R.id)
    rows = connection.execute(query.limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
    alerts = []
    for row in rows:
        connection.execute(update(RECONCILIATIONS).where(_R.id == row.id).values(reminded_at=now))
        text = f"customer {row.customer_id} has not answered its statement of {row.month} ({row.currency}) in time"
        alerts.append(Alert(ALERT_UNANSWERED, row.id, text))
    return [alert for alert in alerts if ring(connection, alert, now)]
