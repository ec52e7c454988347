"""The credit hold on a whole customer group: one deal's late money stops confirmations and goods of all others.

The deal that asks for the hold keeps it in its own `holds` as well; so what a deal has set, it knows to lift.
"""

from dataclasses import dataclass

from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.messages.finance import GroupHoldsInput

CREDIT_HOLD = "credit"
"""The hold that the ladder sets, and that is lifted when nothing is left that asks for it."""


@event
@dataclass(frozen=True, slots=True)
class GroupHoldChanged(Event):
    """The customer's group is held because of this deal, or not any more. An empty `invoice` stands for the deal as a
    whole: lifted so, all that the deal has set is gone."""

    tag = "group_hold_changed"
    on: bool
    invoice: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("hold_group", {"on": self.on, "invoice": self.invoice, "reason": self.reason}),)


def group_of(deal: Deal) -> str:
    """Whom a hold concerns: the customer's group, or a customer that belongs to none."""
    return deal.group or deal.customer


def ask_group_holds(ctx: Context) -> GroupHoldsInput | None:
    """Which other deals hold the customer's group; the first rules did not ask."""
    if ctx.policy.rules < 3:
        return None
    return GroupHoldsInput(group_of(ctx.deal), ctx.deal.id, ctx.now, ctx.deal.is_test)


def group_hold(ctx: Context, on: bool, invoice: str, reason: str) -> list[Event]:
    """The event that holds the customer's group, or lifts it; nothing under rules that know no such holds."""
    return [GroupHoldChanged(on, invoice, reason)] if ctx.policy.rules >= 3 else []
