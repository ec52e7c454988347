"""Guards that keep duties apart: whoever did one half of a conflicting pair on the deal does not do the other."""

from typing import Any

from models.command import Context
from models.duties import MACHINES, rules_about
from models.lifecycle.guards import guard

_ANOTHER = "another person with the role, who is no deputy of who did it"


def _apart(ctx: Context, duty: str) -> tuple[bool, Any]:
    """Whether none of those who act, nor anybody for whom they stand in, did a duty that conflicts with this one."""
    if ctx.role in MACHINES:  # who only asks what is possible may have no role for it
        return True, "a machine"
    mine = set(ctx.actor.eyes)
    against = {rule.other(duty): rule for rule in rules_about(duty) if rule.prevented_by == "guard"}
    for done in ctx.deal.did:
        if done.duty in against and (both := sorted(mine & set(done.people))):
            rule = against[done.duty]
            return False, f"{rule.name}: {', '.join(both)} did {done.action} in entry {done.sequence}"
    return True, f"{ctx.actor.user} did nothing against it"


@guard("somebody who had no part in what orders must be kept apart from", _ANOTHER, since=3)
def order_entry_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who enters an order neither sends its goods off nor credits it."""
    return _apart(ctx, "order_entry")


@guard("somebody who neither entered the order nor books its money", _ANOTHER, since=3)
def goods_release_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who lets goods leave neither entered the order nor books money for it."""
    return _apart(ctx, "goods_release")


@guard("somebody who does not book the money", _ANOTHER, since=3)
def invoicing_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who decides that an invoice is written does not book what is paid on it."""
    return _apart(ctx, "invoicing")


@guard("somebody who neither lets goods leave, invoices, credits nor gives money up", _ANOTHER, since=3)
def payment_booking_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who books money has no other way to make an invoice disappear, and sends no goods off."""
    return _apart(ctx, "payment_booking")


@guard("somebody who neither entered the order nor books its money", _ANOTHER, since=3)
def credit_note_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who issues a credit note neither entered the order nor books money for it."""
    return _apart(ctx, "credit_note")


@guard("somebody who does not book the money", _ANOTHER, since=3)
def relief_approval_is_apart(ctx: Context) -> tuple[bool, Any]:
    """Who gives up a claim does not book money on it."""
    return _apart(ctx, "relief_approval")
