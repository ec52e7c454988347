"""Approvals: requests that bind to a hash, their decisions, and what makes them void (D12)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal
from models.event import Event, event
from models.instants import plus
from models.lifecycle.machines import APPROVALS
from models.lifecycle.states import ApprovalState
from models.parts.care import Approval


@event
@dataclass(frozen=True, slots=True)
class ApprovalRequested(Event):
    """Somebody asks for what exceeds their authority."""

    tag = "approval_requested"
    approval: Approval

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, approvals=(*deal.approvals, self.approval))


@event
@dataclass(frozen=True, slots=True)
class ApprovalSettled(Event):
    """A request was approved, declined, withdrawn, expired or made void."""

    tag = "approval_settled"
    number: int
    state: str
    decided_by: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, approvals=tuple(self._settle(a, at) for a in deal.approvals))

    def _settle(self, approval: Approval, at: str) -> Approval:
        if approval.number != self.number:
            return approval
        return replace(approval, state=self.state, decided_by=self.decided_by, decided_at=at)


def ask_approval(
    ctx: Context, kind: str, subject: str, subject_hash: str, reason: str, roles: tuple[str, ...], amount: int = 0
) -> ApprovalRequested:
    """A new request, due within the policy's time."""
    return ApprovalRequested(
        Approval(
            number=len(ctx.deal.approvals) + 1,
            kind=kind,
            subject=subject,
            subject_hash=subject_hash,
            reason=reason,
            requested_by=ctx.actor.user,
            requested_for=ctx.actor.on_behalf_of,
            requested_at=ctx.now,
            due_at=plus(ctx.now, ctx.policy.approval_deadline),
            roles=roles,
            amount=amount,
        )
    )


def settle(ctx: Context, kind: str, action: str, reason: str) -> list[Event]:
    """Settle the pending request of a kind: `action` is one of the approval table."""
    pending = ctx.deal.pending_approval(kind)
    if pending is None:
        return []
    return [ApprovalSettled(pending.number, APPROVALS.fire(pending.state, action), ctx.actor.user, reason)]


def void_pending(deal: Deal, kinds: tuple[str, ...] = ("offer", "contract", "write_off")) -> list[Event]:
    """Make void what was asked for or granted on something that has changed."""
    return [
        ApprovalSettled(a.number, APPROVALS.fire(a.state, "void"), "", "what was asked for has changed")
        for a in deal.approvals
        if a.kind in kinds and not ApprovalState(a.state).is_terminal
    ]


def granted(deal: Deal, kind: str, subject_hash: str) -> Approval | None:
    """The approval that stands for exactly this hash, or None."""
    return next(
        (
            a
            for a in deal.approvals
            if a.kind == kind and a.state == ApprovalState.APPROVED and a.subject_hash == subject_hash
        ),
        None,
    )
