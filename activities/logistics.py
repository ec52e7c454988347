"""Activities of logistics: the stock book and the carrier."""

from temporalio import activity

from models.messages.logistics import (
    CarriageInput,
    CarriageResult,
    ReleaseInput,
    ReleaseResult,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
)
from models.ports import Carrier, StockBook, Waker


class Logistics:
    """Logistics with its stock book and its carrier."""

    def __init__(self, stock: StockBook, carrier: Carrier, waker: Waker) -> None:
        self._stock = stock
        self._carrier = carrier
        self._waker = waker

    @activity.defn
    async def reserve_lines(self, asked: ReserveInput) -> ReserveResult:
        """Reserve what there is, branch first."""
        return await self._stock.reserve(asked)

    @activity.defn
    async def release_lines(self, asked: ReleaseInput) -> ReleaseResult:
        """Put reserved units back on the shelf."""
        return await self._stock.release(asked)

    @activity.defn
    async def ship_lines(self, asked: ShipInput) -> ShipResult:
        """Take reserved units out of the warehouses."""
        return await self._stock.ship(asked)

    @activity.defn
    async def take_back_lines(self, asked: ReturnInput) -> None:
        """Put units that came back on the shelf."""
        await self._stock.take_back(asked)

    @activity.defn
    async def book_carriage(self, asked: CarriageInput) -> CarriageResult:
        """Hand a shipment over to the carrier."""
        return await self._carrier.book(asked)

    @activity.defn
    async def wake_waiting(self) -> int:
        """Tell deals that wait for goods that some were set aside for them."""
        return await self._waker.wake()
