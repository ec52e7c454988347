"""Messages of carriers as they came in, each kept once before anybody looks at it, and what became of it."""

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection, func, select, update

from infra.db import Database, insert_into, table_of
from infra.stores import alerts
from infra.stores.alerts import Alert
from infra.stores.pages import Page, Row, look_page
from models.tables.post import CarrierMessageRow

_MESSAGES = table_of(CarrierMessageRow)
_LISTED = [column for column in _MESSAGES.columns if column.name not in ("body", "digest")]

DEAD_LETTER = "dead_letter"
"""The kind of the alert that every dead message raises; its subject is `carrier/message id`."""

ID_TAKEN = "the id was used for another message"

DIGEST_ID = "sha256:"
"""What ids begin with that we give; no carrier's own does."""


class Outcome(StrEnum):
    """What became of a message."""

    RECEIVED = "received"
    BOOKED = "booked"
    UNCHANGED = "unchanged"
    DEAD = "dead"

    @property
    def is_final(self) -> bool:
        """True when the deal knows the message, so that telling it again could change nothing."""
        return self in (Outcome.BOOKED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came in. `problem` says why nobody can be told of it; empty: somebody can."""

    carrier: str
    message_id: str
    shipment: str
    deal_id: str
    kind: str
    occurred_at: str
    body: str
    digest: str
    problem: str = ""

    @property
    def digest_id(self) -> str:
        """The id of a message that can't have its own."""
        return DIGEST_ID + self.digest


@dataclass(frozen=True, slots=True)
class Kept:
    """The message as it stands; `is_new` when it had not come before."""

    row: Row
    is_new: bool


class CarrierMessageStore:
    """Carrier messages, once per carrier and message id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, message: Incoming, at: str) -> Kept:
        """Keep a message, or find it when it came before; one with a problem is dead at once, with its alert."""
        kept, alert = await self._database.write(partial(_keep, message=message, at=at))
        if alert:
            alerts.tell_log(alert)
        return kept

    async def conclude(self, number: int, outcome: Outcome, reason: str, by: str, at: str) -> Row:
        """Write down what became of a message after one more try, and raise or settle its alert.

        What a deal knows already stays as it stands.
        """
        row, alert = await self._database.write(
            partial(_conclude, number=number, outcome=outcome, reason=reason, by=by, at=at)
        )
        if alert:
            alerts.tell_log(alert)
        return row

    async def tried(self, number: int) -> None:
        """Count a try that nobody answered."""
        changed = update(_MESSAGES).where(_MESSAGES.c.id == number).values(tries=_MESSAGES.c.tries + 1)
        await self._database.write(lambda connection: connection.execute(changed))

    async def get(self, number: int) -> Row | None:
        """A message with its body."""
        return await self._database.row(select(_MESSAGES).where(_MESSAGES.c.id == number))

    async def page(self, outcome: str = "", shipment: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Messages without their bodies in the order in which they came, of one outcome or shipment if given."""
        query = select(*_LISTED)
        query = query.where(_MESSAGES.c.outcome == outcome) if outcome else query
        query = query.where(_MESSAGES.c.shipment == shipment) if shipment else query
        return await look_page(self._database, query, [_MESSAGES.c.id], cursor, limit)

    async def waiting(self) -> int:
        """How many messages no deal has been told of yet."""
        query = select(func.count()).select_from(_MESSAGES).where(_MESSAGES.c.outcome == Outcome.RECEIVED)
        return await self._database.look(lambda connection: connection.execute(query).scalar_one())


def _keep(connection: Connection, message: Incoming, at: str) -> tuple[Kept, Alert | None]:
    # A carrier that numbers two messages alike must not lose the second: it goes under the digest of its body, and
    # nobody else's message can be there, as no carrier may use such an id.
    names = ((message.message_id, message.problem), (message.digest_id, message.problem or ID_TAKEN))
    for message_id, problem in names:
        row = _row(message, message_id, problem, at)
        added = insert_into(connection.dialect.name, CarrierMessageRow).on_conflict_do_nothing()
        number = connection.execute(added.returning(_MESSAGES.c.id), row).scalar_one_or_none()
        if number is not None:
            return Kept({"id": number, **row}, True), _ring(connection, row, at) if problem else None
        named = (_MESSAGES.c.carrier == message.carrier, _MESSAGES.c.message_id == message_id)
        standing = connection.execute(select(_MESSAGES).where(*named)).mappings().one()
        if standing["digest"] == message.digest:
            return Kept(dict(standing), False), None
    raise AssertionError("under its own digest a message finds a free place or itself")


def _row(message: Incoming, message_id: str, problem: str, at: str) -> Row:
    dead = {"outcome": str(Outcome.DEAD), "reason": problem, "tries": 1, "settled_at": at}
    new = {"outcome": str(Outcome.RECEIVED), "reason": "", "tries": 0, "settled_at": ""}
    plain = {field.name: getattr(message, field.name) for field in fields(message) if field.name != "problem"}
    return {**plain, "message_id": message_id, "received_at": at, **(dead if problem else new)}


def _conclude(
    connection: Connection, number: int, outcome: Outcome, reason: str, by: str, at: str
) -> tuple[Row, Alert | None]:
    is_open = _MESSAGES.c.outcome.not_in([one for one in Outcome if one.is_final])
    changes = {"outcome": outcome, "reason": reason, "tries": _MESSAGES.c.tries + 1, "settled_at": at}
    changed = update(_MESSAGES).where(_MESSAGES.c.id == number, is_open).values(changes).returning(_MESSAGES)
    row = connection.execute(changed).mappings().one_or_none()
    if row is None:
        return dict(connection.execute(select(_MESSAGES).where(_MESSAGES.c.id == number)).mappings().one()), None
    if outcome is Outcome.DEAD:
        return dict(row), _ring(connection, dict(row), at)
    alerts.settle(connection, DEAD_LETTER, _subject(dict(row)), by, at)
    return dict(row), None


def _ring(connection: Connection, row: Row, at: str) -> Alert | None:
    text = f"a message of the carrier {row['carrier']} could not be used: {row['reason']}"
    alert = Alert(DEAD_LETTER, _subject(row), text)
    return alert if alerts.ring(connection, alert, at) else None


def _subject(row: Row) -> str:
    return f"{row['carrier']}/{row['message_id']}"
