"""Amendments of a running order: typed, versioned requests that are confirmed or declined (D26)."""

from dataclasses import dataclass
from enum import StrEnum

from models.lifecycle.states import AmendmentState


class ChangeKind(StrEnum):
    """What an amendment changes."""

    ADD = "add"
    DROP = "drop"
    QUANTITY = "quantity"
    PRICE = "price"
    DATE = "date"
    ADDRESS = "address"
    PAYMENT_DAYS = "payment_days"
    DELIVERY_TERMS = "delivery_terms"


@dataclass(frozen=True, slots=True)
class AmendedLine:
    """One change, complete: what stands in the order now and what will stand there.

    Prices are minor units per unit, tax is basis points. A new line has number 0 until it is confirmed.
    """

    kind: str
    line: int = 0
    article: str = ""
    description: str = ""
    quantity_before: int = 0
    quantity_after: int = 0
    price_before_minor: int = 0
    price_after_minor: int = 0
    list_price_minor: int = 0
    cost_minor: int = 0
    tax_bps: int = 0
    text_before: str = ""
    text_after: str = ""


@dataclass(frozen=True)
class Amendment:
    """One request. `order_version` is the version of the order that it was computed on; a confirmed one makes the next.

    `total_minor` is how much more (or less) the customer will owe with tax, `net_minor` without; `units_released` go
    back to the shelf, `units_added` are to be reserved.
    """

    number: int
    order_version: int
    changes: tuple[AmendedLine, ...]
    reason: str
    requested_by: str
    requested_at: str
    due_at: str
    net_minor: int
    total_minor: int
    units_added: int
    units_released: int
    state: str = AmendmentState.REQUESTED.value
    decided_by: str = ""
    decided_at: str = ""
    channel: str = ""
    given_by: str = ""
