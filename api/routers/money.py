"""Invoices and payments; a payment is an act on the deal that its invoice belongs to."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow
from api.routers.actions import acted
from api.routes import ActRoute, GuardedRoute
from api.wire.deals import Acted
from api.wire.money import Invoices, Payment, PaymentReturn, Payments, WholeInvoice
from api.wire.receivable_reports import MoneyVerdict
from api.wire.shared import Cursor, Day, Key, Limit, OptionalId, Plain
from infra.desk.callers import Caller
from infra.desk.errors import NoSuch
from infra.desk.money_reading import InvoiceFilter
from infra.desk.money_reports import told
from infra.desk.service import DealDesk
from models.lifecycle.roles import MONEY, Role
from models.lifecycle.states import ReceivableState

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
    late: Annotated[bool | None, Query(description="Only open ones past their due day, or only others")] = None,
    state: Annotated[ReceivableState | None, Query(description="Only this level of the ladder, or end")] = None,
    disputed: Annotated[bool | None, Query(description="Only those with disputed money, or only others")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Invoices of deals that you see, by number; `late` and `disputed` ones by their due date, the earliest first."""
    asked = InvoiceFilter(customer, deal, is_open, state or "", late, disputed)
    page = await desk.money.invoices(me, asked, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@reading.get("/invoices/verification", response_model=MoneyVerdict)
async def verify_ledger(desk: Desk, me: Me) -> Plain:
    """Whether the books of money agree to the cent: invoiced = paid + credited + written off + open, per currency and
    invoice; the deals know what the ledger knows; every bank entry is booked once."""
    allow(me, "verifying the ledger", MONEY | {Role.AUDITOR, Role.ADMIN})
    return told(await desk.books.money_audit.verify())


@reading.get("/invoices/{number}", response_model=WholeInvoice)
async def read_invoice(
    number: str,
    desk: Desk,
    me: Me,
    as_of: Annotated[Day, Query(description="Interest until the end of this day; today without")] = "",
) -> Plain:
    """One invoice: its lines, what was booked on it, and how it is collected."""
    return await desk.money.invoice(me, number, as_of)


@reading.get("/payments", response_model=Payments)
async def list_payments(desk: Desk, me: Me, customer: Customer = "", cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Payments on invoices of deals that you see, in the order of booking."""
    page = await desk.money.payments(me, customer, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("", response_model=Acted, name="record_payment")
async def book_payment(asked: Payment, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Book money that came in for an invoice; what is too much is kept as the customer's credit."""
    less = {"charges": asked.charges, "discount": asked.discount}
    more: Plain = {f"{name}_minor": part.amount_minor for name, part in less.items() if part is not None}
    if asked.received_on:
        more["received_on"] = asked.received_on
    return await _booked(desk, me, "record_payment", asked, more, key, response)


@router.post("/returns", response_model=Acted, name="reverse_payment")
async def book_return(asked: PaymentReturn, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Book a payment that went back: the customer's credit goes first, then the invoice is open again."""
    day = {"returned_on": asked.returned_on} if asked.returned_on else {}
    return await _booked(desk, me, "reverse_payment", asked, {"reason": asked.reason} | day, key, response)


async def _booked(
    desk: DealDesk,
    me: Caller,
    action: str,
    asked: Payment | PaymentReturn,
    more: Plain,
    key: str,
    response: Response,
) -> Plain:
    """Have the deal of the invoice act; a deal that the caller does not see has no invoices for him. Raises NoSuch."""
    deal_id = await desk.money.deal_of_invoice(asked.invoice)
    if not deal_id:
        raise NoSuch("invoice", asked.invoice)
    payload: Plain = {
        "invoice": asked.invoice,
        "amount_minor": asked.amount.amount_minor,
        "currency": asked.amount.currency,
        "reference": asked.reference,
    }
    try:
        return await acted(desk, me, deal_id, action, payload | more, key, response)
    except NoSuch as unseen:
        hidden = NoSuch("invoice", asked.invoice)
        hidden.recorded = unseen.recorded
        raise hidden from None
