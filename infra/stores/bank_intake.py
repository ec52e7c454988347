"""Takes statements in: each file once, each statement checked against its balances, each entry of an account once.

Imports queue on one lock in the database, so that two processes that get the same file, or files that overlap, agree
on who brought an entry.
"""

import hashlib
import zlib
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, insert, literal, select

from infra.db import Database, insert_into, table_of
from infra.stores import alerts
from infra.stores.alerts import Alert
from infra.stores.audit_log import append_leaves, leaf_of_body
from infra.stores.bank_rows import ENTRIES, RECEIVED, SEEN_COLUMNS, imported_of, lock_imports, told_of
from infra.stores.pages import Row
from models.banking.accounts import account_name
from models.banking.identity import assign
from models.banking.statement import BankStatement
from models.money import show
from models.tables.bank import BankFileRow, BankStatementEntryRow, BankStatementRow

STATEMENTS, LINES = table_of(BankStatementRow), table_of(BankStatementEntryRow)
IMPORTED, QUARANTINED = "imported", "quarantined"

BAD_BALANCE = "bank_statement"
"""The kind of the alert that every quarantined statement raises; its subject is `statement` and the id."""

_LONGEST = {"stated": 80, "number": 300, "source": 40}


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file as it came in: its bytes, who sent it and when."""

    body: bytes = field(repr=False)
    by: str
    at: str

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Taken:
    """A statement as it stands; `replayed` when this file had been taken in before."""

    row: Row
    replayed: bool


class BankIntake:
    """Takes in what the reader read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, file: BankFile, statements: tuple[BankStatement, ...]) -> list[Taken]:
        """Keep the file and every statement of it; a statement is a transaction of its own."""
        digest, packed = file.digest, zlib.compress(file.body, 6)
        taken = []
        for position, statement in enumerate(statements, 1):
            work = partial(
                _take, file=file, digest=digest, packed=packed if position == 1 else b"", position=position,
                statement=statement,
            )  # fmt: skip
            found, alert = await self._database.write(work)
            if alert:
                alerts.tell_log(alert)
            taken.append(found)
        return taken


def _take(
    connection: Connection, file: BankFile, digest: str, packed: bytes, position: int, statement: BankStatement
) -> tuple[Taken, Alert | None]:
    lock_imports(connection)
    same = (STATEMENTS.c.digest == digest, STATEMENTS.c.position == position)
    if standing := connection.execute(select(STATEMENTS).where(*same)).mappings().one_or_none():
        return Taken(dict(standing), True), None
    if packed:
        _keep_file(connection, file, digest, packed)
    known = connection.scalars(select(STATEMENTS.c.account).distinct())
    account = account_name(statement.account, known)[: _LONGEST["stated"]]
    row = _row(file, digest, position, statement, account)
    number = connection.execute(insert(STATEMENTS).returning(STATEMENTS.c.id), row).scalar_one()
    row["id"] = number
    if row["state"] == QUARANTINED:
        _attest(connection, row)
        alert = Alert(BAD_BALANCE, f"statement {number}", f"a bank statement is in quarantine: {row['reason']}")
        return Taken(row, False), alert if alerts.ring(connection, alert, file.at) else None
    row["known"] = _enter(connection, row, statement)
    connection.execute(STATEMENTS.update().where(STATEMENTS.c.id == number).values(known=row["known"]))
    _settle_earlier(connection, row)
    _attest(connection, row)
    return Taken(row, False), None


def _keep_file(connection: Connection, file: BankFile, digest: str, packed: bytes) -> None:
    row = {"digest": digest, "size": len(file.body), "body": packed, "received_at": file.at, "received_by": file.by}
    connection.execute(insert_into(connection.dialect.name, BankFileRow).on_conflict_do_nothing(), row)


