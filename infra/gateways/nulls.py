"""Null twins of the gateways: they answer harmlessly and remember nothing, for trials of rules without any books.

Everything is on the shelf, every article costs 1.00, every customer is neutral and credit has no end.
"""

import hashlib

from models.messages.evidence import Checkpointed, HandedOver
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
from models.messages.legal import DocumentInput, DocumentResult
from models.messages.logistics import (
    CarriageInput,
    CarriageResult,
    ReleaseInput,
    ReleaseResult,
    ReservedLine,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
)
from models.messages.post import Dispatched
from models.messages.receivables import (
    InvoiceInput,
    InvoiceResult,
    LedgerEntryInput,
    LedgerEntryResult,
    LegacyNumberInput,
    LegacyNumberResult,
    LetterInput,
    LetterResult,
)
from models.messages.reconciliation import DeadlinesInput, Reminded, StatementsInput, StatementsWritten
from models.messages.sales import GrantedDiscountInput, QuotedLine, QuoteInput, QuoteResult
from models.money import EXPONENTS, MAX_MINOR


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class NullPriceList:
    """Lists every article at price 1.00 and no cost; nobody was granted anything."""

    async def quote(self, asked: QuoteInput) -> QuoteResult:
        one = 10 ** EXPONENTS.get(asked.currency, 2)
        return QuoteResult(
            tuple(QuotedLine(line.article, True, line.article, list_price_minor=one) for line in asked.lines)
        )

    async def note_granted(self, asked: GrantedDiscountInput) -> None:
        return None


class NullCreditBureau:
    """Knows every customer, and nothing about it: a neutral assessment. Each is a group of its own."""

    async def reliability(self, asked: ReliabilityInput) -> ReliabilityFacts:
        return ReliabilityFacts(customer_known=True, group=asked.customer_id)


class NullCreditBook:
    """Grants whatever is asked and has nothing to give back; no group is ever held."""

    async def reserve(self, asked: HeadroomInput) -> HeadroomResult:
        return HeadroomResult(granted=True, limit_minor=MAX_MINOR, used_minor=0)

    async def release(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
        return HeadroomReleaseResult(released_minor=0)

    async def note_broken_promise(self, asked: BrokenPromiseInput) -> None:
        return None

    async def set_hold(self, asked: GroupHoldInput) -> None:
        return None

    async def holds(self, asked: GroupHoldsInput) -> GroupHolds:
        return GroupHolds()


class NullPrinter:
    """Prints nothing; the digest is that of the effect key."""

    async def print_document(self, asked: DocumentInput) -> DocumentResult:
        return DocumentResult(name="", digest=_digest(asked.effect_key))


class NullStockBook:
    """Has unlimited stock. Asked to release everything it answers nothing, as it doesn't know what was reserved."""

    async def reserve(self, asked: ReserveInput) -> ReserveResult:
        return ReserveResult(tuple(ReservedLine(line.line, line.article, line.quantity, 0) for line in asked.lines))

    async def release(self, asked: ReleaseInput) -> ReleaseResult:
        return ReleaseResult(asked.lines)

    async def ship(self, asked: ShipInput) -> ShipResult:
        return ShipResult(asked.lines)

    async def take_back(self, asked: ReturnInput) -> None:
        return None


class NullCarrier:
    """Carries nothing; the reference is the shipment's own number."""

    async def book(self, asked: CarriageInput) -> CarriageResult:
        return CarriageResult("none", asked.shipment)


class NullWaker:
    """Wakes nobody."""

    async def wake(self) -> int:
        return 0


class NullLedger:
    """Numbers invoices by their effect key, and takes every booking as settling its invoice."""

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        return InvoiceResult(f"NULL-{_digest(asked.effect_key)[:12]}")

    async def claim_number(self, asked: LegacyNumberInput) -> LegacyNumberResult:
        return LegacyNumberResult(asked.deal_id)

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        return LedgerEntryResult(entry_id=_digest(asked.effect_key)[:12], open_minor=0, unapplied_minor=0)


class NullMailer:
    """Sends nothing; the digest is that of the effect key."""

    async def send_letter(self, asked: LetterInput) -> LetterResult:
        return LetterResult(name="", digest=_digest(asked.effect_key))


class NullPostOffice:
    """Sends nothing and knows of no letter: the post office of an installation without a mail server."""

    async def run_once(self, now: str, limit: int = 100) -> Dispatched:
        return Dispatched()


class NullEvidenceOffice:
    """Signs nothing: there is no log."""

    async def sign(self, now: str) -> Checkpointed:
        return Checkpointed()

    async def hand_over(self, now: str) -> HandedOver:
        return HandedOver()


class NullReconciler:
    """Has no customers to reconcile accounts with."""

    async def write_statements(self, asked: StatementsInput) -> StatementsWritten:
        return StatementsWritten(0, "")

    async def ring_unanswered(self, asked: DeadlinesInput) -> Reminded:
        return Reminded(0)
