"""Moving a deal to another version of the policy, on purpose: it pinned the one that was active when it was opened."""

from collections.abc import Iterable
from dataclasses import dataclass

from models import codec
from models.change import replace
from models.command import Context
from models.deal_state import Deal
from models.event import Event, event
from models.messages.control import PolicyInput
from models.policy import Policy
from models.stages.handling import handles
from models.timeline import Entry


@dataclass(frozen=True, slots=True)
class AdoptPolicy:
    """The version that the deal shall live by from now on, and why."""

    version: str
    reason: str

    def __post_init__(self) -> None:
        if not 0 < len(self.version) <= 40:
            raise ValueError("version must have 1 to 40 characters")
        if not self.reason.strip():
            raise ValueError("reason must not be empty")


@event
@dataclass(frozen=True, slots=True)
class PolicyAdopted(Event):
    """The deal lives by another version of the policy from its next entry on; this entry's fact holds the numbers."""

    tag = "policy_adopted"
    version: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, policy_version=self.version)


def ask_policy(ctx: Context) -> PolicyInput:
    """The numbers of the version, with the holidays of the deal's people and of its customer."""
    countries = sorted({ctx.deal.country, ctx.deal.customer_country} - {""})
    return PolicyInput(ctx.payload.version, tuple(countries))


def pinned(entries: Iterable[Entry], policy: Policy) -> Policy:
    """The policy that a deal lives by after these entries of its timeline, given the one before them."""
    for entry in entries:
        if any(each["tag"] == PolicyAdopted.tag for each in entry.events):
            policy = codec.decode(Policy, entry.facts["policy"]["body"])
    return policy


@handles("adopt_policy", AdoptPolicy, asks={"policy": ask_policy})
def adopt_policy(ctx: Context) -> list[Event]:
    """What was decided stays decided; deadlines, limits and ladders that are looked up later are the new ones."""
    return [PolicyAdopted(ctx.payload.version, ctx.payload.reason)]
