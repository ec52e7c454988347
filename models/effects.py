"""From an effect to the question that a department is asked, and from its answer to the command that reports back."""

from collections.abc import Callable, Iterator
from typing import Any

from models import codec
from models.command import SYSTEM, Command
from models.deal_state import Deal, Effect
from models.instants import DAY, plus
from models.lifecycle.deal_table import DEAL
from models.messages.finance import (
    BrokenPromiseInput,
    GroupHoldInput,
    HeadroomReleaseInput,
    ReliabilityFacts,
    ReliabilityInput,
)
from models.messages.legal import DocumentInput, DocumentResult
from models.messages.logistics import (
    CarriageInput,
    CarriageResult,
    ReleaseInput,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
    StockLine,
)
from models.messages.receivables import (
    InvoiceInput,
    InvoiceLine,
    InvoiceResult,
    LedgerEntryInput,
    LetterInput,
    LetterResult,
)
from models.messages.sales import GrantedDiscountInput
from models.money import share, show
from models.parts.billing import Billing, InvoiceKind
from models.parts.credit import assess
from models.parts.offer import Offer
from models.parts.order import OrderLine
from models.parts.receivable import BilledLine
from models.policy import Policy
from models.stages.group_hold import group_of

EVERYTHING = 10**9

Request = (
    ReliabilityInput
    | HeadroomReleaseInput
    | BrokenPromiseInput
    | GroupHoldInput
    | DocumentInput
    | ReserveInput
    | ReleaseInput
    | ShipInput
    | ReturnInput
    | CarriageInput
    | InvoiceInput
    | LedgerEntryInput
    | LetterInput
    | GrantedDiscountInput
)


