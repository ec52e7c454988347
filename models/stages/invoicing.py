"""Invoices and credit notes for goods, as events that say what they bill of every line (D27)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.parts.billing import Billed, InvoicedLine, InvoiceKind, Taxed
from models.parts.order import OrderLine
from models.stages.fulfilment import order_of, with_lines
from models.stages.handling import handles


@event
@dataclass(frozen=True, slots=True)
class GoodsBilled(Event):
    """An invoice is to be issued: units, amounts and the settled part of the prepayment by line. One whose lines come
    to nothing is not issued. `subject` is the milestone that it is for, `shipment` the one whose goods arrived."""

    tag = "goods_billed"
    kind: str
    lines: tuple[InvoicedLine, ...]
    subject: str
    shipment: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return _booked(deal, self.kind, self.lines)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        if total_of(self.lines) <= 0:
            return ()
        parts = [_plain(each) for each in self.lines]
        data = {"kind": self.kind, "lines": parts, "subject": self.subject}
        return (Effect("issue_invoice", {**data, "shipment": self.shipment} if self.shipment else data),)


@event
@dataclass(frozen=True, slots=True)
class GoodsCredited(Event):
    """What was billed of lines is taken back: all amounts together are negative. The credit notes follow."""

    tag = "goods_credited"
    kind: str
    lines: tuple[InvoicedLine, ...]
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return _booked(deal, self.kind, self.lines)


@event
@dataclass(frozen=True, slots=True)
class CreditDue(Event):
    """An amount is to be credited on an invoice that does not stand in the book yet (0: nothing more is)."""

    tag = "credit_due"
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, order=replace(order_of(deal), credit_due_minor=self.amount_minor))


@event
@dataclass(frozen=True, slots=True)
class MilestoneReached(Event):
    """A step of the deal was made; its share of the order is invoiced."""

    tag = "milestone_reached"
    name: str

    def apply(self, deal: Deal, at: str) -> Deal:
        order = order_of(deal)
        return replace(deal, order=replace(order, reached=(*order.reached, self.name)))


@dataclass(frozen=True, slots=True)
class ReachMilestone:
    """The milestone that was reached, by its name."""

    name: str


def total_of(lines: tuple[InvoicedLine, ...]) -> int:
    """What the lines of an invoice come to, tax included, in minor units."""
    return sum(each.total_minor for each in lines)


def _plain(each: InvoicedLine) -> dict[str, int]:
    plain = {"line": each.line, "quantity": each.quantity, "net_minor": each.net_minor, "tax_minor": each.tax_minor}
    if each.settled_net_minor or each.settled_tax_minor:
        plain |= {"settled_net_minor": each.settled_net_minor, "settled_tax_minor": each.settled_tax_minor}
    return plain


def _booked(deal: Deal, kind: str, lines: tuple[InvoicedLine, ...]) -> Deal:
    parts = {each.line: each for each in lines}

    def book(line: OrderLine) -> OrderLine:
        part = parts.get(line.line)
        if part is None:
            return line
        amount, was = Taxed(part.net_minor, part.tax_minor), line.billed
        if kind == InvoiceKind.PREPAYMENT:
            return replace(line, billed=Billed(was.goods, was.prepaid + amount, was.settled))
        settled = Taxed(part.settled_net_minor, part.settled_tax_minor)
        return replace(line, billed=Billed(was.goods + amount, was.prepaid, was.settled + settled))

    return with_lines(deal, book)


@handles("reach_milestone", ReachMilestone)
def reach_milestone(ctx: Context) -> list[Event]:
    """The invoice follows from it."""
    return [MilestoneReached(ctx.payload.name)]
