"""What follows when an invoice changes: interest counted, the ladder paused or resumed, holds set and lifted, headroom
given back, requests void. One place, so that every payment, credit note, dispute and promise re-evaluates at once."""

from collections.abc import Callable

from models.command import Context
from models.deal_state import Deal
from models.event import Event
from models.lifecycle.machines import APPROVALS
from models.parts.care import Approval
from models.parts.receivable import Receivable
from models.stages.accruing import INTEREST, recounted, uncharged
from models.stages.approvals import ApprovalSettled
from models.stages.dispute_ends import moot
from models.stages.everywhere import HoldLifted, HoldSet
from models.stages.group_hold import CREDIT_HOLD, group_hold
from models.stages.headroom import lower_headroom
from models.stages.ladder import LadderMoved, LadderPaused, late_invoices, resumed

Judge = Callable[[Approval, Receivable], bool]

CHANGED = "what was asked for has changed"


def after_all(deal: Deal, events: list[Event], now: str) -> Deal:
    """The deal after some events."""
    for happened in events:
        deal = happened.apply(deal, now)
    return deal


def money_moved(ctx: Context, events: list[Event], cause: str) -> list[Event]:
    """The events with what follows when they lower what is open: headroom goes back, the credit hold ends when no
    late money asks for it, and a write-off that was asked for another amount is void."""
    if ctx.policy.rules >= 3:
        return re_evaluated(ctx, events, cause)
    after = after_all(ctx.deal, events, ctx.now)
    settled = ctx.deal.open_minor - after.open_minor
    if settled <= 0:
        return events
    events = [*events, *lower_headroom(ctx.deal, max(0, ctx.deal.headroom_minor - settled), cause)]
    if CREDIT_HOLD in ctx.deal.holds and not late_invoices(ctx, after):
        events.append(HoldLifted(CREDIT_HOLD, "no late money is left"))
    return [*events, *_void(after, lambda asked, owed: asked.amount != owed.open_minor, ("write_off",))]


def re_evaluated(ctx: Context, events: list[Event], cause: str, day: str = "") -> list[Event]:
    """The events with all that follows under the third rules. Interest counts until `day` (empty: today), before
    what it is counted on changes."""
    interest = [
        each
        for before, after in _pairs(ctx.deal, after_all(ctx.deal, events, ctx.now))
        if before.collectable_minor != after.collectable_minor
        for each in recounted(before, after, ctx.policy, day or ctx.now[:10])
    ]
    events = [*interest, *events]
    events += moot(after_all(ctx.deal, events, ctx.now))
    after = after_all(ctx.deal, events, ctx.now)
    events += _ladder(ctx, after, events)
    settled = _principal(ctx.deal) - _principal(after)
    if settled > 0:
        events += lower_headroom(ctx.deal, max(0, ctx.deal.headroom_minor - settled), cause)
    events += _holds(ctx, after, cause)
    return [*events, *_void(after, lambda asked, owed: _is_void(ctx, asked, owed), tuple(_KINDS))]


def _principal(deal: Deal) -> int:
    """What is open for goods: headroom was held for that, not for interest."""
    return sum(r.open_minor for r in deal.receivables if r.kind != INTEREST)


def _pairs(before: Deal, after: Deal) -> list[tuple[Receivable, Receivable]]:
    return [(r, now) for r in before.receivables if (now := after.receivable(r.number)) is not None]


def _ladder(ctx: Context, after: Deal, events: list[Event]) -> list[Event]:
    """Ladders that stop or go on, unless the act itself has said where they go on."""
    told = {each.invoice for each in events if isinstance(each, LadderMoved)}
    found: list[Event] = []
    for before, now in _pairs(ctx.deal, after):
        if now.is_paused and not now.paused_at:
            found.append(LadderPaused(now.number))
        elif before.is_paused and not now.is_paused and not now.is_settled and now.number not in told:
            found.append(resumed(before, ctx.now))
    return found


def _holds(ctx: Context, after: Deal, cause: str) -> list[Event]:
    """The hold is set again when an invoice became late anew, and lifted by itself when the cause is gone."""
    before, late = late_invoices(ctx, ctx.deal), late_invoices(ctx, after)
    anew = [number for number in late if number not in before]
    gone = [number for number in before if number not in late]
    held = CREDIT_HOLD in ctx.deal.holds
    if held and not late:
        why = "no late money is left"
        return [HoldLifted(CREDIT_HOLD, why), *group_hold(ctx, False, "", why)]
    events: list[Event] = [each for number in gone if held for each in group_hold(ctx, False, number, cause)]
    # a hold that a person lifted is set again for all that is late, not for the new cause alone
    for number in anew if held else late if anew else []:
        events += group_hold(ctx, True, number, f"invoice {number} is overdue")
    if anew and not held:
        events.append(HoldSet(CREDIT_HOLD, f"invoice {anew[0]} is overdue"))
    return events


_KINDS = ("write_off", "legal", "waiver")


def _is_void(ctx: Context, asked: Approval, owed: Receivable) -> bool:
    if asked.kind == "write_off":
        return asked.amount != owed.open_minor
    if asked.kind == "legal":
        return owed.is_settled or owed.is_paused or owed.collectable_minor > asked.amount
    left = owed.open_minor if owed.kind == INTEREST else uncharged(owed, ctx.policy, ctx.now[:10])
    return asked.amount > left


def _void(after: Deal, is_void: Judge, kinds: tuple[str, ...]) -> list[Event]:
    found: list[Event] = []
    for asked in (request for kind in kinds if (request := after.pending_approval(kind)) is not None):
        owed = after.receivable(asked.subject)
        if owed is not None and is_void(asked, owed):
            found.append(ApprovalSettled(asked.number, APPROVALS.fire(asked.state, "void"), "", CHANGED))
    return found
