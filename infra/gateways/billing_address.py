"""The e-mail address that a customer's letters go to. Personal data: never in a timeline, an alert or a log."""

from pathlib import Path

from sqlalchemy import Connection, func, select

from infra.db import Database, table_of
from infra.privacy.contacts import in_clear
from infra.privacy.vault import Vault
from models.tables.masters import ContactRow

ROLES = ("billing", "accounts payable", "accounts_payable", "accounting")
"""Roles of contacts that letters are addressed to, the best first; nobody else is written to by the dispatcher."""

_CONTACTS = table_of(ContactRow)


async def billing_address(database: Database, customer_id: str, keys: Path = Path()) -> str:
    """The address of the customer's billing contact, the first by role and id; empty when there is none, or when the
    data of all of them was erased. `keys` is the folder of the keys. Raises KeyLost."""
    vault = Vault(keys)
    mine = (_CONTACTS.c.customer_id == customer_id, func.lower(_CONTACTS.c.role).in_(ROLES), _CONTACTS.c.email != "")

    def work(connection: Connection) -> str:
        rows = connection.execute(select(_CONTACTS).where(*mine).order_by(_CONTACTS.c.id)).mappings()
        found = [row for row in in_clear(connection, vault, [dict(row) for row in rows]) if row["email"].strip()]
        return min(found, key=lambda row: ROLES.index(row["role"].lower()))["email"].strip() if found else ""

    return await database.look(work)
