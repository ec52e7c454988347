"""Reserving goods for order lines: what the stock book answered, expiry, and asking again (D20)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from models.command import Context
from models.deal_state import Deal
from models.event import Event
from models.instants import plus
from models.messages.logistics import ReservedLine
from models.messages.sales import QuoteInput, QuoteLine
from models.parts.order import OrderLine
from models.stages import shortage_ladder
from models.stages.amending import LineUnits, UnitsReleased
from models.stages.everywhere import DueItem, EffectFinished
from models.stages.fulfilment import LinesReserved, ReservationAsked, ReservationExpired, order_of
from models.stages.handling import handles


@dataclass(frozen=True, slots=True)
class ReservationReport:
    """The stock book's answer, for the effect that asked."""

    effect: str
    lines: tuple[ReservedLine, ...]


def by_place_in_queue(lines: Iterable[OrderLine]) -> list[tuple[int, ...]]:
    """Lines that have waited equally long, together: nobody gets a better place in the queue through a neighbour."""
    waiting = sorted(lines, key=lambda line: (line.short_since, line.line))
    groups = groupby(waiting, key=lambda line: line.short_since)
    return [tuple(line.line for line in together) for _, together in groups]


def ask_again(lines: Iterable[OrderLine]) -> list[Event]:
    """Ask the stock book for lines."""
    return [ReservationAsked(together) for together in by_place_in_queue(lines)]


def ask_analogue_prices(ctx: Context) -> QuoteInput | None:
    """What the price list says of the substitutes that the stock book named, for the ranking of options."""
    if ctx.policy.rules < 2:
        return None
    named = {a.analogue: a.short for a in ctx.payload.lines if a.short and a.analogue}
    if not named:
        return None
    wanted = tuple(QuoteLine(article, quantity) for article, quantity in sorted(named.items()))
    return QuoteInput(ctx.deal.id, ctx.deal.customer, ctx.deal.currency, wanted, ctx.now)


@handles("book_reservation", ReservationReport, asks={"quote": ask_analogue_prices})
def book_reservation(ctx: Context) -> list[Event]:
    """Lines are reserved or short; a short one goes on the first rung of the shortage ladder."""
    until = plus(ctx.now, ctx.policy.reservation_validity)
    reserved = LinesReserved(until, ctx.payload.lines)
    events: list[Event] = [EffectFinished(ctx.payload.effect), reserved]
    if ctx.policy.rules < 2:
        return events
    return [*events, *_surplus(ctx), *shortage_ladder.opened(replace_deal(ctx, reserved.apply(ctx.deal, ctx.now)))]


def _surplus(ctx: Context) -> list[Event]:
    """Units that the stock book reserved while the line shrank: they go back to the shelf."""
    surplus = []
    for answer in ctx.payload.lines:
        line = order_of(ctx.deal).line(answer.line)
        if line and (units := line.reserved + answer.reserved - line.open) > 0:
            surplus.append(LineUnits(line.line, min(units, answer.reserved)))
    return [UnitsReleased(tuple(surplus), ())] if surplus else []


def replace_deal(ctx: Context, deal: Deal) -> Context:
    """The same request, looked at after some of its events."""
    return Context(deal, ctx.actor, ctx.role, ctx.payload, ctx.facts, ctx.policy, ctx.now)


@handles("expire_reservation", DueItem)
def expire_reservation(ctx: Context) -> list[Event]:
    """Give back what is held too long, and ask again."""
    held = [
        line
        for line in order_of(ctx.deal).lines
        if line.reserved and line.reserved_until and line.reserved_until <= ctx.now
    ]
    if ctx.policy.rules < 2:
        return [ReservationExpired(tuple(line.line for line in held))]
    return [ReservationExpired(lines) for lines in by_place_in_queue(held)]


@handles("retry_reservation")
def retry_reservation(ctx: Context) -> list[Event]:
    """Ask the stock book again for every line that is short."""
    short = order_of(ctx.deal).short_lines
    return ask_again(short) if ctx.policy.rules > 1 else [ReservationAsked(tuple(line.line for line in short))]
