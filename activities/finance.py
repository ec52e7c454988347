"""Activities of finance: reliability of customers, credit headroom, holds on customer groups."""

from temporalio import activity

from models.messages.finance import (
    BrokenPromiseInput,
    GroupHoldInput,
    GroupHolds,
    GroupHoldsInput,
    HeadroomInput,
    HeadroomReleaseInput,
    HeadroomReleaseResult,
    HeadroomResult,
    ReliabilityFacts,
    ReliabilityInput,
)
from models.ports import CreditBook, CreditBureau


class Finance:
    """Finance with its credit bureau and credit book."""

    def __init__(self, bureau: CreditBureau, book: CreditBook) -> None:
        self._bureau, self._book = bureau, book

    @activity.defn
    async def assess_reliability(self, asked: ReliabilityInput) -> ReliabilityFacts:
        """Gather what is known about a customer; the score itself is the core's."""
        return await self._bureau.reliability(asked)

    @activity.defn
    async def reserve_headroom(self, asked: HeadroomInput) -> HeadroomResult:
        """Reserve credit headroom, or learn why not."""
        return await self._book.reserve(asked)

    @activity.defn
    async def release_headroom(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
        """Give headroom back."""
        return await self._book.release(asked)

    @activity.defn
    async def note_broken_promise(self, asked: BrokenPromiseInput) -> None:
        """Count a broken promise against the customer's reliability."""
        await self._book.note_broken_promise(asked)

    @activity.defn
    async def hold_group(self, asked: GroupHoldInput) -> None:
        """Hold a customer's group, or lift a hold on it."""
        await self._book.set_hold(asked)

    @activity.defn
    async def read_group_holds(self, asked: GroupHoldsInput) -> GroupHolds:
        """Which other deals hold a customer's group."""
        return await self._book.holds(asked)
