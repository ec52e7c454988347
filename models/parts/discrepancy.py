"""Discrepancy acts, refusals and returns: what was not as ordered, why, and what was done about it (D23, D24)."""

from dataclasses import dataclass
from enum import StrEnum

from models.lifecycle.states import DiscrepancyState


class Kind(StrEnum):
    """What is wrong with delivered goods."""

    SHORTAGE = "shortage"
    MIS_SORT = "mis_sort"
    DAMAGE = "damage"
    REFUSAL = "refusal"
    RETURN = "return"


class Origin(StrEnum):
    """Where the trouble comes from, for the analysis of causes."""

    PACKING = "packing"
    WAREHOUSE = "warehouse"
    CARRIER = "carrier"
    ARTICLE = "article"
    DOCUMENTS = "documents"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Measure(StrEnum):
    """How a discrepancy is settled."""

    REDELIVERY = "redelivery"
    CREDIT_NOTE = "credit_note"
    RETURN = "return"
    ACCEPTANCE = "acceptance"


@dataclass(frozen=True, slots=True)
class DiscrepancyLine:
    """Units of one order line that are not as ordered."""

    line: int
    quantity: int


@dataclass(frozen=True)
class Discrepancy:
    """One act. `is_back` says that the carrier brought the units back, so that they are open again already.

    `other_article` is what came instead, for a mis-sort.
    """

    number: int
    kind: str
    cause: str
    lines: tuple[DiscrepancyLine, ...]
    note: str
    opened_at: str
    due_at: str
    shipment: str = ""
    other_article: str = ""
    is_back: bool = False
    state: str = DiscrepancyState.OPEN.value
    measure: str = ""
    prevention: str = ""
    settled_at: str = ""
