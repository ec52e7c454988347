"""Puts values back in the place of their tokens, for callers who may see the customer; evidence keeps its tokens."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, true

from infra.db import Database, table_of
from infra.privacy.vault import KEYS, VALUES, Vault
from infra.stores.customers import visible_customers
from infra.stores.deals import visible
from models.personal import ERASED, TOKEN, each_text, token, tokens_in
from models.tables.masters import CustomerRow
from models.tables.projection import DealRow
from models.visibility import Scope

_CUSTOMERS, _DEALS = table_of(CustomerRow), table_of(DealRow)
_TOGETHER = 500


class Showing:
    """Shows personal values to those who may see them."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def plain(self, value: Any, scope: Scope) -> Any:
        """A plain value with all tokens of customers in the scope resolved; what was destroyed reads as erased, and
        what is out of scope stays a token. Raises KeyLost."""
        values = await self._values(tokens_in(value), scope)
        return each_text(value, lambda text: _put(text, values.get)) if values else value

    async def text(self, text: str, scope: Scope) -> str:
        """The same for a text such as a printed contract."""
        shown: str = await self.plain(text, scope)
        return shown

    async def body(self, body: bytes, scope: Scope) -> bytes:
        """The same for a JSON text."""
        found = set(TOKEN.findall(body.decode()))
        values = {one: json.dumps(value)[1:-1] for one, value in (await self._values(found, scope)).items()}
        return _put(body.decode(), values.get).encode() if values else body

    async def _values(self, tokens: set[str], scope: Scope) -> dict[str, str]:
        if not tokens or scope.kind == "none":
            return {}
        return await self._database.look(partial(self._look, tokens=tokens, scope=scope))

    def _look(self, connection: Connection, tokens: set[str], scope: Scope) -> dict[str, str]:
        ids = sorted(one.removeprefix("pv_") for one in tokens)
        there: dict[str, bool] = {}
        for first in range(0, len(ids), _TOGETHER):
            query = select(VALUES.c.commitment, _may_see(scope)).join(KEYS, KEYS.c.subject == VALUES.c.subject)
            rows = connection.execute(query.where(VALUES.c.commitment.in_(ids[first : first + _TOGETHER])))
            there |= {token(of): bool(seen) for of, seen in rows}
        opened = self._vault.read(connection, {one for one, seen in there.items() if seen})
        return dict.fromkeys(tokens - there.keys(), ERASED) | {one: it.value for one, it in opened.items()}


def _may_see(scope: Scope) -> ColumnElement[bool]:
    if scope.kind == "all":
        return true()
    cards = select(_CUSTOMERS.c.id).where(visible_customers(scope))
    deals = select(_DEALS.c.customer_id).where(visible(scope))
    return or_(KEYS.c.customer_id.in_(cards), KEYS.c.customer_id.in_(deals))


def _put(text: str, value_of: Callable[[str], str | None]) -> str:
    return TOKEN.sub(lambda found: value_of(found[0]) or found[0], text)
