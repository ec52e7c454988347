"""Guards of moving a deal to another version of the policy."""

from typing import Any

from models import codec
from models.command import Context
from models.instants import between
from models.lifecycle.guards import guard
from models.policy import Policy
from models.policy_soundness import flaws


def _numbers(ctx: Context) -> Policy | None:
    """The numbers that were found, or None for a version that is unknown or that this release can't read."""
    try:
        return codec.decode(Policy, ctx.facts.policy.body) if ctx.facts.policy and ctx.facts.policy.body else None
    except codec.Malformed:
        return None


@guard("another version than the deal's own", "nobody: the deal has this version", needs="payload")
def policy_is_another(ctx: Context) -> tuple[bool, Any]:
    """A move that changes nothing is a slip."""
    return ctx.payload.version != ctx.deal.policy_version, ctx.deal.policy_version


@guard("a version that stands and that this release can read", "admin: `policies activate`", needs="policy")
def policy_stands(ctx: Context) -> tuple[bool, Any]:
    """Only what was approved and activated is law for a deal."""
    told, numbers = ctx.facts.policy, _numbers(ctx)
    if told is None or not told.body:
        return False, "no such version"
    if numbers is None or numbers.version != told.version:
        return False, "not readable"
    wrong = flaws(numbers)
    return not wrong, "; ".join(f"{where}: {why}" for where, why in list(wrong.items())[:3]) or told.version


@guard("a version that is active already", "nobody: wait until then", needs="policy")
def policy_is_active(ctx: Context) -> tuple[bool, Any]:
    """A deal does not live by numbers of the future."""
    told = ctx.facts.policy
    if told is None or not told.active_from:
        return False, "not active"
    return between(told.active_from, ctx.now) >= 0, f"active from {told.active_from}"


@guard("a version with the rules that the deal started with", "nobody: a deal keeps its rules", needs="policy")
def rules_stay(ctx: Context) -> tuple[bool, Any]:
    """Numbers may change in the midst of a deal, what its acts mean may not."""
    numbers = _numbers(ctx)
    found = f"rules {numbers.rules}" if numbers else "not readable"
    return numbers is not None and numbers.rules == ctx.policy.rules, f"{found}, the deal has {ctx.policy.rules}"


@guard("rungs for all goods that are missing", "nobody: another version, or once the goods are there", needs="policy")
def missing_goods_keep_their_rung(ctx: Context) -> tuple[bool, Any]:
    """Somebody is asked already, and somebody must be next."""
    numbers = _numbers(ctx)
    asked = {
        line.shortage.rung
        for line in (ctx.deal.order.lines if ctx.deal.order else ())
        if line.shortage and line.shortage.is_active
    }
    gone = sorted(name for name in asked if numbers and numbers.shortage.rung(name) is None)
    return not gone, f"no rung {', '.join(gone)}" if gone else "all there"
