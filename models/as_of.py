"""A deal with two times: as it was at an instant, with what was known at another one.

State takes effect when it is recorded. Money with a value day counts from that day as soon as it is known, and an
invoice of an earlier system from the day on which that one issued it (docs/decisions/0011).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from models.change import replace
from models.deal import fold
from models.deal_state import Deal
from models.instants import canonical, day_start
from models.lifecycle.states import ReceivableState
from models.parts.receivable import Receivable
from models.policy import Policy
from models.stages.accruing import counted, fee_of, interest_of, recounted, uncharged
from models.stages.adopting import pinned
from models.stages.going_back import level_before
from models.stages.receivables import InvoiceIssued
from models.timeline import Entry

FIRST_YEAR, LAST_YEAR = 1990, 9900
"""What is asked about lies in these years, so that instants compare as text."""

VALUE_DAYS = {"record_payment": "received_on", "reverse_payment": "returned_on"}
"""Acts about money that carry a value day, and the field of their payload that does."""

_MOVED = (
    "paid_minor",
    "credited_minor",
    "written_off_minor",
    "unapplied_minor",
    "overcredited_minor",
    "set_off_minor",
    "tolerated_minor",
)


@dataclass(frozen=True, slots=True)
class Times:
    """The instant that is asked about, and the one whose knowledge counts; nothing is known of a later instant than
    that. Raises ValueError."""

    at: str
    known_at: str

    def __post_init__(self) -> None:
        if self.at > self.known_at:
            raise ValueError(f"nobody knew at {self.known_at} what would be at {self.at}")


def moment(text: str) -> str:
    """An instant as people write it: a day stands for its last second, in UTC. Raises ValueError for anything else."""
    at = canonical(text) if "T" in text else day_start(text)[:10] + "T23:59:59Z"
    if not at[:4].isdigit() or len(at) != len("2026-11-21T08:00:00Z") or not FIRST_YEAR <= int(at[:4]) <= LAST_YEAR:
        raise ValueError(f"an instant lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    return at


def effective_at(entry: Entry) -> str:
    """From when on an entry counts: its own instant, or the beginning of an earlier value day. A value day never lies
    after the entry."""
    return value_instant(entry.at, str(entry.payload.get(VALUE_DAYS.get(entry.action, ""), "")))


def value_instant(at: str, day: str) -> str:
    """From when on money counts that was booked at an instant with a value day (ISO date, perhaps empty)."""
    return day_start(day) if day and day < at[:10] else at


@dataclass(frozen=True, slots=True)
class Learnt:
    """An act that was recorded after the instant asked about, and takes effect by then: what it changes of one invoice.

    `moves` are differences of the invoice's amounts in minor units. `issued` is the invoice itself when the act brought
    it.
    """

    sequence: int
    at: str
    effective_at: str
    action: str
    actor: str
    invoice: str
    moves: dict[str, int]
    issued: Receivable | None = None

    @property
    def lowers_minor(self) -> int:
        """By how much it lowers what is open; negative when it raises it, as an invoice does."""
        names = ("paid_minor", "credited_minor", "written_off_minor")
        return sum(self.moves.get(name, 0) for name in names) - (self.issued.open_minor if self.issued else 0)


@dataclass(frozen=True, slots=True)
class AsKnown:
    """A deal at two times. `deal` is what the books said at `times.at` (None: not opened yet), under the `policy`
    that it lived by. `receivables` are its invoices with the money that is known to have come or gone by then, `learnt`
    is what makes the difference."""

    times: Times
    policy: Policy
    deal: Deal | None
    receivables: tuple[Receivable, ...] = ()
    learnt: tuple[Learnt, ...] = ()

    @property
    def day(self) -> str:
        """The day that is asked about (ISO date, UTC)."""
        return self.times.at[:10]


def as_known(entries: Sequence[Entry], times: Times, opened_under: Policy) -> AsKnown:
    """What a timeline tells about an instant, to whoever had read it until another one.

    `opened_under` is the policy of its first entry. Raises ValueError like `fold`.
    """
    then = list(takewhile(lambda entry: entry.at <= times.at, entries))
    since = list(takewhile(lambda entry: entry.at <= times.known_at, entries[len(then) :]))
    deal, policy = fold(then) if then else None, pinned(then, opened_under)
    learnt = tuple(_learnt(deal, since, times.at))
    owed = _owed(deal, learnt, policy, times.at[:10])
    return AsKnown(times, policy, deal, owed, learnt)


def _learnt(deal: Deal | None, since: Sequence[Entry], at: str) -> Iterable[Learnt]:
    """What entries after an instant tell about it, in their order."""
    late = [place for place, entry in enumerate(since) if _tells_of(entry, at)]
    for place, entry in enumerate(since[: late[-1] + 1] if late else ()):
        before, deal = deal, fold([entry], deal)
        if place in late:
            yield from _changes(before, deal, entry, at)


def _tells_of(entry: Entry, at: str) -> bool:
    return effective_at(entry) <= at or any(_issued_by(plain, at) for plain in entry.events)


def _issued_by(plain: dict[str, Any], at: str) -> bool:
    return bool(plain["tag"] == InvoiceIssued.tag and plain["receivable"]["issued_at"] <= at)


def _changes(before: Deal | None, after: Deal, entry: Entry, at: str) -> Iterable[Learnt]:
    effective = effective_at(entry)
    about = (entry.sequence, entry.at)
    for owed in after.receivables:
        was = before.receivable(owed.number) if before else None
        if was is None:
            if owed.issued_at <= at:
                yield Learnt(*about, owed.issued_at, entry.action, entry.actor, owed.number, {}, owed)
            continue
        differences = ((name, getattr(owed, name) - getattr(was, name)) for name in _MOVED)
        moves = {name: moved for name, moved in differences if moved}
        if effective <= at and moves:
            yield Learnt(*about, effective, entry.action, entry.actor, owed.number, moves)


def _owed(deal: Deal | None, learnt: Iterable[Learnt], policy: Policy, day: str) -> tuple[Receivable, ...]:
    found = {owed.number: owed for owed in (deal.receivables if deal else ())}
    late: dict[str, list[Learnt]] = {}
    for each in learnt:
        if each.issued is not None:
            found[each.invoice] = each.issued
        else:
            late.setdefault(each.invoice, []).append(each)
    for number, moves in late.items():
        if number in found:  # money for an invoice that had not been issued by then counts from its issue on
            moves.sort(key=lambda each: (each.effective_at, each.sequence))
            found[number] = _moved(found[number], moves, policy, day)
    return tuple(found.values())


def _moved(owed: Receivable, moves: Iterable[Learnt], policy: Policy, day: str) -> Receivable:
    """An invoice at a day with money of which one learnt later; the deal's own rules say what that does to interest."""
    for told in counted(owed, policy, day):
        owed = told.count(owed)
    for each in moves:
        after = replace(owed, **{name: getattr(owed, name) + change for name, change in each.moves.items()})
        if each.lowers_minor > 0:
            for told in recounted(owed, after, policy, each.effective_at[:10]):
                after = told.count(after)
        owed = after
    return _in_its_state(_within_bounds(owed), day)


