"""The ladder of an out-of-stock line: who is asked on which rung, until when, and what follows silence (D21, D25)."""

from collections.abc import Callable
from dataclasses import dataclass

from models.calendar import plus_working
from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.lifecycle.roles import Role
from models.parts.order import OrderLine
from models.parts.shortage import Choice, Option, RungVisit, Shortage
from models.policy import ShortageRung
from models.stages import order_lines
from models.stages.fulfilment import cancelling, money_back, order_of, release_quantities, with_lines
from models.stages.order_lines import LineChange
from models.stages.shortage_options import options

ShortageChange = Callable[[Shortage], Shortage]

OTHER_DEPARTMENTS = (Role.LOGISTICS_MANAGER, Role.PRODUCTION)
"""Roles whose silence is told to the head of sales (D25)."""

TELL, PROPOSE, PARTIAL, CHOOSE, WAIT, BUY_IN, CANCEL = (
    "tell_customer", "propose_analogue", "offer_partial", "choose", "wait", "buy_in", "cancel"
)  # fmt: skip
"""Rungs that the engine itself knows how to leave; others are merely somebody's turn to answer."""


@event
@dataclass(frozen=True, slots=True)
class ShortageOpened(Event):
    """Units of a line are missing: somebody has to answer until `due_at`."""

    tag = "shortage_opened"
    line: int
    rung: str
    role: str
    due_at: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def open_(line: OrderLine) -> OrderLine:
            before = line.shortage.visits if line.shortage else ()
            visit = RungVisit(len(before) + 1, self.rung, self.role, at, self.due_at)
            return replace(line, shortage=Shortage(at, self.rung, self.role, self.due_at, (*before, visit)))

        return with_lines(deal, for_line(self.line, open_))


@event
@dataclass(frozen=True, slots=True)
class RungEntered(Event):
    """The next one is asked. `late` says that the one before did not answer in time, which the head is told."""

    tag = "rung_entered"
    line: int
    rung: str
    role: str
    due_at: str
    late: bool

    def apply(self, deal: Deal, at: str) -> Deal:
        def enter(lasting: Shortage) -> Shortage:
            visits = lasting.visits
            if self.late and visits:
                visits = (*visits[:-1], replace(visits[-1], escalated_at=at))
            visit = RungVisit(len(visits) + 1, self.rung, self.role, at, self.due_at)
            return replace(lasting, rung=self.rung, role=self.role, due_at=self.due_at, visits=(*visits, visit))

        return with_lines(deal, for_shortage(self.line, enter))


@event
@dataclass(frozen=True, slots=True)
class RungAnswered(Event):
    """Somebody answered what was asked on a rung, in time or late."""

    tag = "rung_answered"
    line: int
    visit: int
    by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def answer(lasting: Shortage) -> Shortage:
            visits = tuple(
                replace(v, answered_at=at, answered_by=self.by) if v.number == self.visit else v for v in lasting.visits
            )
            return replace(lasting, visits=visits)

        return with_lines(deal, for_shortage(self.line, answer))


@event
@dataclass(frozen=True, slots=True)
class SourceNamed(Event):
    """Somebody said when missing units come and from where; an empty date is a no."""

    tag = "source_named"
    line: int
    available_on: str
    quantity: int
    source: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def name(lasting: Shortage) -> Shortage:
            if not self.available_on:
                return lasting
            return replace(
                lasting, answer_on=self.available_on, answer_quantity=self.quantity, answer_source=self.source
            )

        return with_lines(deal, for_shortage(self.line, name))


@event
@dataclass(frozen=True, slots=True)
class AnaloguePriced(Event):
    """What the price list says of the substitute that the stock book named."""

    tag = "analogue_priced"
    line: int
    article: str
    cost_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def price(lasting: Shortage) -> Shortage:
            return replace(lasting, analogue=self.article, analogue_cost_minor=self.cost_minor)

        return with_lines(deal, for_shortage(self.line, price))


