"""The customer bank: cards and contacts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.masters import Contact, Customer, CustomerChange, Customers, NewContact, NewCustomer
from api.wire.shared import Cursor, Key, Limit, OptionalCode, OptionalId, Plain
from infra.desk.callers import Caller
from infra.desk.errors import Conflict, Invalid, NoSuch
from infra.desk.ids import derived
from infra.desk.service import DealDesk
from infra.privacy.vault import PersonErased
from infra.stores.pages import Row
from infra.stores.upserts import AlreadyStands
from models.lifecycle.roles import HEADS, SALES_AND_MACHINES, Role

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=GuardedRoute)

WRITERS = SALES_AND_MACHINES | HEADS
CHANGERS = WRITERS | {Role.RISK_OFFICER}
BLOCKERS = HEADS | {Role.RISK_OFFICER}
_SEEN_BY_ALL = ("id", "name", "country", "language", "currency")


@router.get("", response_model=Customers)
async def list_customers(
    desk: Desk,
    me: Me,
    owner: Annotated[OptionalId | None, Query()] = None,
    group: Annotated[OptionalId | None, Query()] = None,
    segment: Annotated[OptionalCode | None, Query()] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Customers that you see, by name."""
    asked = {"owner": owner, "group_id": group, "segment": segment}
    narrowed = {name: value for name, value in asked.items() if value is not None}
    page = await desk.books.customers.page(me.scope, narrowed, cursor, limit)
    return {"items": [_card(row, me) for row in page.rows], "next_cursor": page.next_cursor}


@router.post("", status_code=201, response_model=Customer)
async def add_customer(asked: NewCustomer, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Add a customer with its contacts."""
    allow(me, "adding customers", WRITERS)
    plain = asked.model_dump()
    customer_id = asked.id or derived("C-", me.user, key)
    contacts = [_contact(one, customer_id, number) for number, one in enumerate(asked.contacts, 1)]

    async def work() -> Plain:
        card = _row(plain) | {"id": customer_id, "owner": asked.owner or me.principal}
        await _check_owner(desk, card["owner"], me)
        try:
            async with desk.separation.kept(me, "add_customer", key) as author:
                await desk.books.customers.create(card, desk.clock(), contacts, author)
        except AlreadyStands:
            # an id that we derived is there only because this very request was cut off before its answer was kept
            if asked.id:
                raise Conflict("already_exists", "there is a customer with this id already") from None
        return {"id": customer_id}

    await once(desk, me, "customers", key, plain | await _compared(desk, customer_id, contacts), response, work)
    return await _whole(desk, me, customer_id)


@router.get("/{customer_id}", response_model=Customer)
async def read_customer(customer_id: str, desk: Desk, me: Me) -> Plain:
    """One customer with its contacts."""
    return await _whole(desk, me, customer_id)


@router.patch("/{customer_id}", response_model=Customer)
async def change_customer(customer_id: str, asked: CustomerChange, desk: Desk, me: Me) -> Plain:
    """Change fields of a card; only heads and risk officers block customers or unblock them."""
    allow(me, "changing customers", CHANGERS)
    if asked.blocked is not None:
        allow(me, "blocking customers", BLOCKERS)
    await _whole(desk, me, customer_id)
    changes = asked.model_dump(exclude_unset=True)
    wrong = {name: "can't be emptied" for name, value in changes.items() if value is None and name != "financials"}
    if wrong:
        raise Invalid(wrong)
    if "owner" in changes:
        await _check_owner(desk, changes["owner"], me)
    if changes:
        async with desk.separation.kept(me, "change_customer") as author:
            await desk.books.customers.change(customer_id, changes, desk.clock(), author)
    # a card that was handed to somebody else may be out of sight now; its giver still gets to see what was done
    row = await desk.books.customers.get(customer_id)
    assert row is not None
    return _with_contacts(row, me)


@router.post("/{customer_id}/contacts", status_code=201, response_model=Contact)
async def add_contact(customer_id: str, asked: NewContact, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Add a person at the customer."""
    allow(me, "changing customers", CHANGERS)
    await _whole(desk, me, customer_id)

    contact = {"id": derived("P-", customer_id, me.user, key), **asked.model_dump()}

    async def work() -> Plain:
        await desk.books.customers.put_contacts(customer_id, [contact], desk.clock())
        return {"id": contact["id"]}

    plain = {"customer": customer_id, **await _compared(desk, customer_id, [contact])}
    await once(desk, me, "contacts", key, plain, response, work)
    return contact | {"erased": False}


async def _compared(desk: DealDesk, customer_id: str, contacts: list[Row]) -> Plain:
    """Contacts as a repeated request is compared with the first: what stays of both for ever names nobody. Raises
    Conflict for a contact whose data was erased: asking again must not bring it back."""
    try:
        return {"contacts": await desk.books.customers.tokens(customer_id, contacts, desk.clock())}
    except PersonErased as erased:
        raise Conflict("erased", str(erased)) from None


async def _check_owner(desk: DealDesk, owner: str, me: Caller) -> None:
    if owner == me.principal:
        return
    allow(me, "giving customers to somebody else", HEADS | {Role.AUTOMATION})
    if await desk.books.people.get(owner) is None:
        raise Invalid({"owner": "no such user"})


async def _whole(desk: DealDesk, me: Caller, customer_id: str) -> Plain:
    row = await desk.books.customers.get(customer_id, me.scope)
    if row is None:
        raise NoSuch("customer", customer_id)
    return _with_contacts(row, me)


def _with_contacts(row: Row, me: Caller) -> Plain:
    return _card(row, me) | {"contacts": [] if me.is_blind else row["contacts"]}


def _card(row: Row, me: Caller) -> Plain:
    """The card; customer data is a trade secret (D2) that goods departments do not need."""
    told: Plain = {**row, "group": row["group_id"]}
    if not me.is_blind:
        return told
    hidden: dict[str, Any] = {"blocked": False, "broken_promises": 0, "financials": None}
    blank = {name: "" for name, value in told.items() if isinstance(value, str) and name not in _SEEN_BY_ALL}
    return told | blank | hidden


def _row(plain: Plain) -> Row:
    row = {name: value for name, value in plain.items() if name not in ("contacts", "group")}
    return row | {"group_id": plain["group"]}


def _contact(asked: NewContact, customer_id: str, number: int) -> Row:
    return {"id": derived("P-", customer_id, str(number)), **asked.model_dump()}