def _row(file: BankFile, digest: str, position: int, statement: BankStatement, account: str) -> Row:
    difference, reason = _checked(statement)
    return {
        "digest": digest,
        "position": position,
        "account": account,
        "stated": statement.account[: _LONGEST["stated"]],
        "currency": statement.currency,
        "number": "/".join(filter(None, (statement.number, statement.sequence)))[: _LONGEST["number"]],
        "source": statement.source[: _LONGEST["source"]],
        "opened_on": statement.opened_on,
        "closed_on": statement.closed_on,
        "opening_minor": statement.opening_minor,
        "closing_minor": statement.closing_minor,
        "moved_minor": statement.moved_minor,
        "difference_minor": difference,
        "entries": len(statement.entries),
        "known": 0,
        "state": QUARANTINED if reason else IMPORTED,
        "reason": reason,
        "received_at": file.at,
        "received_by": file.by,
    }


def _checked(statement: BankStatement) -> tuple[int | None, str]:
    """Opening + entries - closing, and why the statement can't be booked from; empty when it adds up."""
    if statement.opening_minor is None or statement.closing_minor is None:
        missing = "opening" if statement.opening_minor is None else "closing"
        return None, f"it states no {missing} balance, so nothing proves that it is complete"
    difference, currency = statement.difference_minor, statement.currency
    if not difference:
        return 0, ""
    parts = (statement.opening_minor, statement.moved_minor, statement.closing_minor)
    opening, moved, closing = (show(amount, currency) for amount in parts)
    return difference, f"opening {opening} + entries {moved} - closing {closing} = {show(difference, currency)}"


def _enter(connection: Connection, row: Row, statement: BankStatement) -> int:
    """Enter what is new, and answer how many entries are known already."""
    rows = [_entry_row(row, entry.index, told_of(entry)) for entry in statement.entries]
    if not rows:
        return 0
    days = [each["booked_on"] for each in rows]
    there = select(*SEEN_COLUMNS).where(
        ENTRIES.c.account == row["account"], ENTRIES.c.booked_on >= min(days), ENTRIES.c.booked_on <= max(days)
    )
    standing = connection.execute(there.order_by(ENTRIES.c.id)).mappings().all()
    twins = assign([imported_of(each) for each in rows], [imported_of(each) for each in standing])
    new = [each for each, twin in zip(rows, twins, strict=True) if twin is None]
    if new:
        connection.execute(insert(ENTRIES), new)
        mine = select(literal(row["id"]), ENTRIES.c.number, ENTRIES.c.id).where(ENTRIES.c.statement_id == row["id"])
        connection.execute(insert(LINES).from_select(["statement_id", "number", "entry_id"], mine))
    lines = [
        {"statement_id": row["id"], "number": each["number"], "entry_id": standing[twin]["id"]}
        for each, twin in zip(rows, twins, strict=True)
        if twin is not None
    ]
    if lines:
        connection.execute(insert(LINES), lines)
    return len(lines)


def _entry_row(statement: Row, number: int, told: Row) -> Row:
    return {
        **told,
        "account": statement["account"],
        "account_currency": statement["currency"],
        "statement_id": statement["id"],
        "number": number,
        "source": statement["source"],
        "state": RECEIVED,
        "rule": "",
        "reason": "",
        "customer": "",
        "candidates": [],
        "tries": 0,
        "received_at": statement["received_at"],
        "decided_by": "",
        "decided_at": "",
    }


def _settle_earlier(connection: Connection, row: Row) -> None:
    """The same statement, in order this time: what was wrong before needs nobody any more."""
    same = [STATEMENTS.c[name] == row[name] for name in ("account", "currency", "opened_on", "closed_on")]
    before = select(STATEMENTS.c.id).where(*same, STATEMENTS.c.state == QUARANTINED)
    for number in connection.scalars(before).all():
        alerts.settle(connection, BAD_BALANCE, f"statement {number}", row["received_by"], row["received_at"])


def _attest(connection: Connection, row: Row) -> None:
    names = ("digest", "position", "state", "opening_minor", "closing_minor", "moved_minor", "entries", "known")
    body = {name: row[name] for name in names} | {"by": row["received_by"]}
    append_leaves(connection, [leaf_of_body("import", f"bank/{row['id']}", body, row["received_at"])])
