"""What an amendment comes to before anybody decides, and what is done when it is confirmed (D26)."""

from collections.abc import Iterable

from models.calendar import plus_working
from models.command import Context
from models.deal_state import Deal
from models.event import Event
from models.instants import plus
from models.messages.finance import HeadroomInput
from models.messages.sales import QuotedLine, QuoteInput, QuoteLine
from models.money import share
from models.parts.amendment import AmendedLine, Amendment, ChangeKind
from models.parts.order import Order, OrderLine
from models.stages.amending import (
    AmendmentDecided,
    AmendmentRequested,
    Change,
    ConfirmAmendment,
    LineUnits,
    OrderAmended,
    PrepaymentAsked,
    RequestAmendment,
    UnitsReleased,
)
from models.stages.everywhere import Reason
from models.stages.fulfilment import EnterOrder, agreed_terms, order_of
from models.stages.group_hold import ask_group_holds
from models.stages.handling import handles
from models.stages.headroom import HeadroomReserved, lower_headroom
from models.stages.receivables import credits_of
from models.stages.reserving import ask_again
from models.stages.shortage_options import unit_cost

Quotes = dict[str, QuotedLine]


def changes_of_entry(deal: Deal, entered: EnterOrder) -> tuple[Change, ...]:
    """What an entered order has otherwise than the contract: by article, then the terms."""
    changes: list[Change] = []
    typed = {line.article: line for line in entered.lines}
    agreed = {line.article: line for line in order_of(deal).lines if line.open}
    for article, line in agreed.items():
        wanted = typed.get(article)
        if wanted is None:
            changes.append(Change(ChangeKind.DROP, line.line))
            continue
        if wanted.quantity != line.ordered:
            changes.append(Change(ChangeKind.QUANTITY, line.line, quantity=wanted.quantity))
        if wanted.unit_price_minor != line.unit_price_minor:
            changes.append(Change(ChangeKind.PRICE, line.line, unit_price_minor=wanted.unit_price_minor))
    for article, new in typed.items():
        if article not in agreed:
            changes.append(Change(ChangeKind.ADD, 0, article, new.quantity, new.unit_price_minor))
    days, terms = agreed_terms(deal)
    if entered.payment_days not in (-1, days):
        changes.append(Change(ChangeKind.PAYMENT_DAYS, text=str(entered.payment_days)))
    if entered.delivery_terms not in ("", terms):
        changes.append(Change(ChangeKind.DELIVERY_TERMS, text=entered.delivery_terms))
    return tuple(changes)


def completed(deal: Deal, changes: Iterable[Change], quotes: Quotes) -> tuple[AmendedLine, ...]:
    """The changes with what stands in the order now; a new article that the price list does not know costs nothing."""
    return tuple(_completed(deal, change, quotes) for change in changes)


def _completed(deal: Deal, change: Change, quotes: Quotes) -> AmendedLine:
    if change.kind == ChangeKind.ADD:
        quoted = quotes.get(change.article, QuotedLine(change.article, False))
        price = quoted.list_price_minor if change.unit_price_minor < 0 else change.unit_price_minor
        return AmendedLine(
            change.kind, 0, change.article, quoted.description, quantity_after=change.quantity, price_after_minor=price,
            list_price_minor=quoted.list_price_minor, cost_minor=quoted.cost_minor, tax_bps=quoted.tax_bps,
        )  # fmt: skip
    line = order_of(deal).line(change.line)
    if line is None:
        return AmendedLine(change.kind, change.line, text_before=_before(deal, change), text_after=change.text)
    quantity = {ChangeKind.DROP: line.ordered - line.open, ChangeKind.QUANTITY: change.quantity}
    return AmendedLine(
        change.kind, line.line, line.article, line.description,
        quantity_before=line.ordered,
        quantity_after=quantity.get(change.kind, line.ordered),
        price_before_minor=line.unit_price_minor,
        price_after_minor=change.unit_price_minor if change.kind == ChangeKind.PRICE else line.unit_price_minor,
        list_price_minor=_list_price(deal, line),
        cost_minor=unit_cost(deal, line),
        tax_bps=line.tax_bps,
        text_before=line.wanted_on if change.kind == ChangeKind.DATE else "",
        text_after=change.text,
    )  # fmt: skip


