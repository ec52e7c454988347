"""Guards that several stages share: holds, four eyes, effects and agenda items."""

from typing import Any

from models.agenda import agenda
from models.command import Context
from models.instants import between
from models.lifecycle.guards import guard


@guard("no hold on the deal", "accounts_receivable, risk_officer, legal or head_of_sales: resume")
def not_on_hold(ctx: Context) -> tuple[bool, Any]:
    """A credit or legal hold blocks confirmations and goods."""
    return not ctx.deal.holds, ", ".join(ctx.deal.holds) or "none"


@guard("a hold of that name", "the asker: a hold that is set", needs="payload")
def is_on_hold(ctx: Context) -> tuple[bool, Any]:
    """Only a hold that is set can be lifted."""
    return ctx.payload.hold in ctx.deal.holds, ", ".join(ctx.deal.holds) or "no hold"


@guard("an approver who neither requested, drafted nor negotiates the deal", "another person with the role")
def four_eyes(ctx: Context) -> tuple[bool, Any]:
    """The approver is none of requester, last editor and negotiator, nor stands in for one of them (D1, D12)."""
    deal = ctx.deal
    involved = {deal.owner, *deal.former_owners}
    if deal.offer:
        involved |= {deal.offer.drafted_by, deal.offer.drafted_for}
    if deal.contract:
        involved.update(deal.contract.edited_by)
    for asked in deal.approvals:
        if asked.state == "pending":
            involved |= {asked.requested_by, asked.requested_for}
    mine = set(ctx.actor.eyes) & involved
    return not mine, f"{ctx.actor.user} is involved" if mine else f"{ctx.actor.user} is not involved"


@guard("an effect that is still to be done", "nobody: it was done or dropped", needs="payload")
def effect_is_pending(ctx: Context) -> tuple[bool, Any]:
    """A result counts once, for the effect that waits for it."""
    return ctx.deal.effect(ctx.payload.effect) is not None, ctx.payload.effect


@guard("nothing left for the engine to carry out", "system: retries until the departments have answered")
def effects_are_done(ctx: Context) -> tuple[bool, Any]:
    """A deal ends only after everything asked of the world was answered."""
    kinds = sorted({e.kind for e in ctx.deal.pending})
    return not kinds, ", ".join(kinds) or "nothing pending"


@guard("an agenda item that is due now", "nobody: it is early, or was dropped", needs="payload")
def agenda_item_due(ctx: Context) -> tuple[bool, Any]:
    """Timers fire what the agenda holds at that moment, never something that was dropped meanwhile."""
    item = next((i for i in agenda(ctx.deal, ctx.policy) if i.key == ctx.payload.item), None)
    if item is None:
        return False, "no such item"
    return between(item.due_at, ctx.now) >= 0, f"due at {item.due_at}"
