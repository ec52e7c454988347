"""Guards of the reliability check."""

from typing import Any

from models.command import Context
from models.instants import between
from models.lifecycle.guards import guard
from models.lifecycle.roles import Role
from models.parts.credit import assess


def _grade(ctx: Context) -> str:
    return assess(ctx.payload.found, ctx.policy, ctx.now).grade


@guard("class A or B", "nobody: the class follows from the findings", needs="payload")
def class_passes(ctx: Context) -> tuple[bool, Any]:
    """Good customers pass without a person (D9)."""
    grade = _grade(ctx)
    return grade in ("A", "B"), grade


@guard("class C or D", "nobody: the class follows from the findings", needs="payload")
def class_needs_review(ctx: Context) -> tuple[bool, Any]:
    """Doubtful customers go to the risk officer (D9)."""
    grade = _grade(ctx)
    return grade in ("C", "D"), grade


@guard("class E", "nobody: the class follows from the findings", needs="payload")
def class_is_rejected(ctx: Context) -> tuple[bool, Any]:
    """Blocked, unknown or hopeless customers are rejected (D9)."""
    grade = _grade(ctx)
    return grade == "E", grade


@guard("class A to C, or prepaid terms set by the commercial director", "commercial_director", needs="payload")
def class_d_needs_director(ctx: Context) -> tuple[bool, Any]:
    """Class D needs prepayment plus the director (D9)."""
    grade = ctx.deal.assessment.grade if ctx.deal.assessment else "none"
    prepaid = ctx.payload.payment_days == 0
    ok = grade != "D" or (prepaid and Role.COMMERCIAL_DIRECTOR in ctx.actor.roles)
    return ok, f"class {grade}, {'prepaid' if prepaid else f'net {ctx.payload.payment_days}'}, as {ctx.role}"


@guard(
    "a reliability check that is still valid",
    "account_manager: recheck_reliability, before the contract is signed",
    "risk_officer: confirm_reliability, when the order waits",
)
def reliability_is_fresh(ctx: Context) -> tuple[bool, Any]:
    """Checks age: after the policy's time the customer is looked at again (D10)."""
    made = ctx.deal.assessment
    if made is None:
        return False, "no check"
    return between(ctx.now, made.valid_until) > 0, f"valid until {made.valid_until}"
