"""A line that is out of stock: on which rung of the ladder it stands, who was asked and what they said (D21)."""

from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """What can be done about missing units. The order is that of the ladder, and settles equal ranks."""

    ANALOGUE = "analogue"
    WAIT = "wait"
    PARTIAL = "partial"
    PRODUCTION = "production"
    BUY_IN = "buy_in"
    CANCEL = "cancel"


class Source(StrEnum):
    """Where logistics or production gets missing units from."""

    STOCK = "stock"
    BUY_IN = "buy_in"
    PRODUCTION = "production"


@dataclass(frozen=True)
class RungVisit:
    """A rung that a line stood on: who was asked, until when, and who answered.

    `answered_by` stays empty when nobody did; `escalated_at` is when the head was told that the answer is late.
    """

    number: int
    rung: str
    role: str
    since: str
    due_at: str
    answered_at: str = ""
    answered_by: str = ""
    escalated_at: str = ""


@dataclass(frozen=True)
class Option:
    """One thing that can be done: `promised_on` is a date (empty: nobody knows), money is minor units of the deal.

    `score` is what the option is worth against doing nothing, its delay counted in; `rank` 1 is the best.
    """

    kind: str
    promised_on: str
    quantity: int
    extra_cost_minor: int
    margin_effect_minor: int
    score: int
    rank: int = 0
    article: str = ""


@dataclass(frozen=True)
class Shortage:
    """The shortage of one line. `settled_at` and `outcome` are empty while it lasts.

    `answer_*` is the last answer that named a date, whoever gave it; `analogue_*` what the price list says of the
    substitute; `told_on` the last day on which the customer was told a date.
    """

    since: str
    rung: str
    role: str
    due_at: str
    visits: tuple[RungVisit, ...] = ()
    answer_on: str = ""
    answer_quantity: int = 0
    answer_source: str = ""
    analogue: str = ""
    analogue_cost_minor: int = -1
    choice: str = ""
    promised_on: str = ""
    told_on: str = ""
    settled_at: str = ""
    outcome: str = ""

    @property
    def is_active(self) -> bool:
        """True while units are missing."""
        return not self.settled_at
