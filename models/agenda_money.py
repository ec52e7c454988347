"""What a deal waits for about its invoices: rungs of the ladder, promises, instalments, disputes, notes of interest."""

from collections.abc import Iterator

from models.agenda_items import HEAD, RECEIVABLE_ROLES, AgendaItem, due_item
from models.deal_state import Deal
from models.instants import plus
from models.lifecycle.roles import Role
from models.parts.receivable import Dispute, Receivable
from models.policy import Policy
from models.stages.accruing import is_chargeable
from models.stages.ladder import next_rung, rung_due

LEGAL = (str(Role.LEGAL),)


def money_items(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    """The items of all invoices of a deal."""
    items = _first_rules if policy.rules < 3 else _items
    for owed in deal.receivables:
        yield from items(owed, deal, policy)


def _first_rules(owed: Receivable, deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    """Under the first rules a promise or a dispute about everything hides all other items."""
    if owed.is_settled:
        return
    if owed.promised_until:
        yield _promise(owed)
        return
    if owed.collectable_minor <= 0:
        disputed = max(d.raised_at for d in owed.disputes if not d.settled)
        due = plus(disputed, policy.complaint_deadline)
        yield AgendaItem(f"dispute:{owed.number}", due, "dispute", RECEIVABLE_ROLES, note=_note(owed))
        return
    yield _rung(owed, deal, policy)


def _items(owed: Receivable, deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    if owed.is_settled:
        if is_chargeable(owed, policy) and not _waits_for(owed, deal, "waiver"):
            key = f"interest:{owed.number}:{owed.charged_minor}"
            payload = {"item": key, "invoice": owed.number}
            yield AgendaItem(key, owed.settled_at, "interest", RECEIVABLE_ROLES, "", "charge_interest", payload)
        return
    for dispute in owed.disputes:
        if not dispute.settled:
            yield _dispute(owed, dispute, deal)
    if owed.collectable_minor <= 0:
        return  # a word about money that is disputed now can't be broken
    if owed.promised_until:
        yield _promise(owed)
    elif owed.plan is not None:
        yield from _instalment(owed, policy)
    elif not _waits_for(owed, deal, "legal"):
        yield _rung(owed, deal, policy)


def _waits_for(owed: Receivable, deal: Deal, kind: str) -> bool:
    """Whether a request of a kind about this invoice waits for a decision."""
    asked = deal.pending_approval(kind)
    return asked is not None and asked.subject == owed.number


def _promise(owed: Receivable) -> AgendaItem:
    key = f"promise:{owed.number}:{owed.promised_until}"
    payload = {"item": key, "invoice": owed.number}
    return AgendaItem(key, owed.promised_until, "promise", RECEIVABLE_ROLES, "", "break_promise", payload, _note(owed))


def _instalment(owed: Receivable, policy: Policy) -> Iterator[AgendaItem]:
    late = owed.plan.next_unpaid if owed.plan else None
    if late is None:
        return
    number, each = late
    key = f"instalment:{owed.number}:{len(owed.plans)}:{number}"
    payload = {"item": key, "invoice": owed.number}
    due = plus(each.due_at, policy.money.instalment_grace)
    note = f"{owed.number}: instalment {number} of {each.amount_minor} {owed.currency} minor units"
    yield AgendaItem(key, due, "instalment", RECEIVABLE_ROLES, "", "default_plan", payload, note)


def _dispute(owed: Receivable, dispute: Dispute, deal: Deal) -> AgendaItem:
    key = f"dispute:{owed.number}:{dispute.number}"
    note = f"{owed.number}: {dispute.amount_minor} {owed.currency} minor units disputed"
    if any(late.key == key for late in deal.escalations):
        return AgendaItem(key, dispute.due_at, "late_answer", (*RECEIVABLE_ROLES, *HEAD), note=note)
    return due_item(key, dispute.due_at, "dispute", RECEIVABLE_ROLES, "escalate_request", note=note)


def _rung(owed: Receivable, deal: Deal, policy: Policy) -> AgendaItem:
    rung = next_rung(owed, policy)
    if rung is None:
        return AgendaItem(f"collect:{owed.number}", owed.due_at, "with_legal", LEGAL, note=_note(owed))
    who = HEAD if owed.state == "with_head_of_sales" else RECEIVABLE_ROLES
    key = f"collect:{owed.number}:{rung.action}"
    due = rung_due(owed, rung, policy, deal.customer_country or deal.country)
    if rung.action == "hand_to_legal" and policy.money.legal:
        key += f":{len(deal.approvals)}"
        payload = {"item": key, "invoice": owed.number}
        return AgendaItem(key, due, "collection", who, "", "request_legal", payload, _note(owed))
    payload = {"item": key, "invoice": owed.number, "rung": rung.action}
    return AgendaItem(key, due, "collection", who, "", "advance_collection", payload, _note(owed))


def _note(owed: Receivable) -> str:
    return f"{owed.number}: {owed.collectable_minor} {owed.currency} minor units to collect"