@event
@dataclass(frozen=True, slots=True)
class CustomerTold(Event):
    """The customer is told when the goods will be there (an empty date: as soon as we know)."""

    tag = "customer_told"
    line: int
    available_on: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, for_shortage(self.line, lambda lasting: replace(lasting, told_on=at[:10])))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        line = order_of(deal).line(self.line)
        facts = {"article": line.article if line else "", "available_on": self.available_on or "to be told"}
        return (Effect("send_letter", {"kind": "availability_date", "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class OptionChosen(Event):
    """What is done about the missing units, with what it costs and promises."""

    tag = "option_chosen"
    line: int
    option: Option
    by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def choose(lasting: Shortage) -> Shortage:
            return replace(lasting, choice=self.option.kind, promised_on=self.option.promised_on)

        return with_lines(deal, for_shortage(self.line, choose))


@event
@dataclass(frozen=True, slots=True)
class MissingCancelled(Event):
    """The missing units of a line will not come; the reserved ones are shipped."""

    tag = "missing_cancelled"
    line: int
    quantity: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def cancel(line: OrderLine) -> OrderLine:
            return order_lines.with_shortage_ended(order_lines.give_up(line, self.quantity), at, "cancelled")

        return with_lines(deal, for_line(self.line, cancel))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return release_quantities({}, (self.line,))


def for_line(number: int, change: LineChange) -> LineChange:
    """The change of one line among all."""
    return lambda line: change(line) if line.line == number else line


def for_shortage(number: int, change: ShortageChange) -> LineChange:
    """The change of one line's shortage; a line that never was short stays as it is."""

    def changed(line: OrderLine) -> OrderLine:
        return replace(line, shortage=change(line.shortage)) if line.shortage else line

    return for_line(number, changed)


def opened(ctx: Context) -> list[Event]:
    """What follows when lines are short: a shortage begins, or goes on with what the stock book and the price list
    said of a substitute."""
    events: list[Event] = []
    costs = {line.article: line.cost_minor for line in ctx.facts.quote.lines if line.known} if ctx.facts.quote else {}
    for line in order_of(ctx.deal).short_lines:
        lasting = line.shortage
        if lasting is None or not lasting.is_active:
            first = _applicable(line, ctx.policy.shortage.ladder[0].name, line.analogue, ctx)
            events.append(ShortageOpened(line.line, first.name, first.role, _due(ctx, first)))
        known = lasting.analogue if lasting and lasting.is_active else ""
        if line.analogue in costs and line.analogue != known:
            events.append(AnaloguePriced(line.line, line.analogue, costs[line.analogue]))
    return events


def entered(ctx: Context, line: OrderLine, name: str, *, until: str = "", late: bool = False) -> Event:
    """The event that puts a line on a rung, or on the next one that makes sense for it."""
    rung = _applicable(line, name, line.shortage.analogue if line.shortage else "", ctx)
    return RungEntered(line.line, rung.name, rung.role, until or _due(ctx, rung), late)


def next_rung(ctx: Context, line: OrderLine) -> list[Event]:
    """On to the next one, as nobody had an answer: the engine does what it can do by itself first."""
    lasting = line.shortage
    rung = ctx.policy.shortage.rung(lasting.rung) if lasting else None
    if lasting is None or rung is None:
        return []
    late = ctx.now >= lasting.due_at and lasting.role in OTHER_DEPARTMENTS and not lasting.visits[-1].answered_at
    if rung.name == CHOOSE and (best := policy_choice(ctx, line)):
        return chosen(ctx, line, best, "policy")
    told: list[Event] = [CustomerTold(line.line, expected(line, ctx.now))] if rung.name == TELL else []
    if not rung.next:
        return [*told, *cancelled(ctx, line)]
    return [*told, entered(ctx, line, rung.next, late=late)]


def expected(line: OrderLine, now: str) -> str:
    """The day on which the stock book expects the units; a day that passed without them tells nothing."""
    return line.expected_on if line.expected_on >= now[:10] else ""


def policy_choice(ctx: Context, line: OrderLine) -> Option | None:
    """The best option that the policy may take without asking anybody; None when it may take none, or when even
    cancelling would be better, which only people decide."""
    able = ctx.policy.shortage.chosen_by_policy
    ranked = options(ctx.deal, line, ctx.policy, ctx.now)
    first = next((o for o in ranked if o.kind in able or o.kind == Choice.CANCEL), None)
    return None if first is None or first.kind == Choice.CANCEL else first


def chosen(ctx: Context, line: OrderLine, option: Option, by: str) -> list[Event]:
    """What follows from a choice: the customer is told, and the line stands on the rung where that is waited for."""
    took = OptionChosen(line.line, option, by)
    if option.kind == Choice.CANCEL:
        return [took, *cancelled(ctx, line)]
    if option.kind == Choice.ANALOGUE:
        return [took, entered(ctx, line, PROPOSE)]
    rung = BUY_IN if option.kind in (Choice.BUY_IN, Choice.PRODUCTION) else WAIT
    promised = _promised(ctx, line, option)
    told = CustomerTold(line.line, promised)
    if not promised:
        return [took, told, entered(ctx, line, rung)]
    holidays = ctx.policy.holidays_in(ctx.deal.country)
    until = plus_working(f"{promised}T18:00:00Z", ctx.policy.shortage.grace, holidays)
    return [took, told, entered(ctx, line, rung, until=max(until, ctx.now))]


def _promised(ctx: Context, line: OrderLine, option: Option) -> str:
    """The date of the missing units; a partial delivery promises its first part soon and the rest when it comes."""
    if option.kind != Choice.PARTIAL:
        return option.promised_on
    wait = (o.promised_on for o in options(ctx.deal, line, ctx.policy, ctx.now) if o.kind == Choice.WAIT)
    return next(wait, "")


def cancelled(ctx: Context, line: OrderLine) -> list[Event]:
    """The last resort, for what is missing: what is reserved is still the customer's."""
    if not line.reserved:
        return cancelling(ctx, (line.line,), "out of stock")
    return [MissingCancelled(line.line, line.short), *money_back(ctx, [(line, line.short)], "out of stock")]


def _applicable(line: OrderLine, name: str, analogue: str, ctx: Context) -> ShortageRung:
    """The named rung, or the first after it that makes sense: nobody proposes what there is not."""
    desk = ctx.policy.shortage
    rung = desk.rung(name)
    while rung and rung.next and _is_pointless(rung.name, line, analogue):
        rung = desk.rung(rung.next)
    if rung is None:
        raise ValueError(f"the shortage ladder has no rung {name!r}")
    return rung


def _is_pointless(name: str, line: OrderLine, analogue: str) -> bool:
    return (name == PROPOSE and not analogue) or (name == PARTIAL and not line.reserved)


def _due(ctx: Context, rung: ShortageRung) -> str:
    return plus_working(ctx.now, rung.answer, ctx.policy.holidays_in(ctx.deal.country))