def request(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    """The question to the department that carries the effect out. Raises KeyError for an unknown kind."""
    return _REQUESTS[effect.kind](effect, deal, policy, now)


def _reliability(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return ReliabilityInput(deal.id, deal.customer, deal.currency, now)


def _release_headroom(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return HeadroomReleaseInput(effect.key, effect.data["key"], deal.id, effect.data["remaining_minor"], now)


def _broken_promise(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return BrokenPromiseInput(effect.key, deal.id, deal.customer, now)


def _group_hold(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return GroupHoldInput(
        effect_key=effect.key,
        group=group_of(deal),
        deal_id=deal.id,
        customer_id=deal.customer,
        invoice=effect.data["invoice"],
        on=effect.data["on"],
        reason=effect.data["reason"],
        at=now,
        is_test=deal.is_test,
    )


def _granted(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return GrantedDiscountInput(
        effect_key=effect.key,
        deal_id=deal.id,
        customer_id=deal.customer,
        currency=deal.currency,
        list_minor=effect.data["list_minor"],
        discount_minor=effect.data["discount_minor"],
        at=now,
    )


def _document(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    kind, version = effect.data["kind"], effect.data["version"]
    facts = _offer_facts(deal)
    if deal.contract and kind == "contract":
        facts |= {f"clause_{n}": text for n, text in enumerate(deal.contract.special_clauses, start=1)}
    return DocumentInput(effect.key, deal.id, deal.customer, kind, version, facts, now)


def _offer_facts(deal: Deal) -> dict[str, str]:
    offer = deal.offer
    if offer is None:
        return {}
    lines = {
        f"line_{line.line}": f"{line.quantity} x {line.article} {line.description} at "
        f"{show(line.unit_price_minor, offer.currency)}"
        for line in offer.lines
    }
    return {
        "language": offer.language,
        "valid_until": offer.valid_until[:10],
        "payment": "prepaid" if offer.prepaid else f"net {offer.payment_days} days",
        **_billing_facts(offer),
        "delivery": offer.delivery_terms,
        "net": show(offer.net_minor, offer.currency),
        "tax": show(offer.tax_minor, offer.currency),
        "total": show(offer.total_minor, offer.currency),
        "offer_hash": offer.hash,
        **lines,
    }


def _billing_facts(offer: Offer) -> dict[str, str]:
    """How the offer is billed, as far as it is not per delivery."""
    facts: dict[str, str] = {}
    if offer.billing != Billing.DELIVERY:
        facts["billing"] = "one invoice for the order" if offer.billing == Billing.ORDER else "by milestones"
    for number, each in enumerate(offer.milestones, start=1):
        facts[f"milestone_{number}"] = f"{each.name}: {each.share_bps / 100:.2f} %"
    if offer.prepaid_bps:
        facts["prepayment"] = f"{offer.prepaid_bps / 100:.2f} % in advance"
    if offer.prepaid_share and offer.blocks.supply:
        facts["prepayment_before"] = "supply and shipping" if offer.blocks.shipping else "supply"
    return facts


def _stock_lines(deal: Deal, numbers: list[int], *, held: bool = False) -> tuple[StockLine, ...]:
    """What is short on these lines; with `held`, whatever the book holds (no book holds more than EVERYTHING)."""
    order = deal.order
    if order is None:
        return ()
    found = (order.line(number) for number in numbers)
    return tuple(
        StockLine(line.line, line.article, EVERYTHING if held else line.short)
        for line in found
        if line and (held or line.short)
    )


def _reserve(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    lines = _stock_lines(deal, effect.data["lines"])
    until = plus(now, policy.reservation_validity)
    if policy.rules < 2:
        return ReserveInput(effect.key, deal.id, deal.branch, lines, now, until)
    found = (deal.order.line(line.line) for line in lines) if deal.order else iter(())
    since = min((line.short_since for line in found if line and line.short_since), default="")
    return ReserveInput(effect.key, deal.id, deal.branch, lines, now, until, waits=True, since=since)


def _release_lines(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    units = effect.data.get("units")
    if units is None:
        lines = _stock_lines(deal, effect.data["lines"], held=True)
        return ReleaseInput(effect.key, deal.id, now, lines, effect.data["expired"])
    ordered = deal.order.lines if deal.order else ()
    named = ((line, units[str(line.line)]) for line in ordered if str(line.line) in units)
    lines = tuple(StockLine(line.line, line.article, quantity) for line, quantity in named)
    return ReleaseInput(effect.key, deal.id, now, lines, leave_queue=tuple(effect.data["leave"]))


def _take_back(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return ReturnInput(effect.key, deal.id, deal.branch, _named(effect, deal), now)


def _carriage(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    number = effect.data["shipment"]
    shipment = deal.order.shipment(number) if deal.order else None
    parts = [(deal.order.line(part.line), part) for part in shipment.lines] if deal.order and shipment else []
    lines = tuple(StockLine(line.line, line.article, part.quantity) for line, part in parts if line)
    return CarriageInput(
        effect.key, deal.id, number, deal.branch, deal.order.deliver_to if deal.order else "", lines, now
    )


def _named(effect: Effect, deal: Deal) -> tuple[StockLine, ...]:
    order = deal.order
    return tuple(
        StockLine(q["line"], line.article, q["quantity"])
        for q in effect.data["lines"]
        if order and (line := order.line(q["line"]))
    )


def _ship(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return ShipInput(effect.key, deal.id, _named(effect, deal), now)


SETTLED = "settled prepayment"
"""What stands in place of the article where an invoice deducts what was paid in advance."""


def _invoice_lines(line: OrderLine, q: dict[str, int]) -> Iterator[InvoiceLine]:
    """An order line on an invoice, with tax rounded half away from zero, and what is deducted of its prepayment. Under
    the third rules the amounts come with the effect: they are the difference to what was billed before."""
    net = q["net_minor"] if "net_minor" in q else line.unit_price_minor * q["quantity"]
    tax = q["tax_minor"] if "tax_minor" in q else share(net, line.tax_bps)
    yield InvoiceLine(line.line, line.article, max(0, q["quantity"]), net, tax)
    if "settled_net_minor" in q:
        yield InvoiceLine(line.line, SETTLED, 0, -q["settled_net_minor"], -q["settled_tax_minor"])


def _brought(effect: Effect, deal: Deal) -> Request:
    """An invoice of an earlier system: number, amount and dates are its own."""
    d = effect.data
    return InvoiceInput(
        effect.key,
        deal.id,
        deal.customer,
        d["kind"],
        deal.currency,
        (),
        d["total_minor"],
        d["issued_at"],
        d["due_at"],
        d["number"],
    )


def _invoice(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    if "number" in effect.data:
        return _brought(effect, deal)
    order = deal.order
    lines = tuple(
        invoiced
        for q in effect.data["lines"]
        if order and (line := order.line(q["line"]))
        for invoiced in _invoice_lines(line, q)
    )
    days = deal.offer.payment_days if deal.offer else 0
    if effect.data["kind"] == InvoiceKind.PREPAYMENT:
        days = 0 if deal.offer and deal.offer.prepaid_bps else days
    elif order and order.payment_days >= 0:
        days = order.payment_days
    return InvoiceInput(
        effect_key=effect.key,
        deal_id=deal.id,
        customer_id=deal.customer,
        kind=effect.data["kind"],
        currency=deal.currency,
        lines=lines,
        total_minor=sum(line.net_minor + line.tax_minor for line in lines),
        issued_at=now,
        due_at=plus(now, days * DAY),
    )


def _interest_note(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return InvoiceInput(
        effect_key=effect.key,
        deal_id=deal.id,
        customer_id=deal.customer,
        kind="interest",
        currency=deal.currency,
        lines=(),
        total_minor=effect.data["total_minor"],
        issued_at=now,
        due_at=plus(now, policy.interest.payment_days * DAY),
    )


def _entry(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    d = effect.data
    return LedgerEntryInput(
        effect.key,
        deal.id,
        deal.customer,
        d["invoice"],
        d["kind"],
        d["amount_minor"],
        deal.currency,
        d["reference"],
        now,
        d.get("applied_minor", -1),
    )


def _letter(effect: Effect, deal: Deal, policy: Policy, now: str) -> Request:
    return LetterInput(effect.key, deal.id, deal.customer, effect.data["kind"], effect.data["facts"], now)


_REQUESTS: dict[str, Callable[[Effect, Deal, Policy, str], Request]] = {
    "assess_reliability": _reliability,
    "release_headroom": _release_headroom,
    "note_broken_promise": _broken_promise,
    "hold_group": _group_hold,
    "note_granted": _granted,
    "print_document": _document,
    "reserve_lines": _reserve,
    "release_lines": _release_lines,
    "ship_lines": _ship,
    "take_back_lines": _take_back,
    "book_carriage": _carriage,
    "issue_invoice": _invoice,
    "issue_interest_note": _interest_note,
    "book_entry": _entry,
    "send_letter": _letter,
}

KINDS = tuple(_REQUESTS)
"""All kinds of effects."""


def report(effect: Effect, asked: Request, answer: object, deal: Deal, policy: Policy, now: str) -> Command:
    """The engine's command that tells the deal what came of an effect.

    When the deal has moved on and has no use for the answer any more, the effect is merely finished.
    """
    action, payload = _reported(asked, answer, policy, now)
    if action != "finish_effect" and DEAL.row(deal.state, action) is None:
        action, payload = "finish_effect", {}
    return Command(action, SYSTEM, f"effect:{effect.key}", {"effect": effect.key, **payload})


def _reported(asked: Request, answer: object, policy: Policy, now: str) -> tuple[str, dict[str, Any]]:
    match asked, answer:
        case ReliabilityInput(), ReliabilityFacts():
            grade = assess(answer, policy, now).grade
            action = {"A": "pass_check", "B": "pass_check", "E": "reject_check"}.get(grade, "refer_check")
            return action, {"found": codec.encode(answer)}
        case DocumentInput(), DocumentResult():
            return "file_document", {"name": answer.name, "digest": answer.digest}
        case LetterInput(), LetterResult():
            return "file_letter", {"name": answer.name, "digest": answer.digest}
        case ReserveInput(), ReserveResult():
            return "book_reservation", {"lines": codec.encode(answer.lines)}
        case ShipInput(), ShipResult():
            return "book_shipment", {"lines": codec.encode(answer.lines)}
        case CarriageInput(), CarriageResult():
            return "book_carriage", codec.encode(answer)
        case InvoiceInput(), InvoiceResult():
            return "book_invoice", {
                "number": answer.number,
                "kind": asked.kind,
                "total_minor": asked.total_minor,
                "issued_at": asked.issued_at,
                "due_at": asked.due_at,
                **_billed_lines(asked, policy),
            }
        case _:
            return "finish_effect", {}


def _billed_lines(asked: InvoiceInput, policy: Policy) -> dict[str, Any]:
    """What the lines of an invoice cost, tax included: disputes are about them under the third rules."""
    if policy.rules < 3 or not asked.lines:
        return {}
    billed = [
        BilledLine(line.line, line.article, line.quantity, line.net_minor + line.tax_minor) for line in asked.lines
    ]
    return {"lines": codec.encode(billed)}
