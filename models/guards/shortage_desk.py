"""Guards of the shortage desk, shipments and discrepancy acts."""

from typing import Any

from models.command import Context
from models.lifecycle.guards import guard
from models.parts.billing import InvoiceKind
from models.parts.discrepancy import Discrepancy, Measure
from models.parts.order import OrderLine
from models.parts.shipment import Shipment
from models.parts.shortage import Choice, Shortage
from models.stages.discrepancies import claimed, invoice_of, value_of
from models.stages.fulfilment import gross
from models.stages.order_lines import prebilled_open
from models.stages.shipping import FINAL
from models.stages.shortage import LineNumber
from models.stages.shortage_options import options


def _line(ctx: Context) -> OrderLine | None:
    return ctx.deal.order.line(ctx.payload.line) if ctx.deal.order else None


def _shortage(ctx: Context) -> Shortage | None:
    line = _line(ctx)
    return line.shortage if line and line.shortage and line.shortage.is_active else None


@guard("a deal that started under the rules of the fulfilment desk", "nobody: a deal keeps its rules; open a new one")
def fulfilment_desk_applies(ctx: Context) -> tuple[bool, Any]:
    """Deals keep the generation of rules with which they started."""
    return ctx.policy.rules > 1, f"policy {ctx.policy.version}, rules {ctx.policy.rules}"


@guard("an order line on the shortage ladder", "nobody: nothing is missing", needs="payload")
def line_is_on_the_ladder(ctx: Context) -> tuple[bool, Any]:
    """Only a lasting shortage is talked about."""
    lasting = _shortage(ctx)
    return lasting is not None, f"on rung {lasting.rung}" if lasting else "not short"


@guard("a date, when the customer agrees to wait", "logistics_manager: answer_shortage", needs="payload")
def date_is_known(ctx: Context) -> tuple[bool, Any]:
    """Nobody agrees to wait for an unknown day."""
    line = _line(ctx)
    on = ctx.payload.available_on or (line.expected_on if line else "")
    if on and on < ctx.now[:10]:
        return not ctx.payload.agrees, f"{on} has passed"
    return bool(on) or not ctx.payload.agrees, on or "no date known"


@guard("one of the line's options", "logistics_manager: answer_shortage, for more options", needs="payload")
def option_is_open(ctx: Context) -> tuple[bool, Any]:
    """A person chooses among what is possible."""
    line = _line(ctx)
    found = [o.kind for o in options(ctx.deal, line, ctx.policy, ctx.now)] if line else []
    return ctx.payload.option in found, ", ".join(found) or "no option: nothing is missing"


@guard("a price not above the line's own", "account_manager: the protected price", needs="payload", since=2)
def price_is_protected(ctx: Context) -> tuple[bool, Any]:
    """A substitute never costs the customer more than what was ordered (D21)."""
    line = _line(ctx)
    own = line.unit_price_minor if line else 0
    asked = ctx.payload.unit_price_minor
    return asked <= own, "the line's own price" if asked < 0 else f"{asked} asked, {own} agreed"


def _shipment(ctx: Context) -> Shipment | None:
    return ctx.deal.order.shipment(ctx.payload.shipment) if ctx.deal.order else None


@guard("one of the deal's shipments", "the sender: another number", needs="payload")
def shipment_is_known(ctx: Context) -> tuple[bool, Any]:
    """Carriers tell of what they were given."""
    found = _shipment(ctx)
    return found is not None, f"shipment {found.state}" if found else "no such shipment"


@guard("news that do not contradict how the shipment ended", "a person: look into it", needs="payload")
def news_are_consistent(ctx: Context) -> tuple[bool, Any]:
    """What was delivered did not come back undelivered, and the other way round."""
    found = _shipment(ctx)
    if found is None or ctx.payload.kind not in FINAL or found.state not in FINAL:
        return True, found.state if found else "no such shipment"
    return found.state == ctx.payload.kind, f"the shipment was {found.state} at {found.told_at or found.delivered_at}"


@guard("lines with so many delivered units", "logistics_manager: deliver", needs="payload")
def units_were_delivered(ctx: Context) -> tuple[bool, Any]:
    """Only what arrived can be wrong, and each unit only once."""
    lines = {line.line: line.delivered for line in ctx.deal.order.lines} if ctx.deal.order else {}
    free = {line: delivered - claimed(ctx.deal, line) for line, delivered in lines.items()}
    bad = [f"line {q.line}: {q.quantity} told, {free.get(q.line, 0)} delivered" for q in ctx.payload.lines
           if q.quantity > free.get(q.line, 0)]  # fmt: skip
    return not bad, "; ".join(bad) or "all delivered"


@guard("a shipment that brought these lines, or none named", "the asker: another shipment", needs="payload")
def shipment_fits(ctx: Context) -> tuple[bool, Any]:
    """An act names the shipment that it is about, when somebody knows."""
    if not ctx.payload.shipment:
        return True, "none named"
    found = _shipment(ctx)
    if found is None:
        return False, "no such shipment"
    arrived = {part.line: part.delivered for part in found.lines}
    bad = [str(q.line) for q in ctx.payload.lines if q.quantity > arrived.get(q.line, 0)]
    return not bad, f"it did not bring so much of lines {', '.join(bad)}" if bad else found.state