def _within_bounds(owed: Receivable) -> Receivable:
    """Nothing is owed twice or paid twice: what came in too often at that instant is the customer's credit."""
    paid = max(0, owed.paid_minor)
    beyond = max(0, paid - (owed.total_minor - owed.credited_minor - owed.written_off_minor))
    return replace(owed, paid_minor=paid - beyond, unapplied_minor=max(0, owed.unapplied_minor + beyond))


def _in_its_state(owed: Receivable, day: str) -> Receivable:
    if owed.open_minor <= 0 and not owed.is_settled:
        return replace(owed, state=ReceivableState.PAID.value, settled_at=day_start(day))
    if owed.open_minor > 0 and owed.is_settled:
        return replace(owed, state=level_before(owed), settled_at="")
    return owed


@dataclass(frozen=True, slots=True)
class Position:
    """What one invoice came to on a day, in minor units. `overdue_minor` is all that is open after the due day, with
    its disputed part. Interest and lump sum are those that the policy counts by then."""

    number: str
    kind: str
    currency: str
    state: str
    issued_at: str
    due_at: str
    total_minor: int
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    open_minor: int
    disputed_minor: int
    overdue_minor: int
    credit_minor: int
    interest_minor: int
    lump_sum_minor: int
    uncharged_minor: int


def positions(seen: AsKnown) -> list[Position]:
    """All invoices of a deal that had been issued by the instant asked about, in their order."""
    return [_position(owed, seen.policy, seen.day) for owed in seen.receivables]


def _position(owed: Receivable, policy: Policy, day: str) -> Position:
    return Position(
        number=owed.number,
        kind=owed.kind,
        currency=owed.currency,
        state=str(owed.state),
        issued_at=owed.issued_at,
        due_at=owed.due_at,
        total_minor=owed.total_minor,
        paid_minor=owed.paid_minor,
        credited_minor=owed.credited_minor,
        written_off_minor=owed.written_off_minor,
        open_minor=owed.open_minor,
        disputed_minor=owed.disputed_minor,
        overdue_minor=owed.open_minor if owed.due_at[:10] < day else 0,
        credit_minor=owed.unapplied_minor,
        interest_minor=interest_of(owed, policy, day),
        lump_sum_minor=fee_of(owed, policy),
        uncharged_minor=uncharged(owed, policy, day),
    )
