"""A carrier in memory."""

from infra.gateways.own_carrier import check_booking
from models.messages.logistics import CarriageInput, CarriageResult
from tests.fakes.recorded import Recorded


class FakeCarrier(Recorded):
    """The port Carrier in memory: `booked` are the shipments by effect key, numbered as they came."""

    def __init__(self, name: str = "swift") -> None:
        super().__init__()
        self.name = name
        self.booked: dict[str, CarriageInput] = {}

    async def book(self, asked: CarriageInput) -> CarriageResult:
        check_booking(asked)
        return self._act("book", asked, lambda: self._book(asked), asked.effect_key)

    def _book(self, asked: CarriageInput) -> CarriageResult:
        self.booked[asked.effect_key] = asked
        return CarriageResult(self.name, f"{self.name.upper()}-{len(self.booked):06d}")