def _before(deal: Deal, change: Change) -> str:
    days, terms = agreed_terms(deal)
    now = {
        ChangeKind.ADDRESS: order_of(deal).deliver_to,
        ChangeKind.PAYMENT_DAYS: str(days),
        ChangeKind.DELIVERY_TERMS: terms,
    }
    return now.get(change.kind, "")


def _list_price(deal: Deal, line: OrderLine) -> int:
    offered = deal.offer.lines if deal.offer else ()
    return next((o.list_price_minor for o in offered if (o.line, o.article) == (line.line, line.article)), 0)


def undelivered(order: Order) -> tuple[int, int]:
    """What is still to be supplied, without and with tax, in minor units."""
    net = [(line.unit_price_minor * (line.open + line.on_the_way), line.tax_bps) for line in order.lines]
    return sum(amount for amount, _ in net), sum(amount + share(amount, bps) for amount, bps in net)


def after(deal: Deal, changes: tuple[AmendedLine, ...], now: str) -> Deal:
    """The deal with the order as it would be amended."""
    return OrderAmended(0, changes).apply(deal, now)


def reckoned(ctx: Context, changes: tuple[Change, ...], reason: str) -> Amendment:
    """The request with all that it comes to: money, units to reserve and units to release."""
    lines = completed(ctx.deal, changes, _quotes(ctx))
    before, then = order_of(ctx.deal), order_of(after(ctx.deal, lines, ctx.now))
    (net, total), (net_then, total_then) = undelivered(before), undelivered(then)
    pairs = [(before.line(line.line), line) for line in then.lines]
    holidays = ctx.policy.holidays_in(ctx.deal.country)
    return Amendment(
        number=len(before.amendments) + 1,
        order_version=before.version,
        changes=lines,
        reason=reason,
        requested_by=ctx.actor.user,
        requested_at=ctx.now,
        due_at=plus_working(ctx.now, ctx.policy.amendment_deadline, holidays),
        net_minor=net_then - net,
        total_minor=total_then - total,
        units_added=sum(max(0, new.open - (old.open if old else 0)) for old, new in pairs),
        units_released=sum(old.reserved - new.reserved for old, new in pairs if old),
    )


def _quotes(ctx: Context) -> Quotes:
    return {line.article: line for line in ctx.facts.quote.lines} if ctx.facts.quote else {}


def _quote(ctx: Context, changes: Iterable[Change]) -> QuoteInput | None:
    wanted = tuple(QuoteLine(c.article, c.quantity) for c in changes if c.kind == ChangeKind.ADD)
    return QuoteInput(ctx.deal.id, ctx.deal.customer, ctx.deal.currency, wanted, ctx.now) if wanted else None


def ask_new_prices(ctx: Context) -> QuoteInput | None:
    """The price list's view of new lines; nothing is asked when there are none."""
    return _quote(ctx, ctx.payload.changes)


def ask_entered_prices(ctx: Context) -> QuoteInput | None:
    """The price list's view of articles that were entered and not agreed."""
    return _quote(ctx, changes_of_entry(ctx.deal, ctx.payload))


def ask_more_headroom(ctx: Context) -> HeadroomInput | None:
    """Reserve what an amendment adds to the group's exposure; less, and prepaid deals, ask for nothing (D10)."""
    asked = order_of(ctx.deal).pending_amendment
    if asked is None or asked.total_minor <= 0 or (ctx.deal.offer and ctx.deal.offer.prepaid):
        return None
    return HeadroomInput(
        key=ctx.deal.headroom_key,
        deal_id=ctx.deal.id,
        group=ctx.deal.group,
        currency=ctx.deal.currency,
        amount_minor=ctx.deal.headroom_minor + asked.total_minor,
        suggested_limit_minor=ctx.deal.credit_limit_minor,
        at=ctx.now,
        expires_at=plus(ctx.now, ctx.policy.headroom_validity),
    )