def _act(ctx: Context) -> Discrepancy | None:
    return ctx.deal.order.discrepancy(ctx.payload.act) if ctx.deal.order else None


@guard("an act that nobody has settled", "nobody: one decision is enough", needs="payload")
def discrepancy_is_open(ctx: Context) -> tuple[bool, Any]:
    """One decision each."""
    act = _act(ctx)
    return act is not None and act.state == "open", act.state if act else "no such act"


@guard("a measure that fits what happened", "account_manager: another measure", needs="payload")
def measure_fits(ctx: Context) -> tuple[bool, Any]:
    """Goods that the carrier brought back were never invoiced: they are sent again or given up."""
    act = _act(ctx)
    if act is None or not act.is_back:
        return True, ctx.payload.measure
    return ctx.payload.measure in (Measure.REDELIVERY, Measure.RETURN), f"{ctx.payload.measure} of what came back"


@guard("an invoice with so much open, for a credit", "accounts_receivable: pays back first", needs="payload")
def credit_fits_the_goods(ctx: Context) -> tuple[bool, Any]:
    """A credit note never exceeds what is owed."""
    act = _act(ctx)
    if act is None or ctx.payload.measure not in (Measure.CREDIT_NOTE, Measure.RETURN):
        return True, "no credit"
    if act.is_back:
        return _given_up_can_be_credited(ctx, act)
    if ctx.policy.rules >= 3:
        return _goods_can_be_credited(ctx, act)
    number = invoice_of(ctx.deal, act, ctx.payload.invoice)
    owed = ctx.deal.receivable(number)
    if owed is None:
        return False, f"no invoice {number}" if number else "no invoice of these goods; name one"
    value = value_of(ctx.deal, act)
    return 0 < value <= owed.open_minor, f"{value} to credit, {owed.open_minor} open on {number}"


def _goods_can_be_credited(ctx: Context, act: Discrepancy) -> tuple[bool, Any]:
    """What was paid becomes the customer's credit; what was not billed yet is billed no more."""
    number, value = ctx.payload.invoice, value_of(ctx.deal, act)
    if number and all((r.number, r.kind) != (number, kind) for r in ctx.deal.receivables for kind in InvoiceKind):
        return False, f"no invoice {number} for goods"
    return value > 0 or ctx.payload.measure == Measure.RETURN, f"{value} to credit"


def _given_up_can_be_credited(ctx: Context, act: Discrepancy) -> tuple[bool, Any]:
    """Units that were on their way to make a billed delivery good are credited when they are given up."""
    if ctx.policy.rules >= 3:
        return True, "credited, as the customer's credit if it was paid"
    found = [(ctx.deal.order.line(q.line), q.quantity) for q in act.lines] if ctx.deal.order else []
    value = sum(gross(line, min(units, prebilled_open(line))) for line, units in found if line)
    left = sum(r.open_minor for r in ctx.deal.receivables if r.kind == "delivery")
    return value <= left, f"{value} minor units invoiced, {left} open"


@guard("no discrepancy that somebody has to decide", "account_manager: settle_discrepancy", since=2)
def no_discrepancy_is_open(ctx: Context) -> tuple[bool, Any]:
    """A deal is not over while the customer waits for a decision about goods."""
    acts = [str(act.number) for act in ctx.deal.order.open_discrepancies] if ctx.deal.order else []
    return not acts, f"acts {', '.join(acts)}" if acts else "none"


@guard("units that are to be supplied again, or on the way", "nobody: everything is delivered")
def something_is_open(ctx: Context) -> tuple[bool, Any]:
    """Fulfilment resumes only when there is something to do."""
    lines = [str(line.line) for line in ctx.deal.order.lines if line.open or line.on_the_way] if ctx.deal.order else []
    return bool(lines), f"lines {', '.join(lines)}" if lines else "nothing"


@guard(
    "open delivery invoices for goods that were invoiced and will not come",
    "accounts_receivable: pays back first",
    needs="payload",
    since=2,
)
def billed_goods_can_be_credited(ctx: Context) -> tuple[bool, Any]:
    """Nobody pays for what is not supplied: what was invoiced with a delivery that had to be made good is credited
    when it is cancelled after all, so there must be something open to credit it on."""
    units = sum(gross(line, prebilled_open(line)) for line in _about_to_be_cancelled(ctx))
    if ctx.policy.rules >= 3:
        return True, f"{units} minor units to credit"
    left = sum(r.open_minor for r in ctx.deal.receivables if r.kind == "delivery")
    return units <= left, f"{units} minor units invoiced, {left} open"


def _about_to_be_cancelled(ctx: Context) -> list[OrderLine]:
    if ctx.deal.order is None:
        return []
    number = getattr(ctx.payload, "line", 0)
    if not number:
        return list(ctx.deal.order.lines)
    line = ctx.deal.order.line(number)
    if line is None or getattr(ctx.payload, "option", Choice.CANCEL) != Choice.CANCEL:
        return []
    lasting = line.shortage
    rung = ctx.policy.shortage.rung(lasting.rung) if lasting and lasting.is_active else None
    goes_on = isinstance(ctx.payload, LineNumber) and rung is not None and rung.next
    return [] if goes_on else [line]
