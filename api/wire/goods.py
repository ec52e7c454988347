"""The goods of deals on the wire: order lines, shipments, discrepancy acts, amendments, and what helps when short."""

from api.wire.shared import Money, Told


class LineShortage(Told):
    """How a line that is or was out of stock stands: who has to answer on which rung until when.

    `settled_at` and `outcome` are empty while it lasts.
    """

    since: str
    rung: str
    role: str
    due_at: str
    promised_on: str
    choice: str
    told_on: str
    settled_at: str
    outcome: str


class OrderLine(Told):
    """One order line, in whole units: ordered = shipped + cancelled + substituted + open.

    `returned` units came back and are no longer among the shipped ones.
    """

    line: int
    article: str
    description: str
    ordered: int
    open: int
    short: int
    reserved: int
    shipped: int
    delivered: int
    returned: int
    cancelled: int
    substituted: int
    state: str
    expected_on: str
    wanted_on: str
    analogue: str
    proposed_article: str
    replaces: int
    unit_price: Money | None
    shortage: LineShortage | None


class ShipmentLine(Told):
    """Units of an order line in a shipment: sent, arrived, come back."""

    line: int
    quantity: int
    delivered: int
    returned: int


class Shipment(Told):
    """One shipment; `told_at` is when the carrier's newest news happened, empty while there are none."""

    number: str
    state: str
    carrier: str
    reference: str
    shipped_at: str
    told_at: str
    delivered_at: str
    lines: list[ShipmentLine]


class DiscrepancyLine(Told):
    """Units of an order line that are not as ordered."""

    line: int
    quantity: int


class Discrepancy(Told):
    """One act about goods that are not as ordered; `measure` and `settled_at` are empty until it is decided."""

    number: int
    kind: str
    cause: str
    state: str
    shipment: str
    other_article: str
    is_back: bool
    note: str
    opened_at: str
    due_at: str
    measure: str
    prevention: str
    settled_at: str
    lines: list[DiscrepancyLine]


class AmendedLine(Told):
    """One change: what stands in the order, and what will stand there. A new line has no number yet (0)."""

    kind: str
    line: int
    article: str
    description: str
    quantity_before: int
    quantity_after: int
    text_before: str
    text_after: str
    price_before: Money | None = None
    price_after: Money | None = None


class Amendment(Told):
    """One request to change the order; `net` and `total` are how much more (or less) the customer will owe."""

    number: int
    order_version: int
    state: str
    reason: str
    requested_by: str
    requested_at: str
    due_at: str
    decided_by: str
    decided_at: str
    channel: str
    given_by: str
    units_added: int
    units_released: int
    net: Money | None
    total: Money | None
    changes: list[AmendedLine]


class ShortageOption(Told):
    """One thing that can be done about missing units, rank 1 is the best. An empty `promised_on`: nobody knows.

    `extra_cost`, `margin_effect` and `score` (in minor units, what the option is worth) are sales' own.
    """

    kind: str
    promised_on: str
    quantity: int
    rank: int
    article: str
    extra_cost: Money | None
    margin_effect: Money | None
    score: int | None
