"""Invoices under another policy: letters, holds and other rungs that come earlier, later, in addition or not at all,
and what late money would have cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from models.counterfactual_ladder import Climb, Rise, climbed
from models.counterfactual_values import Decision, Flip, Kind, Walked
from models.interest import accrued, rounded, whole_minor
from models.parts.receivable import Receivable
from models.policy import Policy
from models.stages.accruing import bears_interest

Covers = Callable[[str], bool]
_TELLING = frozenset({"involve_head", "hand_to_legal"})
"""Rungs without a letter that somebody notices all the same."""


def judged_invoices(walked: Sequence[Walked], end: str, covers: Covers) -> Iterator[Decision]:
    """Each invoice of a deal until an instant."""
    if end < walked[0].entry.at:
        return
    last = walked[-1]
    for owed in last.after.receivables:
        old, new = (climbed(walked, owed.number, end, draft=draft) for draft in (False, True))
        if old is None or new is None:
            continue
        flips = [flip for flip in _rungs(old, new, owed) if covers(flip.at)]
        day = owed.settled_at if owed.is_settled else end
        if covers(day) or (not owed.is_settled and any(covers(rise.at) for rise in (*old.rises, *new.rises))):
            flips += _interest(walked, old, new, owed, day)
        yield Decision(True, tuple(flips))


def _rungs(old: Climb, new: Climb, owed: Receivable) -> Iterator[Flip]:
    before = {rise.rung.action: rise for rise in old.rises}
    after = {rise.rung.action: rise for rise in new.rises}
    for action in dict.fromkeys((*before, *after)):
        was, would = before.get(action), after.get(action)
        told = [rise for rise in (was, would) if rise is not None]
        noticed = any(rise.rung.letter or rise.holds or action in _TELLING for rise in told)
        if not noticed or (was and would and _words(was) == _words(would)):
            continue
        at = min(rise.at for rise in told)
        yield Flip(
            at, 0, action, _kind(was, would), _words(was), _words(would), "to_collect", told[0].open_minor,
            owed.currency, owed.number,
        )  # fmt: skip


def _kind(was: Rise | None, would: Rise | None) -> Kind:
    if was is None or would is None:
        return Kind.ADDED if was is None else Kind.DROPPED
    if was.at[:10] == would.at[:10]:
        more = (bool(would.rung.letter), would.holds) > (bool(was.rung.letter), was.holds)
        return Kind.ADDED if more else Kind.DROPPED
    return Kind.EARLIER if would.at < was.at else Kind.LATER


def _words(rise: Rise | None) -> str:
    if rise is None:
        return "not at all"
    letter = f", letter {rise.rung.letter}" if rise.rung.letter else ""
    return f"{rise.at[:10]}{letter}{', credit hold' if rise.holds else ''}"


def _interest(walked: Sequence[Walked], old: Climb, new: Climb, owed: Receivable, at: str) -> Iterator[Flip]:
    steps, last = _steps(walked, owed.number), walked[-1]
    day = at[:10] if not owed.is_settled else steps.last_on or at[:10]
    was, would = (_claim(steps, climb, owed, policy, day) for climb, policy in ((old, last.policy), (new, last.draft)))
    if was != would:
        words = [f"{amount} of interest and lump sum" for amount in (was, would)]
        yield Flip(
            at, 0, "charge_interest", Kind.INTEREST, words[0], words[1], "interest", would - was, owed.currency,
            owed.number,
        )  # fmt: skip


@dataclass(slots=True)
class Steps:
    """How what is to be collected changed: the day from which interest is counted on it, and by how much."""

    due_on: str
    changes: list[tuple[str, int]] = field(default_factory=list)
    last_on: str = ""


def _steps(walked: Sequence[Walked], number: str) -> Steps:
    """Money counts from the day on which it came in; what a dispute froze wrongly was owed all the time."""
    steps = Steps("")
    for step in walked:
        owed = step.after.receivable(number)
        before = step.before.receivable(number) if step.before else None
        if owed is None:
            continue
        steps.due_on = owed.due_at[:10]
        change = owed.collectable_minor - (before.collectable_minor if before else 0)
        if not change:
            continue
        day = str(step.entry.payload.get("received_on") or "") if step.entry.action == "record_payment" else ""
        freed = _freed_since(step, before) if change > 0 else ""
        steps.changes.append((freed or day or (step.entry.at[:10] if before else ""), change))
        steps.last_on = max(steps.last_on, day or step.entry.at[:10])
    return steps


def _freed_since(step: Walked, before: Receivable | None) -> str:
    """The day on which a dispute that this act ended was raised."""
    ended = {each["number"] for each in step.entry.events if each["tag"] == "dispute_decided"}
    raised = [each.raised_at[:10] for each in (before.disputes if before else ()) if each.number in ended]
    return raised[0] if raised else ""


def _claim(steps: Steps, climb: Climb, owed: Receivable, policy: Policy, day: str) -> int:
    """Interest and lump sum that the customer owes for this invoice by a day, in minor units; nothing below the
    policy's least amount, nor before the ladder has reached its rung."""
    claimed = any(each.rung == policy.interest.from_rung for each in climb.owed.reached)
    if not claimed or not bears_interest(owed, policy):
        return 0
    units = 0
    for since, change in steps.changes:
        cost = accrued(policy.interest, abs(change), max(since, steps.due_on), day)
        units += cost if change > 0 else -cost
    interest = rounded(*whole_minor(max(0, units)))
    if owed.is_settled and not interest:
        return 0  # the money was here in time and only booked late
    total = interest + policy.interest.fee_minor.get(owed.currency, 0)
    return total if total >= max(1, policy.interest.least_minor) else 0
