"""How a deal comes into the world: its first entry."""

from dataclasses import dataclass

from models.deal_state import Deal
from models.event import Event, event
from models.money import Money


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """What is needed to open a deal: the customer, its credit group, the owner, and where goods come from."""

    title: str
    customer: str
    group: str
    owner: str
    department: str
    branch: str
    currency: str
    is_test: bool = False
    linked_deal: str = ""
    source_ref: str = ""

    def __post_init__(self) -> None:
        for name in ("title", "customer", "owner"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must not be empty")
        Money(0, self.currency)  # raises ValueError unless it is a currency code


@event
@dataclass(frozen=True, slots=True)
class DealOpened(Event):
    """The deal exists."""

    tag = "deal_opened"
    deal_id: str
    policy_version: str
    opened: OpenDeal

    def create(self, at: str) -> Deal:
        """The new deal, opened at `at`."""
        o = self.opened
        return Deal(
            id=self.deal_id,
            title=o.title,
            customer=o.customer,
            group=o.group,
            owner=o.owner,
            department=o.department,
            branch=o.branch,
            currency=o.currency,
            opened_at=at,
            state_since=at,
            updated_at=at,
            policy_version=self.policy_version,
            is_test=o.is_test,
            linked_deal=o.linked_deal,
            source_ref=o.source_ref,
        )
