"""What a move leaves behind: timeline entries, the projection of the deal, the answer to its command."""

from dataclasses import dataclass, field
from typing import Any

from models.timeline import Entry


@dataclass(frozen=True, slots=True)
class Projection:
    """The read side of one deal as plain rows: column name to value, exactly as they stand in the tables.

    `deal` is one row; the others are all rows of the deal in their table and replace what stood there.
    It is computed from the deal alone, so that a rebuild from the timeline gives equal rows.
    """

    deal: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    agenda: list[dict[str, Any]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    shipments: list[dict[str, Any]] = field(default_factory=list)
    shortages: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    discrepancies: list[dict[str, Any]] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)
    promises: list[dict[str, Any]] = field(default_factory=list)
    rungs: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a command: what the caller was told, under its key and request fingerprint."""

    key: str
    fingerprint: str
    body: dict[str, Any]


CONFLICT = "TimelineConflict"
"""Type of the failure of a record whose place is taken by another entry. Trying again cannot help."""


@dataclass(frozen=True, slots=True)
class RecordInput:
    """All that one or more moves in a row leave behind. `entries` are consecutive; the projection is the last's.

    `children_changed` names the child tables whose rows differ from the last record, so that the others are
    left untouched.
    """

    deal_id: str
    entries: tuple[Entry, ...]
    projection: Projection
    children_changed: tuple[str, ...]
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The highest sequence that stands in the timeline afterwards."""

    sequence: int


@dataclass(frozen=True, slots=True)
class StandingInput:
    """Ask what stands in a deal's timeline after a sequence, some entries at a time."""

    deal_id: str
    after: int


@dataclass(frozen=True, slots=True)
class StandingResult:
    """The entries that stand, in their order, and the answers that were stored with them."""

    entries: tuple[Entry, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ArchiveInput:
    """Archive one run of a deal's workflow, once it is closed or continued."""

    deal_id: str
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class ArchiveResult:
    """Events in the archived history and the SHA-256 of its bytes."""

    events: int
    digest: str
