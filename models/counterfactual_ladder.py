"""The collection ladder of an invoice under a policy: when it would have reached each rung, given what really happened
to the invoice: payments, promises, plans, disputes, and requests for legal."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models.counterfactual_values import Walked
from models.deal_state import Deal
from models.lifecycle.machines import RECEIVABLES
from models.lifecycle.states import ReceivableState
from models.parts.receivable import Reached, Receivable
from models.policy import Policy, Rung
from models.stages.ladder import going_on, next_rung, one_level_up, resting, resumed, rung_due

_BROKEN = frozenset({"break_promise", "default_plan"})
_LEGAL = "hand_to_legal"


@dataclass(frozen=True, slots=True)
class Rise:
    """A rung that is reached: when, what can be collected then, and what it does."""

    rung: Rung
    at: str
    open_minor: int
    holds: bool


@dataclass(slots=True)
class Climb:
    """An invoice on its way up. `owed` is what is recorded of it, but for its place on the ladder."""

    owed: Receivable
    rises: list[Rise] = field(default_factory=list)


def climbed(walked: Sequence[Walked], number: str, end: str, *, draft: bool) -> Climb | None:
    """An invoice's way up the ladder until an instant, under the draft or under the policies that judged it."""
    climb: Climb | None = None
    for place, step in enumerate(walked):
        owed = step.after.receivable(number)
        if owed is None:
            continue
        policy = step.draft if draft else _pinned(walked, place)
        if climb is None:
            climb = Climb(owed)
        else:
            _follow(climb, step, owed, policy)
        until = walked[place + 1].entry.at if place + 1 < len(walked) else end
        _rise(climb, step, policy, until)
    return climb


def _pinned(walked: Sequence[Walked], place: int) -> Policy:
    """The policy that the deal lives by after a step: after it was moved to another one, the next step names that."""
    return walked[min(place + 1, len(walked) - 1)].policy


def _follow(climb: Climb, step: Walked, owed: Receivable, policy: Policy) -> None:
    """What an act did to the invoice, with its consequences for the ladder under this policy."""
    before = step.before.receivable(owed.number) if step.before else None
    mine = replace(owed, state=climb.owed.state, reached=climb.owed.reached, ladder_base=climb.owed.ladder_base)
    if step.entry.action == "decline_legal" and mine.state == ReceivableState.WITH_LEGAL:
        mine = replace(mine, state=ReceivableState.FORMALLY_NOTICED.value)
    if before is not None and owed.ladder_base != before.ladder_base:
        base = _base(step, replace(mine, paused_at=before.paused_at), policy)
        mine = replace(mine, ladder_base=base)
    climb.owed = mine


def _base(step: Walked, mine: Receivable, policy: Policy) -> str:
    action, at = step.entry.action, step.entry.at
    if action in _BROKEN:
        return one_level_up(mine, policy, at).base
    if action == "decline_legal":
        return resting(mine, policy, at, policy.money.legal_again).base
    if action == "reverse_payment":
        return going_on(mine, policy, at).base
    return resumed(mine, at).base


def _rise(climb: Climb, step: Walked, policy: Policy, until: str) -> None:
    deal, at = step.after, step.entry.at
    while _can_rise(climb.owed, deal):
        rung = next_rung(climb.owed, policy)
        if rung is None:
            return
        due = max(at, rung_due(climb.owed, rung, policy, deal.customer_country or deal.country))
        if due > until:
            return
        owed = climb.owed
        seen = any(each.rung == rung.action for each in owed.reached)
        reached = owed.reached if seen else (*owed.reached, Reached(rung.action, due))
        climb.owed = replace(owed, state=RECEIVABLES.fire(owed.state, rung.action), reached=reached)
        if not seen:
            holds = rung.action == policy.credit_hold_from
            climb.rises.append(Rise(_written(rung, owed, due), due, owed.collectable_minor, holds))


def _can_rise(owed: Receivable, deal: Deal) -> bool:
    """Whether the ladder runs: as recorded, only the rung is this policy's."""
    real = deal.receivable(owed.number)
    asked = deal.pending_approval("legal")
    waits = asked is not None and asked.subject == owed.number and owed.state == ReceivableState.FORMALLY_NOTICED
    return real is not None and not real.is_settled and not real.is_paused and not deal.is_closed and not waits


def _written(rung: Rung, owed: Receivable, at: str) -> Rung:
    """The rung, without the letter that announces what is late already."""
    return replace(rung, letter="") if rung.after < 0 and at[:10] > owed.due_at[:10] else rung
