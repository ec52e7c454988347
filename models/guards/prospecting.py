"""Guards of prospecting."""

from typing import Any

from models.command import Context
from models.lifecycle.guards import guard
from models.stages.prospecting import LossReason


@guard("recorded needs", "account_manager: record_needs")
def needs_are_recorded(ctx: Context) -> tuple[bool, Any]:
    """No qualification without what, how much, when and how they decide (D6)."""
    return ctx.deal.needs is not None, ctx.deal.needs.what if ctx.deal.needs else "none"


@guard("a named competitor when the reason is competitor", "the asker: the name, or another reason", needs="payload")
def lost_to_is_told(ctx: Context) -> tuple[bool, Any]:
    """A deal lost to a competitor names it (D7)."""
    ok = ctx.payload.reason != LossReason.COMPETITOR or bool(ctx.payload.competitor.strip())
    return ok, ctx.payload.competitor or "nobody named"
