"""What logistics is asked to do with the stock book, in whole units per article and warehouse."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StockLine:
    """A quantity of one article for one order line."""

    line: int
    article: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReserveInput:
    """Reserve lines from the branch warehouse, then the central one. One reservation act per effect key.

    With `waits`, what is missing goes on the waiting list of the book, in the place of `since` (an instant; empty:
    `at`): whoever has waited longest is served first when goods come in. Asking again for a line replaces what it
    waits for, and hands over what was set aside for it meanwhile (at most the quantity asked for).
    """

    effect_key: str
    deal_id: str
    branch: str
    lines: tuple[StockLine, ...]
    at: str
    expires_at: str
    waits: bool = False
    since: str = ""


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """What one line got, and when the rest is expected (`expected_on` is a date, empty when unknown).

    `analogue` names the substitute article that has stock now, empty when there is none.
    """

    line: int
    article: str
    reserved: int
    short: int
    expected_on: str = ""
    analogue: str = ""


@dataclass(frozen=True, slots=True)
class ReserveResult:
    """One answer per asked line, in order."""

    lines: tuple[ReservedLine, ...]


@dataclass(frozen=True, slots=True)
class ReleaseInput:
    """Give back reserved units; no lines means everything that the deal still holds.

    A line that gives everything back (its quantity is more than it holds) leaves the waiting list, too. Lines in
    `leave_queue` leave it and keep what they hold, but for what was set aside for them beyond it; no lines and a
    `leave_queue` is not everything.
    """

    effect_key: str
    deal_id: str
    at: str
    lines: tuple[StockLine, ...] = ()
    expired: bool = False
    leave_queue: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How many units went back per line; lines that held nothing are left out."""

    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class ShipInput:
    """Take reserved units out of the warehouses."""

    effect_key: str
    deal_id: str
    lines: tuple[StockLine, ...]
    at: str


@dataclass(frozen=True, slots=True)
class ShipResult:
    """What really left, per line. A line that held less than asked ships what it held."""

    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class ReturnInput:
    """Put units back on the shelf of the branch warehouse after a return or a cancelled shipment."""

    effect_key: str
    deal_id: str
    branch: str
    lines: tuple[StockLine, ...]
    at: str


@dataclass(frozen=True, slots=True)
class Woken:
    """Units that were set aside for a waiting line; its deal gets them when it asks the stock book again."""

    deal_id: str
    line: int
    article: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """What a receipt of goods set aside for waiting lines, whoever waited longest first."""

    woken: tuple[Woken, ...] = ()


@dataclass(frozen=True, slots=True)
class CarriageInput:
    """Hand a shipment over to a carrier. `shipment` is our number, under which the carrier's messages come back."""

    effect_key: str
    deal_id: str
    shipment: str
    branch: str
    deliver_to: str
    lines: tuple[StockLine, ...]
    at: str


@dataclass(frozen=True, slots=True)
class CarriageResult:
    """Who carries the shipment, and the carrier's own reference for it; or why the carrier will not (`refused`)."""

    carrier: str
    reference: str
    refused: str = ""
