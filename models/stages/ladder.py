"""The collection ladder on the open remainder of an invoice: its rungs, their dates, and what a pause does (D29).

Rungs are counted from the due date. While everything open is disputed, promised or in a payment plan, the ladder
stands still, and its later rungs move by as many days, so that nobody gets three letters at once afterwards.
"""

from dataclasses import dataclass

from models.calendar import plus_working
from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import between, day_start, plus
from models.lifecycle.machines import RECEIVABLES
from models.money import show
from models.parts.receivable import Reached, Receivable
from models.policy import Policy, Rung
from models.stages.accruing import INTEREST, fee_of, interest_of, is_claimed
from models.stages.everywhere import HoldSet
from models.stages.group_hold import CREDIT_HOLD, group_hold
from models.stages.handling import handles
from models.stages.letters import letter
from models.stages.owed import with_receivable


@dataclass(frozen=True, slots=True)
class AdvanceCollection:
    """The agenda item of a rung, and the invoice it belongs to."""

    item: str
    invoice: str
    rung: str


@event
@dataclass(frozen=True, slots=True)
class CollectionAdvanced(Event):
    """A rung of the ladder was reached; `letter` is empty for rungs without one, or when it has an event of its own."""

    tag = "collection_advanced"
    invoice: str
    rung: str
    letter: str
    open_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def climb(r: Receivable) -> Receivable:
            state = RECEIVABLES.fire(r.state, self.rung)
            if any(each.rung == self.rung for each in r.reached):
                return replace(r, state=state)
            return replace(r, state=state, reached=(*r.reached, Reached(self.rung, at)))

        return with_receivable(deal, self.invoice, climb)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        if not self.letter:
            return ()
        owed = deal.receivable(self.invoice)
        facts = {
            "invoice": self.invoice,
            "open": show(self.open_minor, deal.currency),
            "due_at": owed.due_at[:10] if owed else "",
        }
        return (Effect("send_letter", {"kind": self.letter, "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class LadderPaused(Event):
    """Nothing can be collected for the time being: everything open is disputed, promised or in a payment plan."""

    tag = "ladder_paused"
    invoice: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, lambda r: replace(r, paused_at=at))


@event
@dataclass(frozen=True, slots=True)
class LadderMoved(Event):
    """The ladder goes on; its rungs count from another instant."""

    tag = "ladder_moved"
    invoice: str
    base: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, lambda r: replace(r, ladder_base=self.base, paused_at=""))


def next_rung(owed: Receivable, policy: Policy) -> Rung | None:
    """The next rung above the level that the invoice has reached, or None on the last."""
    return next((rung for rung in policy.ladder if RECEIVABLES.table.row(owed.state, rung.action)), None)


def base_of(owed: Receivable) -> str:
    """The instant that rungs count from."""
    return owed.ladder_base or owed.due_at


def rung_due(owed: Receivable, rung: Rung, policy: Policy, country: str) -> str:
    """When a rung is due: on a working day in the customer's country under the rules that know such days."""
    due = max(plus(base_of(owed), rung.after), owed.issued_at)
    if policy.rules < 3:
        return due
    return plus_working(max(due, _after_the_last_letter(owed, rung, policy)), 0, policy.holidays_in(country))


def _after_the_last_letter(owed: Receivable, rung: Rung, policy: Policy) -> str:
    """Before this instant another letter would follow the last one too soon: holidays and broken words bring rungs
    closer together than the policy lists them."""
    letters = {each.action: each.after for each in policy.ladder if each.letter}
    sent = [each for each in owed.reached if each.rung in letters]
    if not sent or not rung.letter:
        return ""
    gap = min(policy.money.letter_gap, rung.after - letters[sent[-1].rung])
    return plus(sent[-1].at, gap)


def resumed(owed: Receivable, now: str) -> LadderMoved:
    """The ladder after a pause: later by the time that it lasted after the instant that rungs count from."""
    base = base_of(owed)
    paused = max(0, between(max(owed.paused_at or now, base), now))
    return LadderMoved(owed.number, plus(base, paused))


def one_level_up(owed: Receivable, policy: Policy, now: str) -> LadderMoved:
    """The ladder after a broken word: the next rung is due now; not before the invoice itself is due."""
    rung = next_rung(owed, policy)
    if rung is None or now < owed.due_at:
        return LadderMoved(owed.number, base_of(owed))
    return LadderMoved(owed.number, plus(now, -rung.after))


def going_on(owed: Receivable, policy: Policy, now: str) -> LadderMoved:
    """The ladder of an invoice that was settled and is open again: as if its last rung had been reached today."""
    rungs = {rung.action: rung.after for rung in policy.ladder}
    last = max(0, rungs.get(owed.reached[-1].rung, 0)) if owed.reached else 0
    return LadderMoved(owed.number, max(base_of(owed), plus(now, -last)))


def brought_late(owed: Receivable, policy: Policy, now: str) -> list[Event]:
    """The ladder of an invoice of an earlier system that fell due before it was brought: what that system wrote is not
    known, so nothing is written at once, and the rungs after the due date count from today, one after the other."""
    passed = [rung for rung in policy.ladder if rung.after <= 0 and RECEIVABLES.table.row(owed.state, rung.action)]
    if now < owed.due_at or not passed:
        return []
    fallen = CollectionAdvanced(owed.number, passed[-1].action, "", owed.open_minor)
    return [fallen, LadderMoved(owed.number, day_start(now[:10]))]


def resting(owed: Receivable, policy: Policy, now: str, seconds: int) -> LadderMoved:
    """The ladder whose next rung is due after some time."""
    rung = next_rung(owed, policy)
    return LadderMoved(owed.number, plus(now, seconds - rung.after) if rung else base_of(owed))


@handles("advance_collection", AdvanceCollection)
def advance_collection(ctx: Context) -> list[Event]:
    """One rung up on what is collectable; the policy's rung sets the credit hold."""
    p: AdvanceCollection = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    rung = next((r for r in ctx.policy.ladder if r.action == p.rung), Rung(p.rung, 0))
    if owed is None:
        return []
    # the group is held first: the letter may take its time
    sets_hold = p.rung == ctx.policy.credit_hold_from and (ctx.policy.rules < 3 or owed.kind != INTEREST)
    if not sets_hold:
        return climbing(ctx, owed, rung)
    overdue = f"invoice {p.invoice} is overdue"
    group = group_hold(ctx, True, p.invoice, overdue)
    if CREDIT_HOLD in ctx.deal.holds:
        return [*group, *climbing(ctx, owed, rung)]
    for number in late_invoices(ctx, ctx.deal):  # a person had lifted the hold for them
        group += group_hold(ctx, True, number, f"invoice {number} is overdue")
    return [*group, *climbing(ctx, owed, rung), HoldSet(CREDIT_HOLD, overdue)]


def late_invoices(ctx: Context, deal: Deal) -> list[str]:
    """Invoices of which something is late enough for the credit hold."""
    return [r.number for r in deal.receivables if r.collectable_minor > 0 and asks_for_hold(r, ctx.policy)]


def asks_for_hold(r: Receivable, policy: Policy) -> bool:
    """True when the invoice has reached the rung that sets the credit hold, or a later one."""
    if policy.rules >= 3 and (r.kind == INTEREST or r.plan is not None):
        return False
    rungs = [rung.action for rung in policy.ladder]
    later = rungs[rungs.index(policy.credit_hold_from) :]
    return any(row.target == r.state for row in RECEIVABLES.table.rows if row.action in later)


def climbing(ctx: Context, owed: Receivable, rung: Rung) -> list[Event]:
    """A rung is reached; its letter is written, unless it was when the invoice reached it before."""
    if ctx.policy.rules < 3:
        return [CollectionAdvanced(owed.number, rung.action, rung.letter, owed.collectable_minor)]
    events: list[Event] = [CollectionAdvanced(owed.number, rung.action, "", owed.collectable_minor)]
    if any(each.rung == rung.action for each in owed.reached):
        return events
    day = ctx.now[:10]
    if rung.after < 0 and day > owed.due_at[:10]:
        return events  # nothing is announced that is late already
    after = events[0].apply(ctx.deal, ctx.now).receivable(owed.number)
    if after is None or not is_claimed(after, ctx.policy):
        return [*events, *letter(ctx, rung.letter, owed)]
    claimed = {"interest_minor": interest_of(after, ctx.policy, day), "fee_minor": fee_of(after, ctx.policy)}
    return [*events, *letter(ctx, rung.letter, owed, **claimed)]
