"""Stages and states: every enum owns its named subsets, so that nobody lists states elsewhere."""

from enum import StrEnum


class Stage(StrEnum):
    """The six stages of a deal, and the end."""

    PROSPECTING = "prospecting"
    RELIABILITY = "reliability_check"
    NEGOTIATION = "negotiation"
    CONTRACT = "contract"
    FULFILMENT = "fulfilment"
    SUPPORT = "post_sale_support"
    CLOSED = "closed"


class DealState(StrEnum):
    """Main states of a deal, named after what the business waits for (domain, section 2)."""

    IDENTIFIED = "identified"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    RELIABILITY_CHECK = "reliability_check"
    RELIABILITY_REVIEW = "reliability_review"
    PREPARING_OFFER = "preparing_offer"
    OFFER_APPROVAL = "offer_approval"
    OFFER_OPEN = "offer_open"
    DRAFTING_CONTRACT = "drafting_contract"
    RESOLVING_DISAGREEMENTS = "resolving_disagreements"
    CONTRACT_APPROVAL = "contract_approval"
    AWAITING_SIGNATURES = "awaiting_signatures"
    ORDERING = "ordering"
    FULFILLING = "fulfilling"
    SUPPORTING = "supporting"
    COMPLETED = "completed"
    LOST = "lost"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    DEFAULTED = "defaulted"

    @property
    def stage(self) -> Stage:
        """The stage that this state belongs to."""
        return _STAGES[self]

    @property
    def is_terminal(self) -> bool:
        """True when nothing more can happen; a repeat is a new, linked deal."""
        return _STAGES[self] is Stage.CLOSED

    @classmethod
    def open(cls) -> tuple["DealState", ...]:
        """States in which the deal waits for somebody or something, in the order of the main line."""
        return tuple(s for s in cls if not s.is_terminal)

    @classmethod
    def terminal(cls) -> tuple["DealState", ...]:
        """States without an exit."""
        return tuple(s for s in cls if s.is_terminal)

    @classmethod
    def of(cls, *stages: Stage) -> tuple["DealState", ...]:
        """All states of the given stages."""
        return tuple(s for s in cls if s.stage in stages)


_STAGES = {
    **dict.fromkeys((DealState.IDENTIFIED, DealState.CONTACTED, DealState.QUALIFIED), Stage.PROSPECTING),
    **dict.fromkeys((DealState.RELIABILITY_CHECK, DealState.RELIABILITY_REVIEW), Stage.RELIABILITY),
    **dict.fromkeys((DealState.PREPARING_OFFER, DealState.OFFER_APPROVAL, DealState.OFFER_OPEN), Stage.NEGOTIATION),
    **dict.fromkeys(
        (
            DealState.DRAFTING_CONTRACT,
            DealState.RESOLVING_DISAGREEMENTS,
            DealState.CONTRACT_APPROVAL,
            DealState.AWAITING_SIGNATURES,
        ),
        Stage.CONTRACT,
    ),
    **dict.fromkeys((DealState.ORDERING, DealState.FULFILLING), Stage.FULFILMENT),
    DealState.SUPPORTING: Stage.SUPPORT,
    **dict.fromkeys(
        (
            DealState.COMPLETED,
            DealState.LOST,
            DealState.REJECTED,
            DealState.CANCELLED,
            DealState.DEFAULTED,
        ),
        Stage.CLOSED,
    ),
}


class LineState(StrEnum):
    """What one order line waits for."""

    OPEN = "open"
    RESERVED = "reserved"
    SHORT = "short"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    SUBSTITUTED = "substituted"

    @property
    def is_terminal(self) -> bool:
        """True when nothing can happen to the line any more; delivered units may still come back."""
        return self is LineState.CANCELLED


class ReceivableState(StrEnum):
    """The dunning level that an invoice has reached, or how it ended."""

    ISSUED = "issued"
    ANNOUNCED = "announced"
    DUE = "due"
    REMINDED = "reminded"
    DUNNED = "dunned"
    DUNNED_TWICE = "dunned_twice"
    WITH_HEAD_OF_SALES = "with_head_of_sales"
    FORMALLY_NOTICED = "formally_noticed"
    WITH_LEGAL = "with_legal"
    PAID = "paid"
    CREDITED = "credited"
    WRITTEN_OFF = "written_off"

    @property
    def is_terminal(self) -> bool:
        """True when nothing of the invoice is open."""
        return self in (ReceivableState.PAID, ReceivableState.CREDITED, ReceivableState.WRITTEN_OFF)


class ComplaintState(StrEnum):
    """What a complaint case waits for."""

    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"

    @property
    def is_terminal(self) -> bool:
        """True when the customer needs nothing more from this case."""
        return self is ComplaintState.CLOSED


class ApprovalState(StrEnum):
    """What a request for approval waits for, or how it ended."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"

    @property
    def is_terminal(self) -> bool:
        """True when the request can change no more; an approval itself can still be voided."""
        return self not in (ApprovalState.PENDING, ApprovalState.APPROVED)


class ShipmentState(StrEnum):
    """How far a shipment has come, as its carrier tells."""

    PREPARED = "prepared"
    BOOKED = "booked"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    FAILED = "failed"
    DELIVERED = "delivered"
    RETURNED = "returned"

    @property
    def is_terminal(self) -> bool:
        """True when the carrier has nothing more to do."""
        return self in (ShipmentState.DELIVERED, ShipmentState.RETURNED)


class DiscrepancyState(StrEnum):
    """Whether somebody still has to decide about a discrepancy."""

    OPEN = "open"
    SETTLED = "settled"

    @property
    def is_terminal(self) -> bool:
        """True when it was decided."""
        return self is DiscrepancyState.SETTLED


class AmendmentState(StrEnum):
    """What became of a request to amend the order."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"

    @property
    def is_terminal(self) -> bool:
        """True when it was decided."""
        return self is not AmendmentState.REQUESTED