@handles("request_amendment", RequestAmendment, asks={"quote": ask_new_prices})
def request_amendment(ctx: Context) -> list[Event]:
    """Reckon what the changes come to; nothing is changed yet."""
    return [AmendmentRequested(reckoned(ctx, ctx.payload.changes, ctx.payload.reason))]


@handles("enter_differing_order", EnterOrder, asks={"quote": ask_entered_prices})
def enter_differing_order(ctx: Context) -> list[Event]:
    """What the customer ordered otherwise than it was signed becomes an amendment."""
    changes = changes_of_entry(ctx.deal, ctx.payload)
    return [AmendmentRequested(reckoned(ctx, changes, "the order differs from the contract"))]


@handles("decline_amendment", Reason)
def decline_amendment(ctx: Context) -> list[Event]:
    """The order stays as it is."""
    asked = order_of(ctx.deal).pending_amendment
    return [AmendmentDecided(asked.number, "decline", ctx.actor.user)] if asked else []


@handles("confirm_amendment", ConfirmAmendment, asks={"group_holds": ask_group_holds, "headroom": ask_more_headroom})
def confirm_amendment(ctx: Context) -> list[Event]:
    """Everything at once: lines, goods, headroom, invoices."""
    asked = order_of(ctx.deal).pending_amendment
    if asked is None:
        return []
    p: ConfirmAmendment = ctx.payload
    amended = OrderAmended(asked.number, asked.changes)
    then = amended.apply(ctx.deal, ctx.now)
    return [
        AmendmentDecided(asked.number, "confirm", ctx.actor.user, p.channel, p.given_by),
        amended,
        *_goods(ctx.deal, then),
        *_money(ctx.deal, then, asked, ctx.policy.rules),
    ]


def _goods(before: Deal, then: Deal) -> list[Event]:
    """What is no longer wanted goes back to the shelf, what is wanted more is asked for once the order is entered."""
    if not order_of(before).entered_by:
        return []
    released, leaving, wanted = [], [], []
    for line in order_of(then).lines:
        old = order_of(before).line(line.line)
        if old and old.reserved > line.reserved:
            released.append(LineUnits(line.line, old.reserved - line.reserved))
        if old and old.short > 0 and line.short == 0:
            leaving.append(line.line)
        if line.short and (old is None or line.open != old.open):
            wanted.append(line)
    events: list[Event] = [UnitsReleased(tuple(released), tuple(leaving))] if released or leaving else []
    return [*events, *ask_again(tuple(wanted))]


def _money(before: Deal, then: Deal, asked: Amendment, rules: int) -> list[Event]:
    """Headroom follows the total; a prepaid order is prepaid in full, and its open prepayment credited. Under the third
    rules more headroom is reserved, and everything else follows from the goods."""
    if rules >= 3:
        more_held = asked.total_minor > 0 and not (before.offer and before.offer.prepaid)
        return [HeadroomReserved(before.headroom_minor + asked.total_minor)] if more_held else []
    if not (before.offer and before.offer.prepaid):
        if asked.total_minor > 0:
            return [HeadroomReserved(before.headroom_minor + asked.total_minor)]
        return lower_headroom(before, max(0, before.headroom_minor + asked.total_minor), "order amended")
    more, less = prepaid_parts(before, then)
    return [*([PrepaymentAsked(more)] if more else []), *credits_of(before, "prepayment", less, "order amended")]


def prepaid_parts(before: Deal, then: Deal) -> tuple[tuple[LineUnits, ...], int]:
    """What an amendment of a prepaid order adds, in units to be prepaid, and what it takes away, in minor units with
    tax. Prices of prepaid orders stand."""
    more, less = [], 0
    for line in order_of(then).lines:
        old = order_of(before).line(line.line)
        wanted, was = line.ordered - line.cancelled, old.ordered - old.cancelled if old else 0
        if wanted > was:
            more.append(LineUnits(line.line, wanted - was))
        net = line.unit_price_minor * max(0, was - wanted)
        less += net + share(net, line.tax_bps)
    return tuple(more), less
