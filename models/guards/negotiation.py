"""Guards of negotiation: prices, discount authority, margin, validity, headroom."""

from typing import Any

from models.command import Context
from models.instants import between
from models.lifecycle.guards import guard
from models.money import MAX_MINOR
from models.policy import Policy, able
from models.stages.approvals import granted
from models.stages.negotiation import priced


def _able(policy: Policy, bps: int) -> tuple[str, ...]:
    return able(policy.discount_authority, bps)


def _authority(ctx: Context) -> int:
    return max((ctx.policy.discount_authority.get(role, 0) for role in ctx.actor.roles), default=0)


@guard("articles that the price list knows in the deal's currency", "admin: import products", needs="quote")
def articles_are_listed(ctx: Context) -> tuple[bool, Any]:
    """Only listed articles are offered."""
    quote = ctx.facts.quote
    missing = [line.article for line in quote.lines if not line.known] if quote else []
    return not missing, ", ".join(missing) or "all listed"


@guard("a discount that somebody may grant", "a smaller discount", needs="quote")
def discount_is_possible(ctx: Context) -> tuple[bool, Any]:
    """Above the director's authority nobody can say yes (D12)."""
    bps = priced(ctx).discount_bps
    most = max(ctx.policy.discount_authority.values())
    return bps <= most, f"{bps / 100:.2f} %, at most {most / 100:.2f} %"


@guard("a total that is no slip of the keyboard", "a smaller quantity or price", needs="quote")
def total_is_plausible(ctx: Context) -> tuple[bool, Any]:
    """List prices count as well, so that the total is known only with the quote."""
    total = priced(ctx).total_minor
    return total <= MAX_MINOR, f"{total} of at most {MAX_MINOR} minor units"


@guard("a margin above the floor", "a higher price", needs="quote")
def margin_is_kept(ctx: Context) -> tuple[bool, Any]:
    """The margin floor holds for everybody (D12)."""
    bps = priced(ctx).margin_bps
    floor = ctx.policy.margin_floor
    return bps >= floor, f"{'above' if bps >= floor else 'below'} the floor of {floor / 100:.2f} %"


@guard(
    "a validity that ends in the future, within the policy's longest", "the asker: another validity", needs="payload"
)
def validity_is_ahead(ctx: Context) -> tuple[bool, Any]:
    """An offer that is over when it starts is a slip."""
    until = ctx.payload.valid_until
    if not until:
        return True, "the policy's usual"
    ahead = between(ctx.now, until)
    return 0 < ahead <= ctx.policy.offer_validity_max, until


@guard("a drafted offer", "account_manager: draft_offer")
def offer_is_drafted(ctx: Context) -> tuple[bool, Any]:
    """There must be something to send."""
    return ctx.deal.offer is not None, f"version {ctx.deal.offer.version}" if ctx.deal.offer else "none"


@guard("an offer whose validity has not ended", "account_manager: draft_offer")
def offer_not_expired(ctx: Context) -> tuple[bool, Any]:
    """Nobody accepts or sends what has run out."""
    if ctx.deal.offer is None:
        return False, "none"
    return between(ctx.now, ctx.deal.offer.valid_until) > 0, f"valid until {ctx.deal.offer.valid_until}"


@guard("a discount beyond the asker's own authority", "account_manager: send_offer")
def approval_is_needed(ctx: Context) -> tuple[bool, Any]:
    """What one may grant oneself needs no approval."""
    if ctx.deal.offer is None:
        return False, "no offer"
    bps, mine = ctx.deal.offer.discount_bps, _authority(ctx)
    return bps > mine, f"{bps / 100:.2f} % asked, {mine / 100:.2f} % allowed"


@guard("a discount within the authority of the sender, or an approval of exactly this version", counts="offer")
def discount_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """The discount authority matrix (D12)."""
    offer = ctx.deal.offer
    if offer is None:
        return False, "no offer", ("account_manager: draft_offer",)
    bps, mine = offer.discount_bps, _authority(ctx)
    approved = granted(ctx.deal, "offer", offer.hash) is not None
    found = f"{bps / 100:.2f} % asked, {mine / 100:.2f} % allowed, {'approved' if approved else 'not approved'}"
    return bps <= mine or approved, found, tuple(f"{role}: approve_offer" for role in _able(ctx.policy, bps))


@guard("a discount within the approver's authority")
def discount_within_approver(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """An approver grants no more than the matrix says."""
    bps = ctx.deal.offer.discount_bps if ctx.deal.offer else 0
    mine = _authority(ctx)
    return bps <= mine, f"{bps / 100:.2f} % asked, {mine / 100:.2f} % allowed", _able(ctx.policy, bps)


@guard(
    "headroom in the customer group's credit limit",
    "accounts_receivable: record_payment on another deal",
    "risk_officer: a higher credit limit",
    needs="headroom",
)
def headroom_is_available(ctx: Context) -> tuple[bool, Any]:
    """Concurrent deals of a group can't jointly overrun its limit (D10)."""
    answer = ctx.facts.headroom
    if answer is None:
        return False, "not asked"
    return answer.granted, f"limit {answer.limit_minor}, used {answer.used_minor}"
