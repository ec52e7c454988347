"""Erases a person: destroys the key and all values under it, and does so again when an older backup comes back.

The list beside the keys is written first. Whoever dies afterwards leaves an erasure that every start completes; the
other way round, a backup of the day before could bring back somebody whose name stands on no list.
"""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import Connection, delete, func, select
from structlog import get_logger

from infra.db import Database, insert_into
from infra.privacy import erasure_list, sweeping
from infra.privacy.contacts import CONTACTS, in_clear, known_by
from infra.privacy.discretion import general_subject
from infra.privacy.erasure_list import Erasure
from infra.privacy.installation_key import KeyLost
from infra.privacy.sweeping import Hit
from infra.privacy.vault import ERASURES, KEYS, VALUES, Vault, lock_person
from infra.stores.audit_log import append_leaves, leaf_of_body
from infra.stores.pages import Page, look_page
from models.personal import EMAIL, NAME, PHONE, Known, mentions
from models.tables.privacy import ErasureRow

LEAF = "erasure"
GENERAL = "customer:"
"""What stands before a customer's id for what is kept about nobody in particular there."""

_SCOURED = (KEYS.name, VALUES.name, *(row.__tablename__ for row, _ in sweeping.NOTES))
_TOGETHER = 500

log = get_logger()


class NobodyThere(LookupError):
    """There is no such contact."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `again`: it had been before. `remaining` are places that no erasure can reach, `clean` is False
    when old pages may still be in the database's log: erasing again tries once more."""

    subject: str
    customer_id: str
    erased_at: str
    values: int
    again: bool = False
    clean: bool = True
    remaining: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a person before the erasure."""

    subject: str
    customer_id: str
    known: list[Known]
    also: tuple[str, ...]
    notes: list[Hit]
    remaining: list[str]


class Eraser:
    """Erases people of one installation."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def erase(self, subject: str, by: str, reason: str, at: str) -> Erased:
        """Destroy the personal data of a contact, or with `customer:ID` what is kept about nobody in particular there.

        Done twice it changes nothing. Raises NobodyThere, KeyLost or ListDamaged.
        """
        standing = await self._database.look(partial(_standing, asked=subject))
        if standing is not None:
            clean = await self._database.scour(_SCOURED)
            return replace(standing, clean=clean)
        found = await self._database.look(partial(self._look, asked=subject))
        if found is None:
            raise NobodyThere(f"there is no contact {subject[:80]!r}")
        why = sweeping.without_person(reason, found.known)
        erasure = Erasure(found.subject, found.customer_id, by, why, at, found.also)
        # two at once: what the list says is what is done
        erasure = await asyncio.to_thread(erasure_list.append, self._vault.folder, erasure)
        number = await self._database.write(partial(_destroy, erasure=erasure, notes=found.notes))
        clean = await self._database.scour(_SCOURED)
        return Erased(
            found.subject, found.customer_id, erasure.erased_at, number, clean=clean, remaining=found.remaining
        )

    async def reapply(self) -> int:
        """Erase again whom the list names and the database does not: an older backup was put back, or somebody died in
        the middle. Answers how many."""
        listed = erasure_list.erasures(self._vault.folder)
        if not listed:
            return 0
        done = set(
            await self._database.look(lambda connection: connection.execute(select(ERASURES.c.subject)).scalars().all())
        )
        missing = [erasure for erasure in listed if erasure.subject not in done]
        for erasure in missing:
            found = await self._readable(erasure.subject)
            notes = found.notes if found else []
            await self._database.write(
                partial(_destroy, erasure=erasure, notes=notes, also=found.also if found else ())
            )
        if missing:
            await self._database.scour(_SCOURED)
            log.info("erasures_applied_again", erasures=len(missing))
        return len(missing)

    async def _readable(self, subject: str) -> _Found | None:
        """What there is of a person; None when there is nothing, or nothing that can be read any more."""
        try:
            return await self._database.look(partial(self._look, asked=subject))
        except KeyLost:
            return None

    async def page(self, cursor: str = "", limit: int = 50) -> Page:
        """Erasures, the latest first."""
        order = [ERASURES.c.erased_at, ERASURES.c.subject]
        return await look_page(self._database, select(ERASURES), order, cursor, limit, newest_first=True)

    def _look(self, connection: Connection, asked: str) -> _Found | None:
        subject, customer, contact = asked, "", []
        if asked.startswith(GENERAL) and "#" not in asked:
            subject = general_subject(connection, asked.removeprefix(GENERAL))
        else:
            rows = connection.execute(select(CONTACTS).where(CONTACTS.c.id == asked)).mappings()
            contact = [dict(row) for row in rows]
        own = self._vault.of_subject(connection, subject)
        key = connection.execute(select(KEYS.c.customer_id).where(KEYS.c.subject == subject)).scalar_one_or_none()
        if not contact and key is None:
            return None
        customer = contact[0]["customer_id"] if contact else str(key)
        known = known_by(in_clear(connection, self._vault, contact))
        # earlier names, addresses and numbers too: whatever of these kinds was ever kept about the person
        known += [Known(subject, one.kind, one.value) for one in own if one.kind in (NAME, EMAIL, PHONE)]
        known = list(dict.fromkeys(known)) if contact else []
        also = self._elsewhere(connection, customer, known)
        notes = sweeping.notes_about(connection, known)
        return _Found(subject, customer, known, also, notes, sweeping.evidence_about(connection, known))

    def _elsewhere(self, connection: Connection, customer: str, known: list[Known]) -> tuple[str, ...]:
        """Values that tell of the person but were kept before the person was known: under the customer in general."""
        if not known:
            return ()
        generals = select(KEYS.c.subject).where(KEYS.c.customer_id == customer, KEYS.c.subject.startswith(GENERAL))
        told = [
            value
            for subject in connection.execute(generals).scalars().all()
            for value in self._vault.of_subject(connection, subject)
        ]
        return tuple(sorted(one.commitment for one in told if _tells_of(one.value, known)))


