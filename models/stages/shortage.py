"""Out of stock: tell the customer, propose an analogue, ask logistics, cancel last (D21)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.lifecycle.roles import Role
from models.messages.sales import QuoteInput, QuoteLine
from models.parts.order import OrderLine
from models.parts.shortage import Choice, Option, Source
from models.stages import order_lines
from models.stages.fulfilment import cancelling, order_of, release_effect, reserve_effect, with_lines
from models.stages.handling import handles
from models.stages.shortage_ladder import (
    CHOOSE,
    PROPOSE,
    TELL,
    WAIT,
    AnaloguePriced,
    CustomerTold,
    RungAnswered,
    SourceNamed,
    chosen,
    entered,
    expected,
    for_line,
    next_rung,
)
from models.stages.shortage_options import options


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
    """What logistics or production found: `available_on` (a date, empty for "can't be sourced"), the quantity (0: all
    that is missing) and where the units come from."""

    line: int
    available_on: str = ""
    quantity: int = 0
    note: str = ""
    source: Source = Source.STOCK

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


@dataclass(frozen=True, slots=True)
class TellCustomer:
    """The customer was told when the goods will be there: `available_on` (empty: what is known now), over which
    channel, and whether the customer agrees to wait."""

    line: int
    channel: str
    available_on: str = ""
    agrees: bool = False

    def __post_init__(self) -> None:
        if not self.channel.strip():
            raise ValueError("channel says how the customer was told")
        if self.available_on:
            day_start(self.available_on)


@dataclass(frozen=True, slots=True)
class ChooseOption:
    """What is to be done about a line: one of its options."""

    line: int
    option: Choice


@event
@dataclass(frozen=True, slots=True)
class ShortageEscalated(Event):
    """Logistics has to answer for this line."""

    tag = "shortage_escalated"
    line: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, for_line(self.line, lambda line: replace(line, asked_logistics_at=at)))

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

        return with_lines(deal, for_line(self.line, answer))


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

        return with_lines(deal, for_line(self.line, propose))

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

        def substitute(line: OrderLine) -> OrderLine:
            return order_lines.with_shortage_ended(order_lines.substitute(line), at, "substituted")

        changed = with_lines(deal, for_line(self.line, substitute))
        order = order_of(changed)
        return replace(changed, order=replace(order, lines=(*order.lines, added)))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (release_effect(deal, (self.line,)), *reserve_effect((self.new_line,)))


@event
@dataclass(frozen=True, slots=True)
class LineCosted(Event):
    """What a unit of a line that the offer does not know costs us, in minor units."""

    tag = "line_costed"
    line: int
    cost_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, for_line(self.line, lambda line: replace(line, cost_minor=self.cost_minor)))


@event
@dataclass(frozen=True, slots=True)
class AnalogueDeclined(Event):
    """The customer wants the original article."""

    tag = "analogue_declined"
    line: int
    channel: str
    given_by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, for_line(self.line, lambda line: replace(line, proposed_article="")))


def ask_analogue_quote(ctx: Context) -> QuoteInput:
    """The price list's view of the substitute."""
    line = ctx.deal.order.line(ctx.payload.line) if ctx.deal.order else None
    wanted = (QuoteLine(ctx.payload.article, line.open if line else 1),)
    return QuoteInput(ctx.deal.id, ctx.deal.customer, ctx.deal.currency, wanted, ctx.now)


def line_of(ctx: Context) -> OrderLine:
    """The line that the payload names; a guard saw to it that there is one."""
    line = order_of(ctx.deal).line(ctx.payload.line)
    if line is None:
        raise ValueError(f"order line {ctx.payload.line} does not exist")
    return line


SELLING = (Role.ACCOUNT_MANAGER, Role.HEAD_OF_SALES)


def answered(ctx: Context, line: OrderLine, *roles: str) -> list[Event]:
    """Somebody of these roles had to answer on a rung and does so now, in time or late: the latest visit counts."""
    visits = line.shortage.visits if line.shortage else ()
    if roles == SELLING:  # our own silence is over with the next rung; another department's answer is worth having late
        visits = visits[-1:]
    asked = [v for v in visits if v.role in roles and not v.answered_at]
    return [RungAnswered(line.line, asked[-1].number, ctx.actor.user)] if asked else []


def _supplier(ctx: Context, line: OrderLine) -> str:
    """For which department somebody answers: the one that is asked now if it is theirs, else their own."""
    if line.shortage and line.shortage.role in ctx.actor.roles:
        return line.shortage.role
    return Role.PRODUCTION if ctx.role == Role.PRODUCTION else Role.LOGISTICS_MANAGER


