"""The part of the agenda that is about goods: reservations, the shortage ladder, discrepancy acts, amendments."""

from collections.abc import Iterator

from models.agenda_items import HEAD, LOGISTICS, OWNER_ROLES, AgendaItem, due_item
from models.deal_state import Deal
from models.instants import plus
from models.lifecycle.roles import SALES
from models.lifecycle.states import DealState, ShipmentState
from models.parts.order import Order, OrderLine
from models.parts.shortage import Shortage
from models.policy import Policy


def order_items(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    """What the order waits for, under the rules that the deal started with."""
    if policy.rules < 2:
        yield from _spine_items(deal, policy)
        return
    if deal.order is None:
        return
    yield from _decisions(deal, deal.order)
    if deal.state != DealState.FULFILLING:
        return
    yield from _expiry(deal, deal.order)
    yield from _without_carrier(deal.order)
    for line in deal.order.short_lines:
        if line.shortage and line.shortage.is_active:
            yield from _ladder(line, line.shortage, deal, policy)


def _decisions(deal: Deal, order: Order) -> Iterator[AgendaItem]:
    for act in order.open_discrepancies:
        note = f"{act.kind} of {sum(q.quantity for q in act.lines)} units, {act.cause}"
        yield AgendaItem(f"discrepancy:{act.number}", act.due_at, "discrepancy", OWNER_ROLES, deal.owner, note=note)
    asked = order.pending_amendment
    if asked:
        note = f"amendment {asked.number}: {len(asked.changes)} changes"
        yield AgendaItem(f"amendment:{asked.number}", asked.due_at, "amendment", OWNER_ROLES, deal.owner, note=note)


def _expiry(deal: Deal, order: Order) -> Iterator[AgendaItem]:
    held = [line.reserved_until for line in order.lines if line.reserved and line.reserved_until]
    if held and not _is_asking(deal):
        until = min(held)
        yield due_item(f"reservation:{until}", until, "reservation_expiry", LOGISTICS, "expire_reservation")


def _without_carrier(order: Order) -> Iterator[AgendaItem]:
    for shipment in order.shipments:
        if shipment.refused and shipment.state == ShipmentState.PREPARED:
            note = f"shipment {shipment.number} has no carrier: {shipment.refused}"
            yield AgendaItem(f"carriage:{shipment.number}", shipment.shipped_at, "carriage", LOGISTICS, note=note)


def _is_asking(deal: Deal) -> bool:
    return any(e.kind in ("reserve_lines", "release_lines") for e in deal.pending)


def _ladder(line: OrderLine, lasting: Shortage, deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    note = f"line {line.line}: {line.short} of {line.article} short, {lasting.rung}"
    mine = lasting.role in SALES
    roles, person = (OWNER_ROLES, deal.owner) if mine else ((lasting.role,), "")
    key = f"shortage:{line.line}:{len(lasting.visits)}"
    yield AgendaItem(key, lasting.due_at, "shortage", roles, person, "escalate_shortage", {"line": line.line}, note)
    for visit in lasting.visits:
        if visit.escalated_at and not visit.answered_by:
            late = f"{visit.role} did not answer on {visit.rung} for line {line.line}"
            yield AgendaItem(f"late:{line.line}:{visit.number}", visit.due_at, "late_answer", HEAD, note=late)
    if not _is_asking(deal):
        yield _restock(line, lasting, policy, note)


def _restock(line: OrderLine, lasting: Shortage, policy: Policy, note: str) -> AgendaItem:
    """Ask the stock book again on each day that was named, and else now and then: a wake-up may get lost, and
    goods that came in wait for the line."""
    days = {day for day in (lasting.promised_on, lasting.answer_on, line.expected_on) if day}
    ahead = sorted(at for day in days if (at := f"{day}T06:00:00Z") > line.answered_at)
    due = min([*ahead, plus(line.answered_at, policy.shortage.recheck)])
    return AgendaItem(f"restock:{line.line}:{due}", due, "restock", LOGISTICS, "", "retry_reservation", {}, note)


def _spine_items(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    if deal.state != DealState.FULFILLING or deal.order is None:
        return
    held = [line.reserved_until for line in deal.order.lines if line.reserved and line.reserved_until]
    asking = any(e.kind in ("reserve_lines", "release_lines") for e in deal.pending)
    if held and not asking:
        until = min(held)
        yield due_item(f"reservation:{until}", until, "reservation_expiry", LOGISTICS, "expire_reservation")
    for line in deal.order.short_lines:
        number, note = {"line": line.line}, f"line {line.line}: {line.short} of {line.article} short"
        if not line.asked_logistics_at:
            due = plus(line.short_since, policy.shortage_escalation)
            key = f"shortage:{line.line}:{line.short_since}"
            yield AgendaItem(key, due, "shortage", OWNER_ROLES, deal.owner, "escalate_shortage", number, note)
            continue
        # The stock book is asked once more on the expected day, however late the timer comes.
        if line.expected_on and (again := f"{line.expected_on}T06:00:00Z") > line.answered_at and not asking:
            key = f"restock:{line.line}:{line.expected_on}"
            yield AgendaItem(key, again, "restock", LOGISTICS, "", "retry_reservation", {}, note)
            continue
        due = plus(line.asked_logistics_at, policy.shortage_answer)
        yield AgendaItem(f"shortage_answer:{line.line}", due, "shortage_answer", LOGISTICS, note=note)
