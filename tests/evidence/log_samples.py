"""Audit logs of any length, written in bulk, and their tree as RFC 6962 defines it."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, insert, text

from infra.db import Database, table_of
from infra.stores.audit_log import append_leaves, leaf_of_body
from models.merkle import EMPTY_ROOT, node_hash
from models.tables.records import AuditHeadRow, AuditLeafRow

AT = "2026-03-01T08:00:00Z"
LATER = "2026-03-02T08:00:00Z"


def hash_of(number: int) -> str:
    """Some leaf hash; the tree does not care of what."""
    return hashlib.sha256(str(number).encode()).hexdigest()


async def filled(database: Database, count: int) -> list[str]:
    """A log of that many leaves without content, quickly; answers their hashes."""
    hashes = [hash_of(number) for number in range(count)]
    plain = {"kind": "import", "at": AT, "body": None, "form": 2, "logged_at": AT}

    def work(connection: Connection) -> None:
        for start in range(0, count, 20_000):
            rows = [
                plain | {"sequence": number + 1, "ref": str(number), "leaf_hash": hashes[number]}
                for number in range(start, min(count, start + 20_000))
            ]
            connection.execute(insert(table_of(AuditLeafRow)), rows)
        connection.execute(insert(table_of(AuditHeadRow)), {"id": 1, "last_sequence": count})

    await database.write(work)
    return hashes


async def grow(database: Database, count: int, at: str = AT) -> None:
    """Append leaves that attest something."""
    leaves = [leaf_of_body("import", f"file-{number}", {"rows": number}, at) for number in range(count)]
    await database.write(lambda connection: append_leaves(connection, leaves))


async def do(database: Database, statement: str) -> None:
    """Tamper with the database."""
    async with database.begin() as connection:
        await connection.execute(text(statement))


def naive_root(leaves: Sequence[str]) -> str:
    """MTH of RFC 6962, section 2.1, word for word."""
    return _mth([bytes.fromhex(leaf) for leaf in leaves]).hex() if leaves else EMPTY_ROOT


def naive_path(number: int, leaves: Sequence[str]) -> list[str]:
    """PATH of RFC 6962, section 2.1.1, word for word; `number` counts from 0."""
    return [one.hex() for one in _path(number, [bytes.fromhex(leaf) for leaf in leaves])]


def naive_proof(old: int, leaves: Sequence[str]) -> list[str]:
    """PROOF of RFC 6962, section 2.1.2, word for word."""
    return [one.hex() for one in _subproof(old, [bytes.fromhex(leaf) for leaf in leaves], True)]


def _split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def _mth(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(_mth(leaves[:k]), _mth(leaves[k:]))


def _path(number: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if number < k:
        return [*_path(number, leaves[:k]), _mth(leaves[k:])]
    return [*_path(number - k, leaves[k:]), _mth(leaves[:k])]


def _subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [_mth(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*_subproof(old, leaves[:k], whole), _mth(leaves[k:])]
    return [*_subproof(old - k, leaves[k:], False), _mth(leaves[:k])]
