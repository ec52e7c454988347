"""What crosses the wire between callers and a deal's workflow: start, act, and their answers."""

from dataclasses import dataclass, field
from typing import Any

from models.command import Actor

WORKFLOW = "Deal"
UPDATE_ACT = "act"
UPDATE_OPENED = "opened"
QUERY_SNAPSHOT = "snapshot"
REFUSED = "Refused"
"""Type of the ApplicationError that carries a plain Refusal as its first detail."""

UNAVAILABLE = "Unavailable"
"""Type of the ApplicationError when a department did not answer in time; the act may be tried again."""


def workflow_id(deal_id: str) -> str:
    """The id of a deal's workflow; nothing personal in it."""
    return f"deal-{deal_id}"


@dataclass(frozen=True, slots=True)
class ActInput:
    """One act on a deal. `key` is the caller's idempotency key (and the update id), `fingerprint` the digest of
    what was asked, so that a key reused for something else is noticed. With `settle` the answer waits until the
    departments have carried out what the act asked of them: for programs that act step by step. `asked_at` is the
    edge's wall clock, in UTC."""

    action: str
    actor: Actor
    key: str
    fingerprint: str
    payload: dict[str, Any] = field(default_factory=dict)
    expected_version: int = 0
    settle: bool = False
    asked_at: str = ""


@dataclass(frozen=True, slots=True)
class ActResult:
    """Where the deal stands after an act. `replayed` is True when the key had been answered before."""

    deal_id: str
    version: int
    state: str
    stage: str
    substates: dict[str, str]
    sequence: int
    allowed_actions: tuple[str, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """What a run hands to the next: the deal in plain form, the handled keys (key to answer), and the runs that
    still have to be archived."""

    deal: dict[str, Any]
    handled: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StartInput:
    """Start a deal's workflow: a new deal (`opened` in plain form) or one carried over from the run before.

    `policy` is the pinned policy in plain form; workflows never read it from anywhere else. `country` is where the
    deal's people work (ISO 3166 alpha-2, or empty): its public holidays count for deadlines, those of
    `customer_country` for letters about invoices. `asked_at` is the edge's wall clock, in UTC.
    """

    deal_id: str
    policy: dict[str, Any]
    actor: Actor
    key: str
    fingerprint: str = ""
    opened: dict[str, Any] = field(default_factory=dict)
    carried: Carried | None = None
    moves_per_run: int = 1_500
    country: str = ""
    customer_country: str = ""
    asked_at: str = ""
