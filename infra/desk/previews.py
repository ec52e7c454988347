"""What an act would lead to, for dry runs: events, what the world would be asked, and what an amendment comes to."""

from dataclasses import dataclass
from typing import Any

from infra.desk import goods_views
from infra.desk.amounts import money
from infra.desk.callers import Caller
from infra.desk.hiding import shown
from models.command import Command, Context
from models.deal import EMPTY_FACTS, Decision, apply
from models.deal_state import Deal, Effect
from models.effects import request
from models.event import Event, from_plain
from models.messages.receivables import InvoiceInput
from models.parts.amendment import Amendment
from models.policy import Policy
from models.rules import ACTIONS
from models.stages.amending import AmendmentRequested, ConfirmAmendment, OrderAmended
from models.stages.billing import followed
from models.stages.receivables import CreditGranted, InvoiceCredited

Plain = dict[str, Any]

_ANYBODY = ConfirmAmendment("preview", "preview")
"""Who will confirm, and how, changes nothing of what a confirmation leads to."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the confirmation of an amendment leads to: the deal before and after it, its events and effects."""

    asked: Amendment
    before: Deal
    after: Deal
    events: tuple[Event, ...]
    effects: tuple[Effect, ...]


def preview_of(before: Deal, command: Command, decision: Decision, policy: Policy, now: str, caller: Caller) -> Plain:
    """The events and effects of a decision about `before` in plain form, as far as the caller may see them.

    `amendment` sums up what a requested amendment would come to, or a confirmed one comes to; else it is None.
    """
    events = tuple(map(from_plain, decision.entry.events))
    confirmed = _confirmed(before, command, decision, events, policy, now)
    told: Plain = {
        "events": decision.entry.events,
        "effects": [_effect(effect, caller) for effect in decision.effects],
        "amendment": _sum(confirmed, policy, now, caller) if confirmed else None,
    }
    kept: Plain = shown(told, caller)
    return kept


def _effect(effect: Effect, caller: Caller) -> Plain:
    """One effect. Letters tell customers amounts in words, so that goods departments learn of their kind alone."""
    data = effect.data
    if caller.is_blind and effect.kind == "send_letter":
        data = {"kind": data["kind"]}
    return {"kind": effect.kind, "data": data}


def _confirmed(
    before: Deal, command: Command, decision: Decision, events: tuple[Event, ...], policy: Policy, now: str
) -> Confirmed | None:
    for happened in events:
        if isinstance(happened, OrderAmended) and before.order and (asked := before.order.pending_amendment):
            return Confirmed(asked, before, decision.deal, events, decision.effects)
        if isinstance(happened, AmendmentRequested):
            return _if_confirmed(happened.amendment, command, decision, policy, now)
    return None


def _if_confirmed(asked: Amendment, command: Command, decision: Decision, policy: Policy, now: str) -> Confirmed:
    """What would follow if the amendment that is only asked for now were confirmed as it stands."""
    context = Context(decision.deal, command.actor, decision.entry.role, _ANYBODY, EMPTY_FACTS, policy, now)
    events = tuple(followed(context, ACTIONS["confirm_amendment"].handle(context)))
    after, effects = apply(decision.deal, events, now)
    return Confirmed(asked, decision.deal, after, events, effects)


def _sum(found: Confirmed, policy: Policy, now: str, caller: Caller) -> Plain:
    asked, currency = found.asked, found.before.currency
    return {
        "number": asked.number,
        "order_version": asked.order_version,
        "changes": goods_views.changes(asked.changes, currency, caller),
        "net": money(asked.net_minor, currency),
        "total": money(asked.total_minor, currency),
        "units_added": asked.units_added,
        "units_released": asked.units_released,
        "headroom_before": money(found.before.headroom_minor, currency),
        "headroom_after": money(found.after.headroom_minor, currency),
        "invoices": _invoices(found, policy, now),
    }


def _credited(note: InvoiceCredited | CreditGranted) -> int:
    return note.amount_minor if isinstance(note, InvoiceCredited) else note.applied_minor + note.unapplied_minor


def _invoices(found: Confirmed, policy: Policy, now: str) -> list[Plain]:
    """Credits on invoices that stand, and invoices that would be issued at once; their number is not known yet."""
    currency = found.before.currency
    told = [
        {"number": e.invoice, "kind": "credit_note", "amount": money(_credited(e), currency)}
        for e in found.events
        if isinstance(e, (InvoiceCredited, CreditGranted))
    ]
    for effect in found.effects:
        if effect.kind == "issue_invoice":
            asked = request(effect, found.after, policy, now)
            assert isinstance(asked, InvoiceInput)
            told.append({"number": "", "kind": asked.kind, "amount": money(asked.total_minor, currency)})
    return told
