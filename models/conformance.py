"""Conformance: whether what happened to deals is what the lifecycle tables allow, entry by entry; and whether the
activities of somebody else's event log are.

Unlike a fold, which stops at the first move that no table has, it says what was wrong, what was allowed, and goes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.change import replace
from models.deal_state import Deal
from models.event import from_plain
from models.event_log import OPEN, UNREADABLE
from models.event_log_objects import object_id
from models.lifecycle.deal_table import DEAL
from models.lifecycle.machine import NoSuchMove
from models.lifecycle.part_tables import AMENDMENT, APPROVAL, COMPLAINT, DISCREPANCY, LINE, RECEIVABLE, SHIPMENT
from models.lifecycle.table import Table
from models.stages.opening import DealOpened
from models.timeline import Entry

FULL = 10_000
"""Fitness of a sequence that the tables allow from its first to its last event, in basis points."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A place where a sequence leaves a table. `subject` is the deal or the part of it that moved; `expected` is where
    the move leads, empty when there is no such move; `allowed` are the actions that were possible there."""

    sequence: int
    table: str
    subject: str
    state_from: str
    action: str
    state_to: str
    expected: str
    why: str
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """How one sequence fits: `fitting` of its `events` do; `first` is where it leaves the tables, None when nowhere."""

    case: str
    events: int
    fitting: int
    first: Deviation | None = None

    @property
    def fits(self) -> bool:
        """True when nothing deviates."""
        return self.first is None

    @property
    def fitness_bps(self) -> int:
        """The share of events that fit, in basis points, rounded down."""
        return _share(self.fitting, self.events)


@dataclass(slots=True)
class Tally:
    """All sequences of a report together."""

    cases: int = 0
    fitting_cases: int = 0
    events: int = 0
    fitting_events: int = 0

    @property
    def fitness_bps(self) -> int:
        """The share of events that fit, in basis points, rounded down."""
        return _share(self.fitting_events, self.events)

    def count(self, fit: Fit) -> None:
        """Add a sequence."""
        self.cases += 1
        self.fitting_cases += fit.fits
        self.events += fit.events
        self.fitting_events += fit.fitting


def _share(part: int, whole: int) -> int:
    return FULL * part // whole if whole else FULL


def check_deal(entries: Sequence[Entry]) -> Fit:
    """Replay one deal's timeline, given whole, on the deal's table and on those of its parts."""
    replay = _Replay()
    first: Deviation | None = None
    fitting = 0
    for entry in entries:
        found = list(replay.play(entry))
        fitting += not found
        first = first or next(iter(found), None)
    return Fit(entries[0].deal_id if entries else "", len(entries), fitting, first)


def check_activities(case: str, activities: Iterable[str]) -> Fit:
    """Replay activities that are named as our actions are on the deal's table alone, from its first state on.

    One that is not possible is passed over; or the log leapt, and goes on from the state that it leads to wherever it
    is possible: whichever of the two the next activity fits.
    """
    state, leapt, first, events, fitting = str(DEAL.initial), "", None, 0, 0
    for events, action in enumerate(activities, start=1):
        if DEAL.row(state, action) is None and leapt and DEAL.row(leapt, action) is not None:
            state = leapt
        row = DEAL.row(state, action)
        if row is not None or (events == 1 and action == OPEN):
            fitting += 1
            state, leapt = str(row.target_from(state)) if row else state, ""
            continue
        if first is None:
            why = _why(state, action)
            first = Deviation(events, DEAL.name, case, state, action, "", "", why, DEAL.exits[state])
        targets = {str(row.target_from(source)) for row in DEAL.rows if row.action == action for source in row.sources}
        leapt = targets.pop() if len(targets) == 1 else leapt
    return Fit(case, events, fitting, first)


def _why(state: str, action: str) -> str:
    if action == OPEN:
        return "a deal is opened once, at its beginning"
    if action not in DEAL.actions:
        return f"no table has an action {action!r}"
    return f"{action} is not possible in {state}; it is in: {', '.join(map(str, DEAL.states_with(action)))}"


@dataclass(slots=True)
class _Replay:
    """One deal on its way through the tables. `state` is what the entries say, `deal` what their events come to."""

    state: str = ""
    played: int = 0
    deal: Deal | None = None
    parts: dict[str, tuple[Table, str]] = field(default_factory=dict)

    def play(self, entry: Entry) -> Iterator[Deviation]:
        """What deviates in the next entry."""
        yield from self._order(entry)
        yield from self._move(entry)
        yield from self._events(entry)
        self.state = entry.state_to
        self.played = entry.sequence

    def _order(self, entry: Entry) -> Iterator[Deviation]:
        if entry.sequence != self.played + 1:
            yield self._deviation(entry, "", f"entry {self.played + 1} should come here")
        if entry.state_from != self.state:
            yield self._deviation(entry, "", f"it says that the deal was in {entry.state_from or 'no state'}")

    def _move(self, entry: Entry) -> Iterator[Deviation]:
        if not self.played:
            if (entry.action, entry.state_to) != (OPEN, DEAL.initial):
                yield self._deviation(entry, str(DEAL.initial), f"a deal begins with {OPEN} in {DEAL.initial}")
            return
        row = DEAL.row(self.state, entry.action)
        if row is None:
            yield self._deviation(entry, "", _why(self.state, entry.action))
        elif entry.state_to != row.target_from(self.state):
            target = str(row.target_from(self.state))
            yield self._deviation(entry, target, f"{entry.action} leads to {target}, not to {entry.state_to}")
        elif entry.role not in row.roles:
            able = ", ".join(sorted(map(str, row.roles)))
            yield self._deviation(entry, entry.state_to, f"{entry.role or 'nobody'} may not {entry.action}, but {able}")

    def _events(self, entry: Entry) -> Iterator[Deviation]:
        tag = ""
        try:
            for plain in entry.events:
                happened, tag = from_plain(plain), str(plain.get("tag"))
                if self.deal is None:
                    if not isinstance(happened, DealOpened):
                        raise ValueError("the first event opens no deal")
                    self.deal = replace(happened.create(entry.at), version=0)
                    continue
                before, self.deal = self.deal, happened.apply(self.deal, entry.at)
                yield from self._parts(entry, before, tag)
        except NoSuchMove as no:
            table = next((table for table in _TABLES.values() if table.name == no.table), DEAL)
            why = f"{no.action} is not possible in {no.state}"
            allowed = table.exits.get(no.state, ())
            yield Deviation(entry.sequence, no.table, entry.deal_id, no.state, no.action, "", "", why, allowed)
        except UNREADABLE as problem:
            yield self._deviation(entry, "", f"its event {tag} can't be applied: {type(problem).__name__}: {problem}")
        if self.deal is not None:
            self.deal = replace(self.deal, version=entry.sequence, updated_at=entry.at, last_hash=entry.hash)
            if self.deal.state != entry.state_to:
                yield self._deviation(entry, self.deal.state, f"its events lead to {self.deal.state}")
                self.deal = replace(self.deal, state=entry.state_to)

    def _parts(self, entry: Entry, before: Deal, tag: str) -> Iterator[Deviation]:
        assert self.deal is not None
        for name, (table, state) in _moved_parts(before, self.deal):
            was = self.parts.get(name, (table, ""))[1]
            self.parts[name] = (table, state)
            if was == state or _is_move(table, was, state):
                continue
            why = f"{tag} leads from {was or 'nothing'} to {state}, which no action does"
            expected = "" if was else str(table.initial)
            allowed = table.exits.get(was, ())
            yield Deviation(entry.sequence, table.name, name, was, entry.action, state, expected, why, allowed)

    def _deviation(self, entry: Entry, expected: str, why: str) -> Deviation:
        allowed = DEAL.exits.get(self.state, () if self.played else (OPEN,))
        return Deviation(
            entry.sequence, DEAL.name, entry.deal_id, self.state, entry.action, entry.state_to, expected, why, allowed
        )


def _is_move(table: Table, was: str, state: str) -> bool:
    """Whether a row of the table leads there; what is new begins in the first state, or one move after it."""
    if not was and state == table.initial:
        return True
    return any(
        row.target_from(was or table.initial) == state for row in table.rows if (was or table.initial) in row.sources
    )


_TABLES: dict[str, Table] = {
    "line": LINE,
    "shipment": SHIPMENT,
    "discrepancy": DISCREPANCY,
    "amendment": AMENDMENT,
    "invoice": RECEIVABLE,
    "case": COMPLAINT,
    "approval": APPROVAL,
}


def _moved_parts(before: Deal, after: Deal) -> Iterator[tuple[str, tuple[Table, str]]]:
    """The parts of a deal that are new or another value than before, with their tables and states."""
    for (kind, was), (_, now) in zip(_groups(before), _groups(after), strict=True):
        if was is now:
            continue
        known = set(map(id, was))
        for part in now:
            if id(part) not in known:
                name = part.line if kind == "line" else part.number
                yield object_id(kind, after.id, str(name)), (_TABLES[kind], str(part.state))


def _groups(deal: Deal) -> tuple[tuple[str, Sequence[Any]], ...]:
    order = deal.order
    return (
        ("line", order.lines if order else ()),
        ("shipment", order.shipments if order else ()),
        ("discrepancy", order.discrepancies if order else ()),
        ("amendment", order.amendments if order else ()),
        ("invoice", deal.receivables),
        ("case", deal.cases),
        ("approval", deal.approvals),
    )
