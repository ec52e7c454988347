"""The deal: everything the core needs to know of it between two acts, as one frozen value."""

from dataclasses import dataclass, field
from typing import Any

from models.lifecycle.states import DealState, Stage
from models.parts.care import Approval, Case
from models.parts.contract import Contract
from models.parts.credit import Assessment
from models.parts.duty import Done
from models.parts.offer import Offer
from models.parts.order import Order
from models.parts.receivable import Receivable
from models.timeline import GENESIS


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that the world must be asked to do. `key` is unique for ever: done once, whatever crashes.

    Events leave the key empty; `models.deal` gives it when it applies them.
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a prospect needs (D6); budget in minor units of the deal's currency."""

    what: str
    quantity: int
    wanted_by: str = ""
    budget_minor: int = 0
    decision_process: str = ""


@dataclass(frozen=True, slots=True)
class Consultation:
    """A state in which the deal waits for another department; `left_at` is empty while it does."""

    state: str
    entry: int
    since: str
    left_at: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A request whose answer was late, and when the head was told; `key` is that of its agenda item."""

    key: str
    at: str


@dataclass(frozen=True)
class Deal:
    """One deal. `version` is the sequence of its last timeline entry, `last_hash` that entry's hash.

    `pending` are effects not yet reported done; `fired` are the agenda items already fired in this state. The public
    holidays of `country` count for deadlines, those of `customer_country` for letters about invoices.
    `is_account` is one that was taken over from an earlier system. `did` is who did what must be kept apart.
    """

    id: str
    title: str
    customer: str
    group: str
    owner: str
    department: str
    branch: str
    currency: str
    opened_at: str
    policy_version: str
    is_test: bool = False
    linked_deal: str = ""
    source_ref: str = ""
    state: str = DealState.IDENTIFIED.value
    state_since: str = ""
    state_entry: int = 1
    version: int = 0
    last_hash: str = GENESIS
    updated_at: str = ""
    former_owners: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    contacts: int = 0
    needs: Needs | None = None
    assessment: Assessment | None = None
    terms_prepaid: bool = False
    terms_days: int = 0
    credit_limit_minor: int = 0
    offer: Offer | None = None
    offers: int = 0
    objections: int = 0
    headroom_minor: int = 0
    contract: Contract | None = None
    order: Order | None = None
    receivables: tuple[Receivable, ...] = ()
    cases: tuple[Case, ...] = ()
    approvals: tuple[Approval, ...] = ()
    delivered_at: str = ""
    satisfaction: int = 0
    loss_reason: str = ""
    competitor: str = ""
    pending: tuple[Effect, ...] = ()
    fired: tuple[str, ...] = ()
    country: str = ""
    consulted: tuple[Consultation, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    customer_country: str = ""
    is_account: bool = False
    did: tuple[Done, ...] = ()

    @property
    def stage(self) -> Stage:
        """The stage of the main state."""
        return DealState(self.state).stage

    @property
    def is_closed(self) -> bool:
        """True in a terminal state."""
        return DealState(self.state).is_terminal

    @property
    def headroom_key(self) -> str:
        """The key under which this deal's credit headroom is reserved."""
        return f"headroom:{self.id}"

    @property
    def value_minor(self) -> int:
        """What the deal is worth: the offer's total, else the needs' budget."""
        if self.offer:
            return self.offer.total_minor
        return self.needs.budget_minor if self.needs else 0

    @property
    def open_minor(self) -> int:
        """Open on all invoices of this deal."""
        return sum(r.open_minor for r in self.receivables)

    def receivable(self, number: str) -> Receivable | None:
        """The receivable with an invoice number, or None."""
        return next((r for r in self.receivables if r.number == number), None)

    def case(self, number: int) -> Case | None:
        """The complaint case with a number, or None."""
        return next((c for c in self.cases if c.number == number), None)

    def pending_approval(self, kind: str) -> Approval | None:
        """The pending request of a kind, or None."""
        return next((a for a in self.approvals if a.kind == kind and a.state == "pending"), None)

    def effect(self, key: str) -> Effect | None:
        """The pending effect with a key, or None."""
        return next((e for e in self.pending if e.key == key), None)
