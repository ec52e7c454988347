"""Money follows goods: after every act on the order, what is billed is brought to what ought to be (D27).

The invoices and credit notes of an act are the difference between both, so that at the end of a deal invoices less
credit notes are what the customer kept, whatever happened on the way. Deals under earlier rules bill in their handlers.
"""

from collections.abc import Iterable
from dataclasses import replace

from models.command import Context
from models.deal_state import Deal
from models.event import Event
from models.parts.billing import Billed, Billing, InvoicedLine, InvoiceKind
from models.parts.order import OrderLine
from models.parts.receivable import Receivable
from models.stages.amending import ConfirmAmendment, OrderAmended
from models.stages.billing_targets import billed_worth, credited_units, kept_units, order_worth, targets, worth
from models.stages.consequences import after_all, money_moved
from models.stages.contracting import ContractConcluded
from models.stages.discrepancies import (
    DiscrepancySettled,
    SettleDiscrepancy,
    UnitsGivenBack,
    UnitsGivenUp,
    UnitsReopened,
    invoice_of,
)
from models.stages.fulfilment import LinesCancelled, order_of
from models.stages.headroom import lower_headroom
from models.stages.invoicing import CreditDue, GoodsBilled, GoodsCredited, MilestoneReached, total_of
from models.stages.receivables import CreditGranted, InvoiceIssued
from models.stages.shipping import ShipmentDelivered
from models.stages.shortage import AnalogueAccepted
from models.stages.shortage_ladder import MissingCancelled

MOVES_GOODS = (
    ContractConcluded,
    ShipmentDelivered,
    LinesCancelled,
    MissingCancelled,
    AnalogueAccepted,
    OrderAmended,
    DiscrepancySettled,
    UnitsReopened,
    UnitsGivenBack,
    UnitsGivenUp,
    MilestoneReached,
)
"""Events after which something else may have to be billed."""


def followed(ctx: Context, events: list[Event]) -> list[Event]:
    """The events of an act with the invoices, credit notes and headroom that follow from what they did to the order.
    Every shipment that arrived has an invoice of its own."""
    if ctx.policy.rules < 3 or not any(isinstance(each, (*MOVES_GOODS, InvoiceIssued)) for each in events):
        return events
    told: list[Event] = []
    for happened in events:
        told.append(happened)
        if isinstance(happened, ShipmentDelivered):
            told += _settled(ctx, after_all(ctx.deal, told, ctx.now), happened.number)
    told += _settled(ctx, after_all(ctx.deal, told, ctx.now), "")
    if any(isinstance(each, InvoiceIssued) for each in events):
        told += _credits_due(ctx, after_all(ctx.deal, told, ctx.now))
    return [*told, *_headroom(ctx, told)]


def _settled(ctx: Context, deal: Deal, shipment: str) -> list[Event]:
    """What is to be invoiced or credited of a deal, prepayments apart from goods."""
    if deal.order is None or not deal.offer:
        return []
    found = targets(deal)
    units = credited_units(deal.order)
    in_advance = tuple(
        _in_advance(line, target, deal.offer.prepaid) for line, target in found if target.prepaid != line.billed.prepaid
    )
    kind = _kind(deal)
    goods = tuple(
        _goods(line, target, kept_units(line, units[line.line]), kind)
        for line, target in found
        if (target.goods, target.settled) != (line.billed.goods, line.billed.settled)
    )
    events = _documents(ctx, deal, InvoiceKind.PREPAYMENT, in_advance, "")
    named = shipment if kind == InvoiceKind.DELIVERY else ""
    return [*events, *_documents(ctx, after_all(deal, events, ctx.now), kind, goods, named)]


def _in_advance(line: OrderLine, target: Billed, whole: bool) -> InvoicedLine:
    more = target.prepaid - line.billed.prepaid
    return InvoicedLine(line.line, _units(line, more.net_minor) if whole else 0, more.net_minor, more.tax_minor)


def _goods(line: OrderLine, target: Billed, kept: int, kind: InvoiceKind) -> InvoicedLine:
    """The part of a line on an invoice for goods. It names the units whose price it is, and none for a share."""
    more, settled = target.goods - line.billed.goods, target.settled - line.billed.settled
    units = kept if more == worth(line, kept) else _units(line, more.net_minor)
    if kind == InvoiceKind.MILESTONE:
        units = 0
    return InvoicedLine(line.line, units, more.net_minor, more.tax_minor, settled.net_minor, settled.tax_minor)


def _units(line: OrderLine, net_minor: int) -> int:
    if line.unit_price_minor <= 0 or net_minor % line.unit_price_minor:
        return 0
    return net_minor // line.unit_price_minor


