"""Activities of accounts receivable: the ledger."""

from temporalio import activity

from models.messages.receivables import (
    InvoiceInput,
    InvoiceResult,
    LedgerEntryInput,
    LedgerEntryResult,
    LegacyNumberInput,
    LegacyNumberResult,
)
from models.ports import Ledger


class Receivables:
    """Accounts receivable with its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn
    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        """Issue an invoice under the next number of its series."""
        return await self._ledger.issue_invoice(asked)

    @activity.defn
    async def claim_number(self, asked: LegacyNumberInput) -> LegacyNumberResult:
        """Claim the number of an earlier system's invoice."""
        return await self._ledger.claim_number(asked)

    @activity.defn
    async def book_entry(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        """Book a payment, credit note or write-off."""
        return await self._ledger.book(asked)
