"""Audit, clock, health and policies on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.wire.shared import Asked, Clean, Note, Plain, Told

FIVE_YEARS = 5 * 366 * 86_400


class Reason(Asked):
    """Why something is decided."""

    reason: Annotated[Note, Field(min_length=1)]


class AuditProblem(Told):
    """One thing that is not what it should be."""

    where: str
    why: str


class AuditVerdict(Told):
    """What was verified: chains, leaves, completeness. `root` is the RFC 6962 root over all leaves."""

    sound: bool
    deals: int
    entries: int
    refusals: int
    leaves: int
    root: str
    problems: list[AuditProblem]


class RebuildDifference(Told):
    """A place where the live projection is not what the timeline gives."""

    deal_id: str
    table: str
    row: str
    column: str
    live: str
    rebuilt: str


class RebuildVerdict(Told):
    """Whether the projections equal those rebuilt from the timelines."""

    sound: bool
    deals: int
    differences: list[RebuildDifference]


class Leaf(Told):
    """One leaf of the audit log; `body` is what it attests when no other table holds that."""

    sequence: int
    kind: str
    ref: str
    leaf_hash: str
    at: str
    body: Plain | None


class Leaves(Told):
    """A page of leaves, in their order."""

    items: list[Leaf]
    next_cursor: str


class Checkpoint(Told):
    """Size and RFC 6962 root of the audit log."""

    size: int
    root: str


class ClockState(Told):
    """Whether clocks of test deals can be moved here, and why not."""

    available: bool
    why: str


class Advance(Asked):
    """Move the clock of one test deal, or of all open ones when `deal` is left out."""

    deal: Annotated[Clean, Field(max_length=80)] | None = None
    seconds: Annotated[int, Field(ge=1, le=FIVE_YEARS)]


class Moved(Told):
    """Where a test deal's clock stands; `problem` says why it was not moved all the way."""

    deal_id: str
    now: str
    problem: str


class Advanced(Told):
    """The deals whose clocks were to move."""

    items: list[Moved]


class Alive(Told):
    """This process answers."""

    status: Literal["alive"] = "alive"


class Health(Told):
    """Whether database, engine and workers answer; each is `ok` or says what is wrong. `alerts` wait for a person."""

    status: Literal["ok", "degraded"]
    database: str
    engine: str
    worker: str
    pollers: int
    alerts: int


class PolicyCard(Told):
    """One version of the business numbers."""

    version: str
    active_from: str
    note: str


class PolicyBody(PolicyCard):
    """A version with its numbers."""

    body: Plain


class Policies(Told):
    """All versions, the newest first."""

    items: list[PolicyCard]


class Me(Told):
    """Who you are to us."""

    user: str
    roles: list[str]
    department: str
    on_behalf_of: str
    sees: Literal["none", "own", "department", "all"]
