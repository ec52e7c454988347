"""The privacy desk: erases contacts, lists erasures, tells what a token stands for, and hands out papers in clear."""

import asyncio
import hashlib
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from infra.db import table_of
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch, WrongRole
from infra.privacy.erasing import NobodyThere
from infra.privacy.marker_search import Finding, search
from infra.stores.pages import Page
from models.lifecycle.roles import Role
from models.personal import EMAIL, NAME, TOKEN
from models.tables.papers import DocumentRow
from models.tables.privacy import PersonalValueRow

ERASERS = frozenset({Role.ADMIN})
READERS = frozenset({Role.ADMIN, Role.AUDITOR, Role.COMMERCIAL_DIRECTOR})

_DOCUMENTS, _VALUES = table_of(DocumentRow), table_of(PersonalValueRow)
_SHORTEST = 6
"""Shorter values stand by chance in every large file."""


class PrivacyDesk:
    """Serves whoever answers for personal data."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock

    async def erase(self, caller: Caller, subject: str, reason: str) -> dict[str, Any]:
        """Destroy the personal data of a contact, for ever. Raises WrongRole, Invalid or NoSuch."""
        caller.require("erasing personal data", ERASERS)
        if caller.has(Role.AUDITOR):
            raise WrongRole("erasing personal data", tuple(map(str, ERASERS)))
        if not reason.strip():
            raise Invalid({"reason": "say why, such as the request that it answers; name nobody"})
        try:
            done = await self._books.eraser.erase(subject, caller.user, reason.strip(), self._clock())
        except NobodyThere:
            raise NoSuch("contact", subject) from None
        return asdict(done)

    async def erasures(self, caller: Caller, cursor: str = "", limit: int = 50) -> Page:
        """Erasures, the latest first. Raises WrongRole or BadCursor."""
        caller.require("reading erasures", READERS)
        return await self._books.eraser.page(cursor, limit)

    async def shown(self, caller: Caller, plain: Any) -> Any:
        """A plain value with the personal values that the caller may see in the place of their tokens."""
        return plain if caller.is_blind else await self._books.showing.plain(plain, caller.scope)

    async def disclose(self, given: str) -> dict[str, str]:
        """What a token stands for, with the salt that proves it. Raises NoSuch for one that was destroyed."""
        vault = self._books.vault
        found = {}
        if TOKEN.fullmatch(given):
            found = await self._books.database.look(lambda connection: vault.read(connection, {given}))
        if given not in found:
            raise NoSuch("personal value", given)
        one = found[given]
        plain = {"subject": one.subject, "customer": one.customer_id, "kind": one.kind, "value": one.value}
        return {"token": given, "salt": one.salt.hex(), **plain}

    async def paper(self, caller: Caller, name: str) -> dict[str, Any]:
        """A printed document as its receiver reads it, with what its digest says about the file: the digest is that of
        the file with tokens, so it is the same for ever. Raises NoSuch."""
        row = await self._books.database.row(select(_DOCUMENTS).where(_DOCUMENTS.c.name == name).limit(1))
        if row is None or await self._books.deals.get(row["deal_id"], caller.scope) is None:
            raise NoSuch("document", name)
        try:
            content = (self._books.settings.documents_dir / row["name"]).read_bytes()
        except OSError:
            raise NoSuch("document", name) from None
        kept = content.decode(errors="replace")
        text = await self._books.showing.text(kept, caller.scope)
        state = "unchanged" if hashlib.sha256(content).hexdigest() == row["digest"] else "changed"
        tokens = set(TOKEN.findall(kept))
        gone = len(tokens) - await self._standing(tokens)
        if gone and state == "unchanged":
            state = "erased on request"
        return {"name": name, "digest": row["digest"], "state": state, "erased": gone, "text": text}

    async def check(self, markers: list[str]) -> list[Finding]:
        """Files in which the markers stand; without any, those in which a name or an e-mail address stands in clear
        that is kept about somebody."""
        wanted = markers or await self._everybody()
        settings = self._books.settings
        folders = dict.fromkeys((settings.data_dir, settings.keys_dir))
        below = [folder for folder in folders if not any(other in folder.parents for other in folders)]
        return await asyncio.to_thread(partial(search, [Path(folder) for folder in below if folder.exists()], wanted))

    async def _everybody(self) -> list[str]:
        vault = self._books.vault

        def work(connection: Connection) -> list[str]:
            wanted = select(_VALUES.c.commitment).where(_VALUES.c.kind.in_((NAME, EMAIL)))
            tokens = {f"pv_{of}" for of in connection.execute(wanted).scalars()}
            return sorted({one.value for one in vault.read(connection, tokens).values() if len(one.value) >= _SHORTEST})

        return await self._books.database.look(work)

    async def _standing(self, tokens: set[str]) -> int:
        vault = self._books.vault
        return len(await self._books.database.look(lambda connection: vault.read(connection, tokens)))
