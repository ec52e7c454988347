"""The values that a counterfactual run speaks in: a step of a timeline, a decision that comes out otherwise, totals."""

from dataclasses import dataclass
from enum import StrEnum

from models.deal_state import Deal
from models.messages.finance import ReliabilityFacts
from models.policy import Policy
from models.timeline import Entry


class Kind(StrEnum):
    """How a decision comes out under the draft."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    MORE_AUTHORITY = "more_authority_needed"
    NO_APPROVAL = "no_approval_needed"
    CLASS = "other_class"
    TERMS = "other_terms"
    EARLIER = "earlier"
    LATER = "later"
    ADDED = "added"
    DROPPED = "dropped"
    INTEREST = "other_interest"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Flip:
    """One decision that comes out otherwise. `recorded` and `tried` say how in words, `measure` what the amount is: in
    minor units of the deal's currency, for limits and interest as a difference. `sequence` is the timeline's entry, 0
    when there is none; `subject` the invoice, where it is about one."""

    at: str
    sequence: int
    action: str
    kind: Kind
    recorded: str
    tried: str
    measure: str
    amount_minor: int
    currency: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that was judged again (or could not be), and how it comes out otherwise, if it does."""

    judged: bool
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """The decisions of a kind, and what their amounts add up to."""

    kind: Kind
    measure: str
    currency: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Check:
    """The last reliability check: what was found, and when."""

    found: ReliabilityFacts
    at: str


@dataclass(frozen=True, slots=True)
class Walked:
    """One entry with the deal before and after it, the policy that judged it, the draft under the deal's rules, and the
    reliability check that stood when it was decided."""

    before: Deal | None
    entry: Entry
    after: Deal
    policy: Policy
    draft: Policy
    check: Check | None = None
