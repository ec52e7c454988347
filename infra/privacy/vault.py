"""The vault of personal values: keeps each under the key of its person and gives a token for it, inside of the
transaction of whoever writes the token."""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Select, func, select, text

from infra.db import insert_into, table_of
from infra.privacy import installation_key
from infra.privacy.installation_key import InstallationKey, KeyLost
from infra.privacy.sealing import PersonKey, new_key, unwrap, wrap
from models.personal import token
from models.tables.privacy import ErasureRow, PersonalKeyRow, PersonalValueRow

KEYS, VALUES, ERASURES = table_of(PersonalKeyRow), table_of(PersonalValueRow), table_of(ErasureRow)
_TOGETHER = 500
"""Values that are asked for in one statement; databases limit how many parameters one has."""


class PersonErased(ValueError):
    """The person's data was destroyed on request, and nothing about this person is taken in any more."""

    def __init__(self, subject: str) -> None:
        super().__init__("the personal data of this contact was erased on request; add the person as a new contact")
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Opened:
    """A value with its salt: whoever is shown both can check the commitment."""

    subject: str
    customer_id: str
    kind: str
    commitment: str
    value: str = field(repr=False)
    salt: bytes = field(repr=False)

    @property
    def token(self) -> str:
        """What stands elsewhere for it."""
        return token(self.commitment)


class Vault:
    """Keeps personal values; `folder` holds the installation's key, which is read when it is needed first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key: InstallationKey | None = None
        self._lock = threading.Lock()

    def keep(self, connection: Connection, subject: str, customer_id: str, kind: str, value: str, at: str) -> str:
        """Keep a value of a person and answer its token, the same for the same value. Raises PersonErased, KeyLost."""
        of, sealed = self._person(connection, subject, customer_id, at).seal(kind, value)
        row = {"commitment": of, "subject": subject, "kind": kind, "sealed": sealed, "made_at": at}
        connection.execute(
            insert_into(connection.dialect.name, PersonalValueRow).on_conflict_do_nothing(
                index_elements=["commitment"]
            ),
            row,
        )
        return token(of)

    def read(self, connection: Connection, tokens: Collection[str]) -> dict[str, Opened]:
        """The values of tokens; those that were destroyed, or never were, are missing. Raises KeyLost."""
        wanted = sorted({one.removeprefix("pv_") for one in tokens})
        found: dict[str, Opened] = {}
        for first in range(0, len(wanted), _TOGETHER):
            query = _sealed().where(VALUES.c.commitment.in_(wanted[first : first + _TOGETHER]))
            found |= {one.token: one for one in self._opened(connection, query)}
        return found

    def of_subject(self, connection: Connection, subject: str) -> list[Opened]:
        """Everything that is kept about a person. Raises KeyLost."""
        return list(self._opened(connection, _sealed().where(VALUES.c.subject == subject)))

    def _opened(self, connection: Connection, query: Select[tuple[str, ...]]) -> Iterable[Opened]:
        persons: dict[str, PersonKey] = {}
        for row in connection.execute(query):
            if row.subject not in persons:
                persons[row.subject] = unwrap(row.subject, row.wrapped, self._installation(row.wrapped_by))
            salt, value = persons[row.subject].open(row.kind, row.commitment, row.sealed)
            yield Opened(row.subject, row.customer_id, row.kind, row.commitment, value, salt)

    def _person(self, connection: Connection, subject: str, customer_id: str, at: str) -> PersonKey:
        """The key of a person, made when there is none yet."""
        query = select(KEYS.c.wrapped, KEYS.c.wrapped_by).where(KEYS.c.subject == subject)
        row = connection.execute(query).one_or_none()
        if row is None:
            # an erasure takes the same lock, so that no key is made while it is under way
            lock_person(connection, subject)
            if is_erased(connection, subject):
                raise PersonErased(subject)
            key = self._for_writing(connection)
            made = {"subject": subject, "customer_id": customer_id, "wrapped": wrap(new_key(subject), key)}
            added = insert_into(connection.dialect.name, PersonalKeyRow).on_conflict_do_nothing()
            connection.execute(added, made | {"wrapped_by": key.name, "made_at": at})
            row = connection.execute(query).one()
        return unwrap(subject, row.wrapped, self._installation(row.wrapped_by))

    def _for_writing(self, connection: Connection) -> InstallationKey:
        """The installation's key; a new one only while nothing was wrapped yet."""
        used = connection.execute(select(KEYS.c.wrapped_by).limit(1)).scalar_one_or_none()
        return self._installation(used or "")

    def _installation(self, name: str) -> InstallationKey:
        """The installation's key, which must be the one of this name; empty: nothing was wrapped yet."""
        with self._lock:
            if self._key is None:
                make = installation_key.find if name else installation_key.find_or_make
                self._key = make(self.folder)
        if name and self._key.name != name:
            raise KeyLost(
                f"{self.folder / installation_key.FILE} is not the key of this database: it is {self._key.name},"
                f" personal data was wrapped under {name}; put that one back from the backup of the keys"
            )
        return self._key


def lock_person(connection: Connection, subject: str) -> None:
    """Wait until nobody else makes or destroys the key of this person. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"), {"subject": subject})


def is_erased(connection: Connection, subject: str) -> bool:
    """Whether the person's data was destroyed."""
    return bool(connection.execute(select(func.count()).where(ERASURES.c.subject == subject)).scalar_one())


def _sealed() -> Select[tuple[str, ...]]:
    columns = (KEYS.c.customer_id, KEYS.c.wrapped, KEYS.c.wrapped_by, VALUES.c.kind, VALUES.c.sealed)
    query: Select[tuple[str, ...]] = select(VALUES.c.subject, VALUES.c.commitment, *columns)
    return query.join(KEYS, KEYS.c.subject == VALUES.c.subject)
