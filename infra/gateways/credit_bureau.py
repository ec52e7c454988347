"""What we know about a customer's reliability: card, checks of its numbers, history in our books, exposure."""

from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database
from infra.gateways import checked
from infra.gateways.identity import iban_ok, lei_ok, registration_ok, vat_ok
from models.codec import decode
from models.instants import DAY, between
from models.messages.finance import Financials, ReliabilityFacts, ReliabilityInput
from models.money import ratio_bps
from models.tables.masters import CustomerRow
from models.tables.money_books import HeadroomRow, InvoiceRow, LedgerEntryRow
from models.tables.projection import DealInvoiceRow, DealRow

RECENT_INVOICES = 200
"""How many of the last paid invoices tell how late a customer pays; each counts the same."""


class SqlCreditBureau:
    """The port CreditBureau on our database. Asks no outside register; it says what our own books tell."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reliability(self, asked: ReliabilityInput) -> ReliabilityFacts:
        """Everything known at `at`. Money of other currencies than the asked one is left out, not converted."""
        checked.instant(asked.at)
        about = {"customer": asked.customer_id, "currency": asked.currency, "now": asked.at}
        async with self._database.read() as connection:
            card = (await connection.execute(_CARD, {"customer": asked.customer_id})).one_or_none()
            if card is None:
                return ReliabilityFacts(customer_known=False, group="")
            late = await _days_late(connection, about)
            disputed = (await connection.execute(_DISPUTED, about)).one()
            exposure = await connection.scalar(_EXPOSURE, {**about, "group": card.group_id})
        return ReliabilityFacts(
            customer_known=True,
            group=card.group_id,
            **_identity(card),
            financials=_financials(card),
            paid_invoices=len(late),
            average_days_late=sum(late) // len(late) if late else 0,
            disputed_bps=ratio_bps(disputed.amount, disputed.total),
            broken_promises=card.broken_promises,
            exposure_minor=exposure or 0,
            founded_on=card.founded_on,
            blocked=card.blocked,
        )


def _identity(card: Row[Any]) -> dict[str, bool | None]:
    country = card.country.strip() if len(card.country.strip()) == 2 else ""
    return {
        "registration_ok": registration_ok(card.registration_id, country) if card.registration_id else None,
        "vat_ok": vat_ok(card.vat_id, country) if card.vat_id else None,
        "iban_ok": iban_ok(card.iban) if card.iban else None,
        "lei_ok": lei_ok(card.lei) if card.lei else None,
    }


def _financials(card: Row[Any]) -> Financials | None:
    # Z'' is made of ratios, so statements in the customer's own currency serve for any deal
    return decode(Financials, card.financials, "financials") if card.financials else None


async def _days_late(connection: AsyncConnection, about: dict[str, str]) -> list[int]:
    """Days late per paid invoice; paying early doesn't make up for paying late."""
    rows = (await connection.execute(_PAID, about)).all()
    return [max(0, between(row.due_at, row.settled_at) // DAY) for row in rows]


_CARD = select(CustomerRow).where(CustomerRow.id == bindparam("customer"))
_WRITTEN_OFF = exists().where(LedgerEntryRow.invoice == InvoiceRow.number, LedgerEntryRow.kind == "write_off")
_PAID = (
    select(InvoiceRow.due_at, InvoiceRow.settled_at)
    .where(
        InvoiceRow.customer_id == bindparam("customer"),
        InvoiceRow.settled_at != "",
        InvoiceRow.settled_at <= bindparam("now"),
        ~_WRITTEN_OFF,
    )
    .order_by(InvoiceRow.settled_at.desc(), InvoiceRow.number.desc())
    .limit(RECENT_INVOICES)
)


def _total(column: Any, name: str) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger).label(name)


_DISPUTED = (
    select(_total(DealInvoiceRow.disputed_minor, "amount"), _total(DealInvoiceRow.total_minor, "total"))
    .join(DealRow, DealRow.id == DealInvoiceRow.deal_id)
    .where(DealRow.customer_id == bindparam("customer"), DealInvoiceRow.currency == bindparam("currency"))
)
_EXPOSURE = select(_total(HeadroomRow.amount_minor, "amount")).where(
    HeadroomRow.group_id == bindparam("group"),
    HeadroomRow.currency == bindparam("currency"),
    HeadroomRow.state == "active",
    HeadroomRow.expires_at >= bindparam("now"),
)