def _standing(connection: Connection, asked: str) -> Erased | None:
    """An erasure that was made, unless there is new data in general since."""
    if asked.startswith(GENERAL) and "#" not in asked:
        newest = general_subject(connection, asked.removeprefix(GENERAL))
        if connection.execute(select(KEYS.c.subject).where(KEYS.c.subject == newest)).first():
            return None
    row = connection.execute(select(ERASURES).where(ERASURES.c.subject == asked)).one_or_none()
    return Erased(asked, row.customer_id, row.erased_at, row.values_erased, again=True) if row else None


def _tells_of(text: str, known: list[Known]) -> bool:
    return any(piece.subject for piece in mentions(text, known))


def _destroy(connection: Connection, erasure: Erasure, notes: list[Hit], also: tuple[str, ...] = ()) -> int:
    """Everything that an erasure changes in the database, in one transaction; answers how many values are gone."""
    lock_person(connection, erasure.subject)
    sweeping.put_right(connection, notes)
    gone = connection.execute(select(func.count()).where(VALUES.c.subject == erasure.subject)).scalar_one()
    connection.execute(delete(VALUES).where(VALUES.c.subject == erasure.subject))
    elsewhere = sorted({*erasure.also, *also})
    for first in range(0, len(elsewhere), _TOGETHER):
        some = VALUES.c.commitment.in_(elsewhere[first : first + _TOGETHER])
        gone += connection.execute(delete(VALUES).where(some)).rowcount
    connection.execute(delete(KEYS).where(KEYS.c.subject == erasure.subject))
    row = {
        "subject": erasure.subject,
        "customer_id": erasure.customer_id,
        "requested_by": erasure.requested_by,
        "reason": erasure.reason,
        "erased_at": erasure.erased_at,
        "values_erased": gone,
    }
    added = insert_into(connection.dialect.name, ErasureRow).on_conflict_do_nothing().returning(ErasureRow.subject)
    if connection.execute(added, row).first() is not None:
        append_leaves(connection, [leaf_of_body(LEAF, erasure.subject, erasure.body, erasure.erased_at)])
    return gone
