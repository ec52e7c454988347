"""Post-sale care: complaint cases, feedback, and approvals that bind to a hash."""

from dataclasses import dataclass

from models.lifecycle.states import ApprovalState, ComplaintState


@dataclass(frozen=True)
class Case:
    """A complaint about delivered lines, decided as `replace`, `credit` or `refuse`."""

    number: int
    lines: tuple[int, ...]
    cause: str
    note: str
    opened_at: str
    due_at: str
    state: str = ComplaintState.OPEN.value
    decision: str = ""
    measure: str = ""


@dataclass(frozen=True)
class Approval:
    """A request for approval, bound to the hash of exactly what was asked for."""

    number: int
    kind: str
    subject: str
    subject_hash: str
    reason: str
    requested_by: str
    requested_at: str
    due_at: str
    roles: tuple[str, ...]
    requested_for: str = ""
    amount: int = 0
    state: str = ApprovalState.PENDING.value
    decided_by: str = ""
    decided_at: str = ""
