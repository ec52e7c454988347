"""Activities of logistics: the stock book."""

from temporalio import activity

from models.messages.logistics import ReleaseInput, ReleaseResult, ReserveInput, ReserveResult, ShipInput, ShipResult
from models.ports import StockBook


class Logistics:
    """Logistics with its stock book."""

    def __init__(self, stock: StockBook) -> None:
        self._stock = stock

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
