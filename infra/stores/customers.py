"""The customer bank (D3): cards with company data and contacts. Who sees a customer is who owns it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, false, or_, select, true, update

from infra.db import Database, table_of
from infra.stores.pages import Page, Row, look_page
from infra.stores.upserts import add, complete, put
from models.tables.masters import ContactRow, CustomerRow, UserRow
from models.visibility import EVERYTHING, Scope

_CUSTOMERS, _CONTACTS, _USERS = table_of(CustomerRow), table_of(ContactRow), table_of(UserRow)


class CustomerStore:
    """Customer cards and their contacts, as plain rows of their tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, card: Row, at: str, contacts: Sequence[Row] = ()) -> Row:
        """Add a customer with its contacts; what the card leaves out gets its default. Raises AlreadyStands."""
        row = _card(card, at)

        def work(connection: Connection) -> None:
            add(connection, CustomerRow, row)
            _put_contacts(connection, row["id"], contacts)

        await self._database.write(work)
        return row

    async def put_many(self, cards: Sequence[Row], at: str) -> None:
        """Add the customers of an import, or bring their cards up to date.

        What no card of the import names stays as it is, and so do the day of entry and the broken promises, which
        our own books count.
        """
        rows = [_card(card, at) for card in cards]
        named = {name for card in cards for name in card} - {"created_at", "broken_promises"} | {"updated_at"}
        keep = [column.name for column in _CUSTOMERS.columns if column.name not in named]
        await self._database.write(lambda connection: put(connection, CustomerRow, rows, ["id"], keep))

    async def put_contacts(self, customer_id: str, contacts: Sequence[Row]) -> None:
        """Add contacts of a customer, or change those with a known id."""
        await self._database.write(lambda connection: _put_contacts(connection, customer_id, contacts))

    async def change(self, customer_id: str, changes: Row, at: str) -> Row | None:
        """Change some fields of a card; the card afterwards, None when there is none."""
        values = {name: value for name, value in changes.items() if name not in ("id", "created_at")}
        changed = update(_CUSTOMERS).where(_CUSTOMERS.c.id == customer_id)
        statement = changed.values({**values, "updated_at": at}).returning(_CUSTOMERS)

        def work(connection: Connection) -> Row | None:
            row = connection.execute(statement).mappings().one_or_none()
            return dict(row) if row else None

        return await self._database.write(work)

    async def get(self, customer_id: str, scope: Scope = EVERYTHING) -> Row | None:
        """A card with its `contacts`; None when there is none or it is out of scope."""
        query = select(_CUSTOMERS).where(_CUSTOMERS.c.id == customer_id, _visible(scope))
        contacts = select(_CONTACTS).where(_CONTACTS.c.customer_id == customer_id).order_by(_CONTACTS.c.id)

        def work(connection: Connection) -> Row | None:
            card = connection.execute(query).mappings().one_or_none()
            if card is None:
                return None
            return {**card, "contacts": [dict(row) for row in connection.execute(contacts).mappings()]}

        return await self._database.look(work)

    async def page(self, scope: Scope, asked: Row | None = None, cursor: str = "", limit: int = 50) -> Page:
        """Cards by name, narrowed to columns that equal what is `asked`, such as owner, group_id or segment."""
        equal = [_CUSTOMERS.c[name] == value for name, value in (asked or {}).items()]
        query = select(_CUSTOMERS).where(_visible(scope), *equal)
        return await look_page(self._database, query, [_CUSTOMERS.c.name, _CUSTOMERS.c.id], cursor, limit)


def _card(card: Row, at: str) -> Row:
    row = complete(CustomerRow, {"created_at": at, "updated_at": at, **card})
    return row | {"group_id": row["group_id"] or row["id"]}


def _put_contacts(connection: Connection, customer_id: str, contacts: Sequence[Row]) -> None:
    rows = [complete(ContactRow, {**contact, "customer_id": customer_id}) for contact in contacts]
    put(connection, ContactRow, rows, ["id"])


def _visible(scope: Scope) -> ColumnElement[bool]:
    if scope.kind == "all":
        return true()
    if scope.kind == "none":
        return false()
    own = _CUSTOMERS.c.owner == scope.user
    if scope.kind == "own":
        return own
    colleagues = select(_USERS.c.id).where(_USERS.c.department == scope.department)
    return or_(own, _CUSTOMERS.c.owner.in_(colleagues))
