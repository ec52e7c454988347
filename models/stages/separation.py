"""Keeps in the deal who did the duties that guards must tell apart (`models.duties`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal
from models.duties import DUTY_OF, GUARDED, MACHINES
from models.event import Event, event
from models.lifecycle.roles import Role
from models.parts.duty import Done

SINCE = 3
"""The generation of the rules (`Policy.rules`) from which deals remember it."""


@event
@dataclass(frozen=True, slots=True)
class DutyDone(Event):
    """Somebody did a duty for the first time on this deal."""

    tag = "duty_done"
    duty: str
    action: str
    people: tuple[str, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, did=(*deal.did, Done(self.duty, self.action, deal.version + 1, self.people)))


def noted(ctx: Context, action: str) -> Iterable[Event]:
    """What the deal must remember of an act: once per duty and people, and nothing of machines."""
    duty = DUTY_OF.get(action, "")
    if duty not in GUARDED or ctx.policy.rules < SINCE or Role(ctx.role) in MACHINES:
        return
    if not any(done.duty == duty and done.people == ctx.actor.people for done in ctx.deal.did):
        yield DutyDone(duty, action, ctx.actor.people)
