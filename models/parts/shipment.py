"""Shipments: what left together, and how far the carrier has brought it (D22)."""

from dataclasses import dataclass

from models.lifecycle.states import ShipmentState


@dataclass(frozen=True)
class ShipmentLine:
    """Units of an order line in a shipment: sent, arrived, and come back undelivered."""

    line: int
    quantity: int
    delivered: int = 0
    returned: int = 0

    @property
    def on_the_way(self) -> int:
        """Units that left and neither arrived nor came back."""
        return self.quantity - self.delivered - self.returned


@dataclass(frozen=True)
class Shipment:
    """One shipment. `number` is ours and unique for ever; `told_at` is when the carrier's newest news happened,
    `refused` why no carrier has it: people must find one, and tell `booked` then."""

    number: str
    lines: tuple[ShipmentLine, ...]
    shipped_at: str
    state: str = ShipmentState.PREPARED.value
    carrier: str = ""
    reference: str = ""
    told_at: str = ""
    invoice: str = ""
    delivered_at: str = ""
    refused: str = ""

    def line(self, number: int) -> ShipmentLine | None:
        """The part of an order line, or None."""
        return next((line for line in self.lines if line.line == number), None)

    @property
    def on_the_way(self) -> int:
        """All units that left and neither arrived nor came back."""
        return sum(line.on_the_way for line in self.lines)