@handles("escalate_shortage", LineNumber)
def escalate_shortage(ctx: Context) -> list[Event]:
    """On to the next rung of the ladder, when nobody answered or somebody can't wait."""
    if ctx.policy.rules < 2:
        return [ShortageEscalated(ctx.payload.line)]
    return next_rung(ctx, line_of(ctx))


@handles("tell_customer", TellCustomer)
def tell_customer(ctx: Context) -> list[Event]:
    """The customer knows; who agrees to wait is waited for, for everybody else the ladder goes on."""
    p: TellCustomer = ctx.payload
    line = line_of(ctx)
    on = p.available_on or expected(line, ctx.now)
    done = answered(ctx, line, *SELLING)
    if p.agrees:
        wait = _option(ctx, line, Choice.WAIT) or Option(Choice.WAIT.value, on, line.short, 0, 0, 0)
        return [*done, *chosen(ctx, line, replace(wait, promised_on=on), ctx.actor.user)]
    told = CustomerTold(p.line, on)
    here = line.shortage is not None and line.shortage.rung == TELL
    return [*done, told, *(e for e in next_rung(ctx, line) if here and not isinstance(e, CustomerTold))]


@handles("answer_shortage", AnswerShortage)
def answer_shortage(ctx: Context) -> list[Event]:
    """A date leads to the choice among the options, however late it comes; a no leads to the next who may know."""
    p: AnswerShortage = ctx.payload
    if ctx.policy.rules < 2:
        return [ShortageAnswered(p.line, p.available_on, p.quantity)]
    line = line_of(ctx)
    named = SourceNamed(p.line, p.available_on, min(p.quantity or line.short, line.short), p.source.value)
    role = _supplier(ctx, line)
    events = [*answered(ctx, line, role), named]
    lasting = line.shortage
    if lasting is None:
        return events
    if not p.available_on:
        return [*events, *next_rung(ctx, line)] if lasting.role == role else events
    settled = lasting.rung == WAIT and lasting.promised_on and lasting.promised_on <= p.available_on
    return events if settled or lasting.rung == CHOOSE else [*events, entered(ctx, line, CHOOSE)]


@handles("propose_analogue", ProposeAnalogue, asks={"quote": ask_analogue_quote})
def propose_analogue(ctx: Context) -> list[Event]:
    """At the line's own price unless another is named."""
    p: ProposeAnalogue = ctx.payload
    line = order_of(ctx.deal).line(p.line)
    quoted = ctx.facts.quote.lines[0] if ctx.facts.quote else None
    if line is None or quoted is None:
        return []
    price = line.unit_price_minor if p.unit_price_minor < 0 else p.unit_price_minor
    proposed = AnalogueProposed(p.line, p.article, quoted.description, price, quoted.tax_bps)
    if ctx.policy.rules < 2:
        return [proposed]
    return [AnaloguePriced(p.line, p.article, quoted.cost_minor), proposed]


@handles("accept_analogue", Consent)
def accept_analogue(ctx: Context) -> list[Event]:
    """A new line replaces what is open."""
    order = order_of(ctx.deal)
    line = order.line(ctx.payload.line)
    quantity = line.open if line else 0
    number = max(each.line for each in order.lines) + 1
    accepted = AnalogueAccepted(ctx.payload.line, number, quantity, ctx.payload.channel, ctx.payload.given_by)
    if line is None or line.shortage is None:
        return [accepted]
    cost = line.shortage.analogue_cost_minor if line.shortage.analogue == line.proposed_article else -1
    return [*answered(ctx, line, *SELLING), accepted, *([LineCosted(number, cost)] if cost > 0 else [])]


@handles("decline_analogue", Consent)
def decline_analogue(ctx: Context) -> list[Event]:
    """The line stays short; when the ladder waited for this answer, it goes on."""
    declined = AnalogueDeclined(ctx.payload.line, ctx.payload.channel, ctx.payload.given_by)
    line = line_of(ctx)
    if line.shortage is None or line.shortage.rung != PROPOSE:
        return [declined]
    return [*answered(ctx, line, *SELLING), declined, *next_rung(ctx, line)]


@handles("choose_option", ChooseOption)
def choose_option(ctx: Context) -> list[Event]:
    """A person chooses among the options, the best or not."""
    line = line_of(ctx)
    option = _option(ctx, line, ctx.payload.option)
    return [*answered(ctx, line, *SELLING), *chosen(ctx, line, option, ctx.actor.user)] if option else []


def _option(ctx: Context, line: OrderLine, kind: str) -> Option | None:
    return next((o for o in options(ctx.deal, line, ctx.policy, ctx.now) if o.kind == kind), None)


@handles("cancel_line", CancelLine)
def cancel_line(ctx: Context) -> list[Event]:
    """Only when nothing else helps."""
    return cancelling(ctx, (ctx.payload.line,), ctx.payload.reason)
