"""What crosses the wire of the monthly reconciliation with customers (D33): runs, batches of statements, deadlines."""

from dataclasses import dataclass

MONTHLY = "MonthlyReconciliation"
"""The workflow that writes a month's statements."""

DEADLINES = "ReconciliationDeadlines"
"""The workflow that looks for statements which nobody has answered in time."""

WRONG_MONTH = "WrongMonth"
"""Type of the failure of a run for a month that is none, or has not ended; it is not tried again."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Write the statements of a month (2026-01; empty: the month before the run was scheduled).

    `test_deals` asks for a rehearsal: statements of test deals alone, which are never sent. `after` and `written` are
    what a run hands to the next, after `batches_per_run` batches.
    """

    month: str = ""
    test_deals: bool = False
    after: str = ""
    written: int = 0
    batches_per_run: int = 400


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many statements a run has written for the month; none when they had all been written before."""

    month: str
    written: int


@dataclass(frozen=True, slots=True)
class StatementsInput:
    """Write the statements of up to `limit` customers whose ids come after `after`, at the instant `now`."""

    month: str
    now: str
    test_deals: bool
    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class StatementsWritten:
    """How many statements were written; `after` is where to go on, empty when no customer is left."""

    written: int
    after: str


@dataclass(frozen=True, slots=True)
class DeadlinesInput:
    """Look for statements whose deadline is over at the instant `now`."""

    now: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many statements rang now because nobody had answered them; each rings once."""

    rung: int
