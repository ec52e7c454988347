"""The customer bank (D3): cards with company data and contacts. Who sees a customer is who owns it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, false, or_, select, true, update

from infra.db import Database, table_of
from infra.privacy.contacts import in_clear, with_tokens
from infra.privacy.vault import Vault
from infra.stores.audit_log import append_leaves
from infra.stores.master_log import OPERATOR, RISK_FIELDS, Author, customer_leaf, refuse_card_work
from infra.stores.pages import Page, Row, look_page
from infra.stores.upserts import add, complete, put
from models.tables.masters import ContactRow, CustomerRow, UserRow
from models.visibility import EVERYTHING, Scope

_CUSTOMERS, _CONTACTS, _USERS = table_of(CustomerRow), table_of(ContactRow), table_of(UserRow)


class CustomerStore:
    """Customer cards and their contacts. What is personal of contacts is kept in the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def create(self, card: Row, at: str, contacts: Sequence[Row] = (), by: Author = OPERATOR) -> Row:
        """Add a customer with its contacts; what the card leaves out gets its default. Raises AlreadyStands,
        PersonErased, or DutiesCombined when its author has said lately how much the group may owe."""
        row = _card(card, at)

        def work(connection: Connection) -> None:
            add(connection, CustomerRow, row)
            self._put_contacts(connection, row["id"], contacts, at)
            append_leaves(connection, [customer_leaf(row, card, by, at)])
            refuse_card_work(connection, row["group_id"], by, at)

        await self._database.write(work)
        return row

    async def put_many(self, cards: Sequence[Row], at: str, by: Author = OPERATOR) -> None:
        """Add the customers of an import, or bring their cards up to date.

        What no card of the import names stays as it is, and so do the day of entry and the broken promises, which
        our own books count.
        """
        rows = [_card(card, at) for card in cards]
        named = {name for card in cards for name in card} - {"created_at", "broken_promises"} | {"updated_at"}
        keep = [column.name for column in _CUSTOMERS.columns if column.name not in named]
        leaves = [customer_leaf(row, card, by, at) for row, card in zip(rows, cards, strict=True)]

        def work(connection: Connection) -> None:
            put(connection, CustomerRow, rows, ["id"], keep)
            if leaves:
                append_leaves(connection, leaves)

        await self._database.write(work)

    async def put_contacts(self, customer_id: str, contacts: Sequence[Row], at: str) -> None:
        """Add contacts of a customer, or change those with a known id. Raises PersonErased."""
        await self._database.write(lambda connection: self._put_contacts(connection, customer_id, contacts, at))

    async def tokens(self, customer_id: str, contacts: Sequence[Row], at: str) -> list[Row]:
        """Contacts with tokens for what is personal, which is kept: what may be compared and stored for ever in the
        place of a request that names people. Raises PersonErased."""
        named = [{**contact, "customer_id": customer_id} for contact in contacts]

        def work(connection: Connection) -> list[Row]:
            return [with_tokens(connection, self._vault, contact, at) for contact in named]

        return await self._database.write(work) if named else []

    async def change(self, customer_id: str, changes: Row, at: str, by: Author = OPERATOR) -> Row | None:
        """Change some fields of a card; the card afterwards, None when there is none. Raises DutiesCombined when its
        author has said lately how much the group may owe."""
        values = {name: value for name, value in changes.items() if name not in ("id", "created_at")}
        changed = update(_CUSTOMERS).where(_CUSTOMERS.c.id == customer_id)
        statement = changed.values({**values, "updated_at": at}).returning(_CUSTOMERS)

        def work(connection: Connection) -> Row | None:
            row = connection.execute(statement).mappings().one_or_none()
            if row is None:
                return None
            append_leaves(connection, [customer_leaf(dict(row), values, by, at)])
            if set(values) - RISK_FIELDS:
                refuse_card_work(connection, row["group_id"], by, at)
            return dict(row)

        return await self._database.write(work)

    async def get(self, customer_id: str, scope: Scope = EVERYTHING) -> Row | None:
        """A card with its `contacts` in clear; None when there is none or it is out of scope."""
        query = select(_CUSTOMERS).where(_CUSTOMERS.c.id == customer_id, visible_customers(scope))
        contacts = select(_CONTACTS).where(_CONTACTS.c.customer_id == customer_id).order_by(_CONTACTS.c.id)

        def work(connection: Connection) -> Row | None:
            card = connection.execute(query).mappings().one_or_none()
            if card is None:
                return None
            rows = [dict(row) for row in connection.execute(contacts).mappings()]
            return {**card, "contacts": in_clear(connection, self._vault, rows)}

        return await self._database.look(work)

    async def page(self, scope: Scope, asked: Row | None = None, cursor: str = "", limit: int = 50) -> Page:
        """Cards by name, narrowed to columns that equal what is `asked`, such as owner, group_id or segment."""
        equal = [_CUSTOMERS.c[name] == value for name, value in (asked or {}).items()]
        query = select(_CUSTOMERS).where(visible_customers(scope), *equal)
        return await look_page(self._database, query, [_CUSTOMERS.c.name, _CUSTOMERS.c.id], cursor, limit)

    def _put_contacts(self, connection: Connection, customer_id: str, contacts: Sequence[Row], at: str) -> None:
        rows = [complete(ContactRow, {**contact, "customer_id": customer_id}) for contact in contacts]
        put(connection, ContactRow, [with_tokens(connection, self._vault, row, at) for row in rows], ["id"])


def _card(card: Row, at: str) -> Row:
    row = complete(CustomerRow, {"created_at": at, "updated_at": at, **card})
    return row | {"group_id": row["group_id"] or row["id"]}


def visible_customers(scope: Scope) -> ColumnElement[bool]:
    """The condition that a customer's card is inside of a scope."""
    if scope.kind == "all":
        return true()
    if scope.kind == "none":
        return false()
    own = _CUSTOMERS.c.owner == scope.user
    if scope.kind == "own":
        return own
    colleagues = select(_USERS.c.id).where(_USERS.c.department == scope.department)
    return or_(own, _CUSTOMERS.c.owner.in_(colleagues))