def _kind(deal: Deal) -> InvoiceKind:
    billing = deal.offer.billing if deal.offer else Billing.DELIVERY
    if billing == Billing.DELIVERY:
        return InvoiceKind.DELIVERY
    last = billing == Billing.ORDER or order_of(deal).is_done
    return InvoiceKind.ORDER if last else InvoiceKind.MILESTONE


def _documents(
    ctx: Context, deal: Deal, kind: InvoiceKind, lines: tuple[InvoicedLine, ...], shipment: str
) -> list[Event]:
    if not lines:
        return []
    total = total_of(lines)
    if total >= 0:
        subject = ctx.payload.name if kind == InvoiceKind.MILESTONE and hasattr(ctx.payload, "name") else ""
        return [GoodsBilled(kind.value, lines, subject, shipment)]
    first, reason = _occasion(ctx)
    if kind == InvoiceKind.PREPAYMENT:
        first = ""
    credited = GoodsCredited(kind.value, lines, reason)
    return [credited, *_credited(ctx, credited.apply(deal, ctx.now), kind, -total, reason, first)]


def _occasion(ctx: Context) -> tuple[str, str]:
    """The invoice that a credit note is about, when somebody knows, and the reason on it."""
    asked = ctx.payload
    if isinstance(asked, SettleDiscrepancy) and (act := order_of(ctx.deal).discrepancy(asked.act)):
        return invoice_of(ctx.deal, act, asked.invoice), f"{act.kind} {act.number}"
    if isinstance(asked, ConfirmAmendment):
        return "", "order amended"
    return "", str(getattr(asked, "reason", "")) or "the goods will not come"


def _credited(ctx: Context, deal: Deal, kind: str, amount_minor: int, reason: str, first: str) -> list[Event]:
    """Credit notes for an amount, with what follows from them. What finds no invoice waits for one that is being
    issued; when there is none, somebody credited the goods before."""
    notes, rest = credit_notes(deal.receivables, kind, amount_minor, reason, first)
    events = money_moved(replace(ctx, deal=deal), notes, "credited") if notes else []
    if rest and any(each.kind == "issue_invoice" for each in ctx.deal.pending):
        events = [*events, CreditDue(order_of(deal).credit_due_minor + rest)]
    return events


def _credits_due(ctx: Context, deal: Deal) -> list[Event]:
    """What waited for an invoice that stands in the book now."""
    due = deal.order.credit_due_minor if deal.order else 0
    if not due:
        return []
    notes, rest = credit_notes(deal.receivables, InvoiceKind.PREPAYMENT, due, "goods that will not come", "")
    waits = rest if any(each.kind == "issue_invoice" for each in deal.pending) else 0
    return [CreditDue(waits), *money_moved(replace(ctx, deal=deal), list(notes), "credited")]


def credit_notes(
    receivables: Iterable[Receivable], kind: str, amount_minor: int, reason: str, first: str = ""
) -> tuple[list[Event], int]:
    """Credit notes for an amount on invoices for goods, and what no invoice has room for.

    The invoice that is named comes first, then those of the kind, the oldest first: what is open before what was paid,
    which becomes the customer's credit; then the others.
    """
    of_goods = [r for r in receivables if r.kind in set(InvoiceKind)]
    named = [r for r in of_goods if r.number == first]
    same = [r for r in of_goods if r.number != first and r.kind == kind]
    others = [r for r in of_goods if r.number != first and r.kind != kind]
    parts: dict[str, int] = {}
    for group in (named, same, others):
        for beyond in (False, True):
            for r in group:
                taken = parts.get(r.number, 0)
                room = (r.creditable_minor if beyond else min(r.open_minor, r.creditable_minor)) - taken
                part = min(amount_minor, max(0, room))
                parts[r.number] = taken + part
                amount_minor -= part
    notes = [
        CreditGranted(r.number, min(r.open_minor, part), max(0, part - r.open_minor), reason)
        for r in of_goods
        if (part := parts[r.number])
    ]
    return list(notes), amount_minor


def _headroom(ctx: Context, events: list[Event]) -> list[Event]:
    """Headroom that was held for goods which nobody wants any more and which were not billed. What credit notes come to
    was given back with them."""
    if not ctx.deal.headroom_minor:
        return []
    after = after_all(ctx.deal, events, ctx.now)
    fewer = order_worth(ctx.deal) - order_worth(after)
    credited = -sum(total_of(each.lines) for each in events if isinstance(each, GoodsCredited))
    unbilled = fewer - credited
    if unbilled <= 0:
        return []
    return lower_headroom(after, max(0, after.headroom_minor - unbilled), "cancelled")


def is_billed(deal: Deal) -> bool:
    """Whether everything that ought to be billed is."""
    return not targets(deal)


__all__ = ["billed_worth", "credit_notes", "followed", "is_billed"]
