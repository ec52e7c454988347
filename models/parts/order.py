"""The order: lines with their quantities. ordered = shipped + cancelled + substituted + open, always."""

from dataclasses import dataclass

from models.codec import later
from models.lifecycle.states import LineState
from models.parts.amendment import Amendment
from models.parts.billing import Billed
from models.parts.discrepancy import Discrepancy
from models.parts.shipment import Shipment
from models.parts.shortage import Shortage


@dataclass(frozen=True)
class OrderLine:
    """One order line in whole units. `shipped` counts what left (delivered included), `reserved` what is held now.

    `returned` counts units that came back, which are no longer among the shipped ones; `lost` are units that are not
    either, and that no shelf got back: what the stock book says left is shipped + lost. `prebilled` are units that
    were invoiced with a delivery that has to be made good, so that their next delivery costs nothing. `cost_minor` is
    our cost of a unit when the order's offer does not name it (0: the offer's). `billed` is what invoices and credit
    notes have asked for the line.
    """

    line: int
    article: str
    description: str
    ordered: int
    unit_price_minor: int
    tax_bps: int
    state: str = LineState.OPEN.value
    reserved: int = 0
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    substituted: int = 0
    replaces: int = 0
    expected_on: str = ""
    analogue: str = ""
    reserved_until: str = ""
    short_since: str = ""
    answered_at: str = ""
    asked_logistics_at: str = ""
    proposed_article: str = ""
    proposed_price_minor: int = 0
    proposed_tax_bps: int = 0
    proposed_description: str = ""
    returned: int = 0
    lost: int = 0
    prebilled: int = 0
    cost_minor: int = 0
    wanted_on: str = ""
    shortage: Shortage | None = None
    billed: Billed = later(Billed())

    @property
    def open(self) -> int:
        """Units still to be shipped."""
        return self.ordered - self.shipped - self.cancelled - self.substituted

    @property
    def short(self) -> int:
        """Units to be shipped that nothing is reserved for."""
        return self.open - self.reserved

    @property
    def on_the_way(self) -> int:
        """Units that left and have not arrived."""
        return self.shipped - self.delivered

    @property
    def net_minor(self) -> int:
        """Value of what was or will be supplied, without tax."""
        return self.unit_price_minor * (self.ordered - self.cancelled - self.substituted)


@dataclass(frozen=True)
class Order:
    """The customer's order: its lines, and who accepted and entered it. A confirmed amendment makes the next version.

    `last_shipment` is the last number given to a shipment, so that none is used twice.
    `payment_days` (-1) and `delivery_terms` (empty) are those of the contract unless an amendment changed them.
    `reached` are the milestones that were; `credit_due_minor` is to be credited once an invoice that is being issued
    stands in the book.
    """

    lines: tuple[OrderLine, ...]
    accepted_by: str = ""
    entered_by: str = ""
    version: int = 1
    deliver_to: str = ""
    payment_days: int = -1
    delivery_terms: str = ""
    last_shipment: int = 0
    shipments: tuple[Shipment, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    reached: tuple[str, ...] = later(())
    credit_due_minor: int = later(0)

    def line(self, number: int) -> OrderLine | None:
        """The line with a number, or None."""
        return next((line for line in self.lines if line.line == number), None)

    @property
    def is_done(self) -> bool:
        """True when nothing is to be supplied any more, and nothing is on the way."""
        return all(line.open == 0 and line.on_the_way == 0 for line in self.lines)

    @property
    def short_lines(self) -> tuple[OrderLine, ...]:
        """Lines that wait for stock."""
        return tuple(line for line in self.lines if line.state == LineState.SHORT)

    def shipment(self, number: str) -> Shipment | None:
        """The shipment with a number, or None."""
        return next((each for each in self.shipments if each.number == number), None)

    def discrepancy(self, number: int) -> Discrepancy | None:
        """The discrepancy act with a number, or None."""
        return next((act for act in self.discrepancies if act.number == number), None)

    @property
    def open_discrepancies(self) -> tuple[Discrepancy, ...]:
        """Acts that nobody has decided yet."""
        return tuple(act for act in self.discrepancies if act.state == "open")

    @property
    def pending_amendment(self) -> Amendment | None:
        """The amendment that waits for its confirmation; there is one at a time."""
        return next((asked for asked in self.amendments if asked.state == "requested"), None)
