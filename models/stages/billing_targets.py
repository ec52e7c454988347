"""What ought to be billed of every order line, as the order stands: money follows goods, whatever happened to them."""

from collections import Counter

from models.deal_state import Deal
from models.money import BPS
from models.parts.billing import NOTHING, Billed, Billing, Taxed, in_advance, of_milestones, settled_of, value
from models.parts.discrepancy import Measure
from models.parts.offer import Offer
from models.parts.order import Order, OrderLine


def credited_units(order: Order) -> Counter[int]:
    """Units per line that the customer keeps and does not pay for, as an act was settled with a credit note."""
    units: Counter[int] = Counter()
    for act in order.discrepancies:
        if act.measure == Measure.CREDIT_NOTE and not act.is_back:
            units.update({q.line: q.quantity for q in act.lines})
    return units


def kept_units(line: OrderLine, credited: int) -> int:
    """Delivered units that are to be paid for, with those that a billed delivery still owes the customer."""
    owed = min(line.prebilled, line.open + line.on_the_way)
    return max(0, line.delivered + owed - credited)


def whole(line: OrderLine, credited: int) -> Taxed:
    """What the line costs when all that is wanted of it comes."""
    return worth(line, max(0, line.ordered - line.cancelled - line.substituted - credited))


def worth(line: OrderLine, units: int) -> Taxed:
    """What units of a line cost."""
    return value(line.unit_price_minor * units, line.tax_bps)


def order_worth(deal: Deal) -> int:
    """What the order costs when all that is wanted comes, tax included, in minor units."""
    if deal.order is None:
        return 0
    credited = credited_units(deal.order)
    return sum(whole(line, credited[line.line]).total_minor for line in deal.order.lines)


def billed_worth(deal: Deal) -> int:
    """What the customer was asked for all lines, tax included, in minor units."""
    return sum(line.billed.total_minor for line in deal.order.lines) if deal.order else 0


def targets(deal: Deal) -> list[tuple[OrderLine, Billed]]:
    """The lines of which something else is billed than ought to be, with what ought to be."""
    offer, order = deal.offer, deal.order
    if offer is None or order is None:
        return []
    credited, done = credited_units(order), order.is_done
    found = [(line, _target(offer, order, line, credited[line.line], done)) for line in order.lines]
    return [(line, target) for line, target in found if target != line.billed]


def _target(offer: Offer, order: Order, line: OrderLine, credited: int, done: bool) -> Billed:
    all_of_it, before = whole(line, credited), line.billed
    prepaid = in_advance(all_of_it, line.tax_bps, offer.prepaid_share)
    if offer.prepaid_share == BPS:
        return Billed(prepaid=prepaid)
    goods = _goods(offer, order, line, credited, done)
    if goods != before.goods:
        return Billed(goods, prepaid, settled_of(prepaid, goods, all_of_it))
    if goods == all_of_it:  # nothing more comes: what was paid in advance beyond that is not kept
        return Billed(goods, before.settled, before.settled)
    return Billed(goods, prepaid, _less(before.settled, prepaid))


def _goods(offer: Offer, order: Order, line: OrderLine, credited: int, done: bool) -> Taxed:
    kept = worth(line, kept_units(line, credited))
    if done or offer.billing == Billing.DELIVERY:
        return kept
    billed = _less(line.billed.goods, kept)  # an order that goes on after its last invoice keeps what was billed
    if offer.billing == Billing.ORDER or not order.reached:
        return billed
    reached = of_milestones(whole(line, credited), offer.milestones, order.reached)
    return max(reached, billed, key=lambda part: part.net_minor)


def _less(one: Taxed, other: Taxed) -> Taxed:
    if one == NOTHING:
        return one
    return min(one, other, key=lambda part: part.net_minor)
