"""Activities of sales: what the price list says, and what was granted."""

from temporalio import activity

from models.messages.sales import GrantedDiscountInput, QuoteInput, QuoteResult
from models.ports import PriceList


class Sales:
    """Sales with its price list."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices

    @activity.defn
    async def quote(self, asked: QuoteInput) -> QuoteResult:
        """List prices and costs for the lines of an offer."""
        return await self._prices.quote(asked)

    @activity.defn
    async def note_granted(self, asked: GrantedDiscountInput) -> None:
        """Remember what an accepted deal was granted, so that splitting is caught."""
        await self._prices.note_granted(asked)
