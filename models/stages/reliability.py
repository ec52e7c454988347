"""Reliability check: assess the customer before anything is promised (D8..D10)."""

import dataclasses
from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import plus
from models.messages.finance import ReliabilityFacts
from models.money import MAX_MINOR
from models.parts.credit import Assessment, assess
from models.stages.everywhere import EffectFinished, Reason
from models.stages.handling import handles
from models.stages.headroom import lower_headroom


@dataclass(frozen=True, slots=True)
class ReliabilityReport:
    """What finance found out, for the effect that asked for it."""

    effect: str
    found: ReliabilityFacts


@dataclass(frozen=True, slots=True)
class ApproveReliability:
    """Terms under which the risk is accepted. Limit in minor units; `payment_days` 0 means prepaid."""

    credit_limit_minor: int
    payment_days: int
    reason: str

    def __post_init__(self) -> None:
        if not 0 <= self.credit_limit_minor <= MAX_MINOR:
            raise ValueError(f"credit_limit_minor must be from 0 to {MAX_MINOR}")
        if not 0 <= self.payment_days <= 365:
            raise ValueError("payment_days must be from 0 to 365")


@event
@dataclass(frozen=True, slots=True)
class CheckRequested(Event):
    """Finance is asked to assess the customer."""

    tag = "check_requested"

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("assess_reliability"),)


@event
@dataclass(frozen=True, slots=True)
class ReliabilityAssessed(Event):
    """The score stands, with all its components."""

    tag = "reliability_assessed"
    assessment: Assessment

    def apply(self, deal: Deal, at: str) -> Deal:
        a = self.assessment
        return replace(
            deal,
            assessment=a,
            group=a.group or deal.group,
            terms_prepaid=a.prepaid,
            terms_days=a.payment_days,
            credit_limit_minor=a.limit_minor,
        )


@event
@dataclass(frozen=True, slots=True)
class TermsSet(Event):
    """A person accepted the risk under these terms."""

    tag = "terms_set"
    credit_limit_minor: int
    payment_days: int
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(
            deal,
            credit_limit_minor=self.credit_limit_minor,
            terms_days=self.payment_days,
            terms_prepaid=self.payment_days == 0,
        )


@event
@dataclass(frozen=True, slots=True)
class ReliabilityConfirmed(Event):
    """A person looked at an old check and lets it count for another while."""

    tag = "reliability_confirmed"
    valid_until: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        if deal.assessment is None:
            return deal
        return replace(deal, assessment=dataclasses.replace(deal.assessment, valid_until=self.valid_until))


@event
@dataclass(frozen=True, slots=True)
class CustomerRejected(Event):
    """We do no business with this customer now."""

    tag = "customer_rejected"
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, loss_reason="reliability")


def _report(ctx: Context) -> list[Event]:
    report: ReliabilityReport = ctx.payload
    return [EffectFinished(report.effect), ReliabilityAssessed(assess(report.found, ctx.policy, ctx.now))]


@handles("request_check")
def request_check(ctx: Context) -> list[Event]:
    """Ask finance."""
    return [CheckRequested()]


@handles("recheck_reliability", Reason)
def recheck_reliability(ctx: Context) -> list[Event]:
    """Ask finance again."""
    return [CheckRequested()]


@handles("pass_check", ReliabilityReport)
def pass_check(ctx: Context) -> list[Event]:
    """Class A or B: the suggested terms apply."""
    return _report(ctx)


@handles("refer_check", ReliabilityReport)
def refer_check(ctx: Context) -> list[Event]:
    """Class C or D: a person looks at the score."""
    return _report(ctx)


@handles("reject_check", ReliabilityReport)
def reject_check(ctx: Context) -> list[Event]:
    """Class E: over."""
    return [*_report(ctx), CustomerRejected("class E"), *lower_headroom(ctx.deal, 0, "rejected")]


@handles("approve_reliability", ApproveReliability)
def approve_reliability(ctx: Context) -> list[Event]:
    """The officer's terms replace the suggested ones."""
    p: ApproveReliability = ctx.payload
    return [TermsSet(p.credit_limit_minor, p.payment_days, p.reason)]


@handles("reject", Reason)
def reject(ctx: Context) -> list[Event]:
    """The officer refuses the customer."""
    return [CustomerRejected(ctx.payload.reason), *lower_headroom(ctx.deal, 0, "rejected")]


@handles("confirm_reliability", Reason)
def confirm_reliability(ctx: Context) -> list[Event]:
    """The check counts for the policy's time again, from now."""
    return [ReliabilityConfirmed(plus(ctx.now, ctx.policy.reliability.valid_for), ctx.payload.reason)]
