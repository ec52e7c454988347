"""What can be done about missing units: every option with its date, cost and margin effect, ranked (D21).

All money is minor units of the deal's currency for the whole quantity; dates are ISO dates.
"""

from collections.abc import Iterator
from dataclasses import replace

from models.calendar import plus_working, working_days
from models.deal_state import Deal
from models.instants import DAY
from models.money import share
from models.parts.order import OrderLine
from models.parts.shortage import Choice, Option, Shortage, Source
from models.policy import Policy

_ORDER = tuple(Choice)
UNKNOWN_DELAY = 60
"""Working days that a date which nobody knows is reckoned as."""


def unit_cost(deal: Deal, line: OrderLine) -> int:
    """Our cost of a unit: the line's own, else that of the offer's line with this number and article, else 0."""
    if line.cost_minor or deal.offer is None:
        return line.cost_minor
    return next((o.cost_minor for o in deal.offer.lines if (o.line, o.article) == (line.line, line.article)), 0)


def options(deal: Deal, line: OrderLine, policy: Policy, now: str) -> tuple[Option, ...]:
    """All options for the missing units of a line, the best first; none when nothing is missing.

    An option's score is its margin effect less what its delay costs; equal scores are settled by the earlier date,
    then by the order of the ladder.
    """
    lasting = line.shortage
    if lasting is None or not lasting.is_active or line.short <= 0:
        return ()
    found = sorted(_possible(deal, line, lasting, policy, now), key=_best_first)
    return tuple(replace(option, rank=rank) for rank, option in enumerate(found, start=1))


def _best_first(option: Option) -> tuple[int, str, int]:
    return (-option.score, option.promised_on or "9999-12-31", _ORDER.index(Choice(option.kind)))


def _possible(deal: Deal, line: OrderLine, lasting: Shortage, policy: Policy, now: str) -> Iterator[Option]:
    desk, free = policy.shortage, policy.holidays_in(deal.country)
    cost, value = unit_cost(deal, line), line.unit_price_minor * line.short
    soon = plus_working(now, desk.handling_days * DAY, free)[:10]
    comes, answered = _comes_on(line, lasting, now[:10]), lasting.answer_on >= now[:10]

    def option(kind: Choice, on: str, extra: int, margin: int, *, late: str | None = None, article: str = "") -> Option:
        delay = _delay(now, on if late is None else late, free)
        score = margin - share(value, desk.delay_bps) * delay
        quantity = line.reserved if kind == Choice.PARTIAL else _units(line, lasting, on)
        return Option(kind.value, on, quantity, extra, margin, score, article=article)

    if lasting.analogue and lasting.analogue_cost_minor >= 0:
        gain = (cost - lasting.analogue_cost_minor) * line.short
        yield option(Choice.ANALOGUE, soon, 0, gain, article=lasting.analogue)
    if comes:
        yield option(Choice.WAIT, comes, 0, 0)
    if line.reserved:
        yield option(Choice.PARTIAL, soon, desk.partial_cost_minor, -desk.partial_cost_minor, late=comes)
    if answered and lasting.answer_source == Source.PRODUCTION:
        extra = share(cost * line.short, desk.production_bps)
        yield option(Choice.PRODUCTION, lasting.answer_on, extra, -extra)
    bought = lasting.answer_on if answered and lasting.answer_source == Source.BUY_IN else ""
    extra = share(cost * line.short, desk.buy_in_bps)
    yield option(Choice.BUY_IN, bought or plus_working(now, desk.buy_in_days * DAY, free)[:10], extra, -extra)
    lost = (line.unit_price_minor - cost) * line.short + share(value, desk.cancel_bps)
    yield option(Choice.CANCEL, "", 0, -lost, late=now[:10])


def _units(line: OrderLine, lasting: Shortage, on: str) -> int:
    """How many of the missing units come on a day: as many as was answered, if it is that day; else all."""
    return min(lasting.answer_quantity, line.short) if on and on == lasting.answer_on else line.short


def _comes_on(line: OrderLine, lasting: Shortage, today: str) -> str:
    """When the units come by themselves: the earlier of what logistics said and what the stock book expects. A day
    that passed without them promises nothing."""
    said = lasting.answer_on if lasting.answer_source == Source.STOCK else ""
    return min((day for day in (said, line.expected_on) if day >= today), default="")


def _delay(now: str, on: str, free: str) -> int:
    return working_days(now, on, free) if on else UNKNOWN_DELAY
