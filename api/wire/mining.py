"""What the routes for process mining answer: how sequences fit the lifecycle tables."""

from api.wire.shared import Told


class Deviation(Told):
    """Where a deal's timeline leaves the tables: the entry, the table, what moved, and what was possible there."""

    sequence: int
    table: str
    subject: str
    state_from: str
    action: str
    state_to: str
    expected: str
    why: str
    allowed: list[str]


class Fit(Told):
    """How one deal's timeline fits; `first` is where it leaves the tables, null when nowhere."""

    deal_id: str
    fits: bool
    events: int
    fitting_events: int
    fitness_bps: int
    first: Deviation | None


class ConformanceReport(Told):
    """All chosen deals together, and one by one those that deviate (or all); `more` of them were left out. Fitness is
    the share of events that fit, in basis points."""

    sound: bool
    deals: int
    fitting_deals: int
    events: int
    fitting_events: int
    fitness_bps: int
    items: list[Fit]
    more: int
