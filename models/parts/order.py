"""The order: lines with their quantities. ordered = shipped + cancelled + substituted + open, always."""

from dataclasses import dataclass

from models.lifecycle.states import LineState


@dataclass(frozen=True)
class OrderLine:
    """One order line in whole units. `shipped` counts what left (delivered included), `reserved` what is held now."""

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
    """The customer's order: its lines, and who accepted and entered it."""

    lines: tuple[OrderLine, ...]
    accepted_by: str = ""
    entered_by: str = ""

    def line(self, number: int) -> OrderLine | None:
        """The line with a number, or None."""
        return next((line for line in self.lines if line.line == number), None)

    @property
    def short_lines(self) -> tuple[OrderLine, ...]:
        """Lines that wait for stock."""
        return tuple(line for line in self.lines if line.state == LineState.SHORT)
