"""Policies on the wire: drafts, what differs, and counterfactual runs."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.wire.shared import Asked, Clean, Code, Instant, Money, Note, Plain, Told
from infra.desk.payloads import unstorable
from models.counterfactual_values import Kind


def _storable(numbers: dict[str, Any]) -> dict[str, Any]:
    """Policies know texts and whole numbers; anything else has no hash that could be approved."""
    wrong = unstorable(numbers)
    if wrong:
        raise ValueError("; ".join(f"{where}: {why}" for where, why in list(wrong.items())[:3]))
    todo: list[Any] = [numbers]
    while todo:
        item = todo.pop()
        if isinstance(item, float):
            raise ValueError("numbers are whole: basis points, seconds, minor units")
        todo += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return numbers


Numbers = Annotated[dict[str, Any], AfterValidator(_storable)]
Version = Annotated[Code, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the numbers' canonical JSON")]
DraftState = Literal["draft", "approved", "active", "withdrawn"]


class Changed(Asked):
    """Changes of the numbers below: `merge` is a JSON merge patch (RFC 7396), `values` single values by their path,
    such as `discount_authority.account_manager` or `ladder[dun_first].after`."""

    merge: Numbers = Field(default_factory=dict)
    values: Numbers = Field(default_factory=dict)


class NewDraft(Changed):
    """A new version on the numbers of one that stands."""

    version: Version
    based_on: Version
    note: Note = ""


class DraftChange(Changed):
    """Another try at the numbers; an approval is void then. `body_hash` is that of the numbers you have seen."""

    body_hash: Hash | None = None
    note: Note | None = None


class Approval(Asked):
    """The hash of exactly the numbers that are approved."""

    body_hash: Hash


class Withdrawal(Asked):
    """Why a draft is taken back."""

    reason: Annotated[Note, Field(min_length=1)]


class Activation(Asked):
    """From when on new deals pin the version; left out: from now on."""

    active_from: Instant = ""


class DraftCard(Told):
    """A draft without its numbers."""

    version: str
    based_on: str
    body_hash: str
    state: DraftState
    note: str
    drafted_by: str
    edited_by: list[str]
    edited_at: str
    approved_by: str
    approved_at: str
    active_from: str


class DraftBody(DraftCard):
    """A draft with its numbers."""

    body: Plain


class Drafts(Told):
    """A page of drafts, by version."""

    items: list[DraftCard]
    next_cursor: str


class Change(Told):
    """What differs at a path; null where one of the two has nothing."""

    path: str
    old: Any
    new: Any


class Comparison(Told):
    """All that differs from one version to another."""

    old: str
    new: str
    changes: list[Change]


class Trial(Changed):
    """Which decisions to judge again: of deals with an act from `since` on, before `until`. Test deals only when asked
    for, or by name. Further changes of the numbers may be tried without drafting them."""

    since: Annotated[Instant, Field(min_length=1)]
    until: Annotated[Instant, Field(min_length=1)]
    deal: Annotated[Clean, Field(max_length=80)] = ""
    tests: bool = False
    after: Annotated[Clean, Field(max_length=80, description="`next_after` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=200, description="Deals that are judged for one answer")] = 100


class Flip(Told):
    """One decision that comes out otherwise: how it was decided, how the draft would, and what is at stake."""

    at: str
    sequence: int
    action: str
    subject: str
    kind: Kind
    recorded: str
    tried: str
    measure: str
    amount: Money


class Total(Told):
    """The decisions of a kind, and what they add up to."""

    kind: Kind
    measure: str
    count: int
    amount: Money


class TriedDeal(Told):
    """A deal with decisions that come out otherwise, and what they add up to."""

    deal_id: str
    judged: int
    flips: list[Flip]
    totals: list[Total]


class TrialResult(Told):
    """What a policy would have decided otherwise. `unreadable` names deals that could not be judged, and why."""

    version: str
    since: str
    until: str
    tried: int
    judged: int
    deals: list[TriedDeal]
    totals: list[Total]
    unreadable: dict[str, str]
    next_after: str
