"""Invoices and payments; a payment is an act on the deal that its invoice belongs to."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow
from api.routers.actions import acted
from api.routes import ActRoute, GuardedRoute
from api.wire.deals import Acted
from api.wire.masters import BookVerdict
from api.wire.money import Invoices, Payment, Payments, WholeInvoice
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.desk.errors import NoSuch
from models import codec
from models.lifecycle.roles import MONEY, Role

router = APIRouter(prefix="/v1/payments", tags=["money"], route_class=ActRoute)
reading = APIRouter(prefix="/v1", tags=["money"], route_class=GuardedRoute)

Customer = Annotated[OptionalId, Query(description="Only this customer's")]


@reading.get("/invoices", response_model=Invoices)
async def list_invoices(
    desk: Desk,
    me: Me,
    customer: Customer = "",
    deal: Annotated[OptionalId, Query(description="Only this deal's")] = "",
    is_open: Annotated[bool | None, Query(alias="open", description="Only open ones, or only settled ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Invoices of deals that you see, by number."""
    page = await desk.money.invoices(me, customer, deal, is_open, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@reading.get("/invoices/verification", response_model=BookVerdict)
async def verify_ledger(desk: Desk, me: Me) -> Plain:
    """Whether every invoice's open amount is its total less what was booked on it."""
    allow(me, "verifying the ledger", MONEY | {Role.AUDITOR, Role.ADMIN})
    differences = await desk.books.ledger.verify()
    return {"sound": not differences, "differences": [codec.encode(one) for one in differences]}


@reading.get("/invoices/{number}", response_model=WholeInvoice)
async def read_invoice(number: str, desk: Desk, me: Me) -> Plain:
    """One invoice with its lines and what was booked on it."""
    return await desk.money.invoice(me, number)


@reading.get("/payments", response_model=Payments)
async def list_payments(desk: Desk, me: Me, customer: Customer = "", cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Payments on invoices of deals that you see, in the order of booking."""
    page = await desk.money.payments(me, customer, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("", response_model=Acted, name="record_payment")
async def book_payment(asked: Payment, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Book money that came in for an invoice; what is too much is kept as the customer's credit."""
    deal_id = await desk.money.deal_of_invoice(asked.invoice)
    if not deal_id:
        raise NoSuch("invoice", asked.invoice)
    payload = {
        "invoice": asked.invoice,
        "amount_minor": asked.amount.amount_minor,
        "currency": asked.amount.currency,
        "reference": asked.reference,
    }
    try:
        return await acted(desk, me, deal_id, "record_payment", payload, key, response)
    except NoSuch as unseen:
        hidden = NoSuch("invoice", asked.invoice)
        hidden.recorded = unseen.recorded
        raise hidden from None
