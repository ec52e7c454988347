"""The Ed25519 keys that sign checkpoints: private halves as files, public ones in the database, one that signs."""

import asyncio
import base64
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import Connection, select, update
from structlog import get_logger

from infra.db import Database, insert_into, table_of
from infra.evidence import key_files
from infra.evidence.notes import PublicKey
from infra.stores.audit_log import append_leaves, leaf_of_body
from models.checkpoint import Head, SignatureLine, key_hash
from models.tables.evidence import AuditKeyRow

LEAF = "audit_key"
"""The kind of the leaf that retires a key and names its successor."""

_KEYS = table_of(AuditKeyRow)
_ALL = select(_KEYS).order_by(_KEYS.c.made_at, _KEYS.c.retired_at == "", _KEYS.c.key_hash)

log = get_logger()


class KeyTrouble(RuntimeError):
    """A checkpoint can't be signed: the private half of the key is not here, or is another one."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with both halves."""

    public: PublicKey
    private: Ed25519PrivateKey = field(repr=False)

    def line(self, head: Head) -> SignatureLine:
        """The signature under a head."""
        return SignatureLine(self.public.name, self.public.key_hash, self.private.sign(head.text().encode()))


class AuditKeys:
    """The keys of one installation. `name` is that of the log, under which they sign."""

    def __init__(self, database: Database, folder: Path, name: str) -> None:
        self._database, self._folder, self._name = database, folder, name

    async def all(self) -> list[PublicKey]:
        """All public halves, the oldest first."""
        return await self._database.look(public_keys)

    async def active(self, at: str) -> Signer:
        """The key that signs; the first one is made when there is none, once, whoever asks at the same time.

        Raises KeyTrouble.
        """
        known = await self.all()
        if not known:
            await self._first(at)
            known = await self.all()
        found = next((key for key in known if not key.retired_at), None)
        if found is None:
            raise KeyTrouble("all keys of the audit log are retired, and none has followed")
        if found.name != self._name:
            raise KeyTrouble(f"the audit log is called {found.name!r} for ever, not {self._name!r}")
        return await asyncio.to_thread(self._loaded, found)

    async def retired(self, short_hash: str) -> Signer | None:
        """A retired key whose private half is still here, so that it can hand over to its successor."""
        found = next((key for key in await self.all() if key.key_hash == short_hash and key.retired_at), None)
        if found is None:
            return None
        try:
            return await asyncio.to_thread(self._loaded, found)
        except KeyTrouble as trouble:
            log.warning("audit_key_cannot_hand_over", key_hash=short_hash, reason=str(trouble))
            return None

    async def rotate(self, by: str, at: str) -> tuple[PublicKey, PublicKey]:
        """Retire the key that signs, and let a new one follow; a leaf of the log says so. Answers both.

        The private half of the retired key is not needed, for it may be lost. Raises KeyTrouble.
        """
        new = await asyncio.to_thread(self._new, at)
        try:
            return await self._database.write(partial(_rotate, new=new, by=by, at=at)), new
        except BaseException:
            self.path(new.key_hash).unlink(missing_ok=True)
            raise

    def path(self, short_hash: str) -> Path:
        """The file of a private half."""
        return self._folder / f"audit-{short_hash}.pem"

    def destroy(self, short_hash: str) -> None:
        """Remove the private half of a key that has nothing to sign any more."""
        self.path(short_hash).unlink(missing_ok=True)

    async def _first(self, at: str) -> None:
        made = await asyncio.to_thread(self._new, at)

        def work(connection: Connection) -> bool:
            # the database takes one signing key; whose file has lost the race is of no use
            added = insert_into(connection.dialect.name, AuditKeyRow).on_conflict_do_nothing()
            return bool(connection.execute(added, _row(made)).rowcount)

        if not await self._database.write(work):
            self.destroy(made.key_hash)

    def _new(self, at: str) -> PublicKey:
        """A new key: its file stands before the database knows of it."""
        key_files.make_folder(self._folder)
        private = Ed25519PrivateKey.generate()
        raw = _raw(private)
        public = PublicKey(self._name, key_hash(self._name, raw), base64.b64encode(raw).decode(), at)
        key_files.add(
            self.path(public.key_hash), private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return public

    def _loaded(self, public: PublicKey) -> Signer:
        path = self.path(public.key_hash)
        try:
            private = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            raise KeyTrouble(f"the private half of the key {public.key_hash} is missing: {path.name}") from None
        except OSError as problem:
            raise KeyTrouble(f"{path.name} can't be read: {problem.strerror}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyTrouble(f"{path.name} holds no private key") from None
        if not isinstance(private, Ed25519PrivateKey) or _raw(private) != public.raw:
            raise KeyTrouble(f"{path.name} holds another key than {public.key_hash}")
        return Signer(public, private)


def public_keys(connection: Connection) -> list[PublicKey]:
    """All public halves, the oldest first."""
    return [PublicKey(**row) for row in connection.execute(_ALL).mappings()]


def _rotate(connection: Connection, new: PublicKey, by: str, at: str) -> PublicKey:
    row = connection.execute(_KEYS.select().where(_KEYS.c.retired_at == "").with_for_update()).mappings().one_or_none()
    if row is None:
        raise KeyTrouble("there is no key to retire: none has signed yet, or it is being retired in this moment")
    if row["name"] != new.name:
        raise KeyTrouble(f"the audit log is called {row['name']!r} for ever, not {new.name!r}")
    connection.execute(update(_KEYS).where(_KEYS.c.key_hash == row["key_hash"]).values(retired_at=at))
    connection.execute(_KEYS.insert(), _row(new))
    body = {"retired": row["key_hash"], "key": new.key_hash, "name": new.name, "public_key": new.public_key, "by": by}
    append_leaves(connection, [leaf_of_body(LEAF, new.key_hash, body, at)])
    return PublicKey(**{**row, "retired_at": at})


def _row(key: PublicKey) -> dict[str, str]:
    names = ("key_hash", "name", "public_key", "made_at", "retired_at")
    return {name: getattr(key, name) for name in names}


def _raw(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
