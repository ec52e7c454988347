"""What a timeline entry carries beside the act, so that it stands as evidence by itself.

Deals under the rules of the first two generations have entries without it: what was hashed keeps its hash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models import codec
from models.codec import later
from models.command import Actor
from models.deal_state import Deal, Effect
from models.errors import Verdict
from models.event import Event
from models.lifecycle.guards import GUARDS
from models.lifecycle.states import ApprovalState
from models.parts.care import Approval
from models.stages.approvals import ApprovalSettled
from models.timeline import digest

SINCE = 3
"""The generation of the rules (`Policy.rules`) from which entries carry a receipt."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An approval that counted, and why: a guard relied on it, or this act decided it. `subject_hash` is the hash of
    exactly what was approved."""

    number: int
    kind: str
    subject_hash: str
    requested_by: str
    decided_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """By which key or token (its visible prefix) somebody acted, with which roles, when by the wall clock (UTC; empty
    for what the engine does by itself), what exactly was asked (SHA-256 of the payload's canonical JSON), which
    approvals counted and which effects the act asked of the world. `stands_in_for` are all whose deputy they were."""

    credential: str
    roles: tuple[str, ...]
    asked_at: str
    payload_digest: str
    approvals: tuple[Counted, ...] = ()
    effects: tuple[str, ...] = ()
    stands_in_for: tuple[str, ...] = later(())


def receipt(
    actor: Actor,
    asked_at: str,
    payload: dict[str, Any],
    approvals: Iterable[Counted] = (),
    effects: Iterable[Effect] = (),
) -> dict[str, Any]:
    """A receipt in plain form."""
    told = Receipt(
        actor.credential,
        actor.roles,
        asked_at,
        digest(payload),
        tuple(approvals),
        tuple(effect.key for effect in effects),
        actor.stands_in_for,
    )
    plain: dict[str, Any] = codec.encode(told)
    return plain


def with_inputs(verdict: Verdict) -> dict[str, Any]:
    """A verdict in plain form that names what its guard looked at: the deal as it was before the act, and the
    entry's payload or one of its facts."""
    needs = GUARDS[verdict.guard].needs
    beside = [] if not needs else [needs if needs == "payload" else f"facts.{needs}"]
    return {**codec.encode(verdict), "inputs": ["deal", *beside]}


def counted(before: Deal, verdicts: Iterable[Verdict], events: Sequence[Event], decider: str) -> list[Counted]:
    """Approvals that a guard of this act relied on, and those that the act itself decided."""
    relied = [
        _told(approval, f"guard {verdict.guard}")
        for verdict in verdicts
        if verdict.ok and (kind := GUARDS[verdict.guard].counts)
        for approval in before.approvals
        if approval.kind == kind and approval.state == ApprovalState.APPROVED
    ]
    settled = {e.number: e.state for e in events if isinstance(e, ApprovalSettled) and e.decided_by}
    decided = [
        _told(approval, f"{settled[approval.number]} by this act", decider)
        for approval in before.approvals
        if approval.number in settled
    ]
    return [*relied, *decided]


def _told(approval: Approval, why: str, decider: str = "") -> Counted:
    decided_by = decider or approval.decided_by
    return Counted(approval.number, approval.kind, approval.subject_hash, approval.requested_by, decided_by, why)
