"""The e-mail address that a customer's letters go to. Personal data: never in a timeline, an alert or a log."""

from sqlalchemy import func, select

from infra.db import Database, table_of
from models.tables.masters import ContactRow

ROLES = ("billing", "accounts payable", "accounts_payable", "accounting")
"""Roles of contacts that letters are addressed to, the best first; nobody else is written to by the dispatcher."""

_CONTACTS = table_of(ContactRow)


async def billing_address(database: Database, customer_id: str) -> str:
    """The address of the customer's billing contact, the first by role and id; empty when there is none."""
    role = func.lower(_CONTACTS.c.role)
    query = select(role.label("role"), _CONTACTS.c.email).where(
        _CONTACTS.c.customer_id == customer_id, role.in_(ROLES), _CONTACTS.c.email != ""
    )
    rows = await database.look(lambda connection: connection.execute(query.order_by(_CONTACTS.c.id)).all())
    return min(rows, key=lambda row: ROLES.index(row.role)).email.strip() if rows else ""
