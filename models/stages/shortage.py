"""Out of stock: tell the customer, propose an analogue, ask logistics, cancel last (D21)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.messages.sales import QuoteInput, QuoteLine
from models.parts.order import OrderLine
from models.stages import order_lines
from models.stages.fulfilment import (
    LinesCancelled,
    ReservationAsked,
    order_of,
    release_effect,
    reserve_effect,
    with_lines,
)
from models.stages.handling import handles


@dataclass(frozen=True, slots=True)
class LineNumber:
    """The order line that is meant."""

    line: int


@dataclass(frozen=True, slots=True)
class CancelLine:
    """The order line to cancel, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerShortage:
    """What logistics found: `available_on` (a date, empty for "can't be sourced") and the quantity."""

    line: int
    available_on: str = ""
    quantity: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        if self.available_on:
            day_start(self.available_on)
        if not 0 <= self.quantity <= 10**7:
            raise ValueError("quantity must be from 0 to 10000000")


@dataclass(frozen=True, slots=True)
class ProposeAnalogue:
    """The substitute for a line. `unit_price_minor` -1 keeps the line's own price (price protection)."""

    line: int
    article: str
    unit_price_minor: int = -1

    def __post_init__(self) -> None:
        if not -1 <= self.unit_price_minor <= 10**10:
            raise ValueError("unit_price_minor must be from 0 to 10000000000, or -1 for the line's own price")


@dataclass(frozen=True, slots=True)
class Consent:
    """The customer's answer on the substitute of a line: how it was given, by which function."""

    line: int
    channel: str
    given_by: str

    def __post_init__(self) -> None:
        if not self.channel.strip() or not self.given_by.strip():
            raise ValueError("channel and given_by say how and by which function consent was given")


@event
@dataclass(frozen=True, slots=True)
class ShortageEscalated(Event):
    """Logistics has to answer for this line."""

    tag = "shortage_escalated"
    line: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, _for_line(self.line, lambda line: replace(line, asked_logistics_at=at)))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        line = order_of(deal).line(self.line)
        day = line.expected_on if line and line.expected_on else "to be told"
        facts = {"article": line.article if line else "", "available_on": day}
        return (Effect("send_letter", {"kind": "availability_date", "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class ShortageAnswered(Event):
    """Logistics answered with a date and a quantity, or with no."""

    tag = "shortage_answered"
    line: int
    available_on: str
    quantity: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def answer(line: OrderLine) -> OrderLine:
            return replace(line, expected_on=self.available_on, asked_logistics_at=line.asked_logistics_at or at)

        return with_lines(deal, _for_line(self.line, answer))


@event
@dataclass(frozen=True, slots=True)
class AnalogueProposed(Event):
    """The customer is asked to take another article."""

    tag = "analogue_proposed"
    line: int
    article: str
    description: str
    unit_price_minor: int
    tax_bps: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def propose(line: OrderLine) -> OrderLine:
            return replace(
                line,
                proposed_article=self.article,
                proposed_description=self.description,
                proposed_price_minor=self.unit_price_minor,
                proposed_tax_bps=self.tax_bps,
            )

        return with_lines(deal, _for_line(self.line, propose))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        line = order_of(deal).line(self.line)
        facts = {"article": line.article if line else "", "analogue": self.article}
        return (Effect("send_letter", {"kind": "analogue_proposal", "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class AnalogueAccepted(Event):
    """The customer takes the substitute: a new line replaces what is open of the old one."""

    tag = "analogue_accepted"
    line: int
    new_line: int
    quantity: int
    channel: str
    given_by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        old = order_of(deal).line(self.line)
        if old is None:
            return deal
        added = OrderLine(
            line=self.new_line,
            article=old.proposed_article,
            description=old.proposed_description,
            ordered=self.quantity,
            unit_price_minor=old.proposed_price_minor,
            tax_bps=old.proposed_tax_bps,
            replaces=self.line,
        )
        changed = with_lines(deal, _for_line(self.line, order_lines.substitute))
        order = order_of(changed)
        return replace(changed, order=replace(order, lines=(*order.lines, added)))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (release_effect(deal, (self.line,)), *reserve_effect((self.new_line,)))


@event
@dataclass(frozen=True, slots=True)
class AnalogueDeclined(Event):
    """The customer wants the original article."""

    tag = "analogue_declined"
    line: int
    channel: str
    given_by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, _for_line(self.line, lambda line: replace(line, proposed_article="")))


def _for_line(number: int, change: order_lines.LineChange) -> order_lines.LineChange:
    return lambda line: change(line) if line.line == number else line


def ask_analogue_quote(ctx: Context) -> QuoteInput:
    """The price list's view of the substitute."""
    line = ctx.deal.order.line(ctx.payload.line) if ctx.deal.order else None
    wanted = (QuoteLine(ctx.payload.article, line.open if line else 1),)
    return QuoteInput(ctx.deal.id, ctx.deal.customer, ctx.deal.currency, wanted, ctx.now)


@handles("retry_reservation")
def retry_reservation(ctx: Context) -> list[Event]:
    """Ask the stock book again for every line that is short."""
    return [ReservationAsked(tuple(line.line for line in order_of(ctx.deal).short_lines))]


@handles("escalate_shortage", LineNumber)
def escalate_shortage(ctx: Context) -> list[Event]:
    """Logistics gets the request through the agenda; the customer is told what is known."""
    return [ShortageEscalated(ctx.payload.line)]


@handles("answer_shortage", AnswerShortage)
def answer_shortage(ctx: Context) -> list[Event]:
    """Keep the answer; on the date the stock book is asked again."""
    p: AnswerShortage = ctx.payload
    return [ShortageAnswered(p.line, p.available_on, p.quantity)]


@handles("propose_analogue", ProposeAnalogue, fact="quote", ask=ask_analogue_quote)
def propose_analogue(ctx: Context) -> list[Event]:
    """At the line's own price unless another is named."""
    p: ProposeAnalogue = ctx.payload
    line = order_of(ctx.deal).line(p.line)
    quoted = ctx.facts.quote.lines[0] if ctx.facts.quote else None
    if line is None or quoted is None:
        return []
    price = line.unit_price_minor if p.unit_price_minor < 0 else p.unit_price_minor
    return [AnalogueProposed(p.line, p.article, quoted.description, price, quoted.tax_bps)]


@handles("accept_analogue", Consent)
def accept_analogue(ctx: Context) -> list[Event]:
    """A new line replaces what is open."""
    order = order_of(ctx.deal)
    line = order.line(ctx.payload.line)
    quantity = line.open if line else 0
    number = max(each.line for each in order.lines) + 1
    return [AnalogueAccepted(ctx.payload.line, number, quantity, ctx.payload.channel, ctx.payload.given_by)]


@handles("decline_analogue", Consent)
def decline_analogue(ctx: Context) -> list[Event]:
    """The line stays short."""
    return [AnalogueDeclined(ctx.payload.line, ctx.payload.channel, ctx.payload.given_by)]


@handles("cancel_line", CancelLine)
def cancel_line(ctx: Context) -> list[Event]:
    """Only when nothing else helps."""
    return [LinesCancelled((ctx.payload.line,), ctx.payload.reason)]
