"""The doors to the outside world, as protocols: activities call them, gateways implement them.

Every method that changes something takes an `effect_key` (or `key`) and does its work once for it, for ever:
called again with the same key it answers as it did the first time.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from models.messages.control import PolicyInput, PolicyResult
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
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
)
from models.messages.post import Delivered, Dispatched, OutgoingLetter
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
from models.messages.records import (
    ArchiveInput,
    ArchiveResult,
    RecordInput,
    RecordResult,
    StandingInput,
    StandingResult,
)
from models.messages.sales import GrantedDiscountInput, QuoteInput, QuoteResult


class PriceList(Protocol):
    """List prices, costs and what a customer was granted before."""

    async def quote(self, asked: QuoteInput) -> QuoteResult: ...

    async def note_granted(self, asked: GrantedDiscountInput) -> None: ...


class PolicyBook(Protocol):
    """The versions of the business numbers. Reads only."""

    async def policy(self, asked: PolicyInput) -> PolicyResult: ...


class CreditBureau(Protocol):
    """What is known about a customer's reliability. Reads only."""

    async def reliability(self, asked: ReliabilityInput) -> ReliabilityFacts: ...


class CreditBook(Protocol):
    """Credit limits per customer group, the headroom reserved from them atomically, and holds on whole groups."""

    async def reserve(self, asked: HeadroomInput) -> HeadroomResult: ...

    async def release(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult: ...

    async def note_broken_promise(self, asked: BrokenPromiseInput) -> None: ...

    async def set_hold(self, asked: GroupHoldInput) -> None: ...

    async def holds(self, asked: GroupHoldsInput) -> GroupHolds: ...


class DocumentPrinter(Protocol):
    """Prints documents to files that never change afterwards."""

    async def print_document(self, asked: DocumentInput) -> DocumentResult: ...


class StockBook(Protocol):
    """The append-only stock book: on hand = opening + received + returned - shipped, 0 <= reserved <= on hand."""

    async def reserve(self, asked: ReserveInput) -> ReserveResult: ...

    async def release(self, asked: ReleaseInput) -> ReleaseResult: ...

    async def ship(self, asked: ShipInput) -> ShipResult: ...

    async def take_back(self, asked: ReturnInput) -> None: ...


class Waker(Protocol):
    """Tells deals that the stock book has set units aside for them. Answers how many were told."""

    async def wake(self) -> int: ...


class Carrier(Protocol):
    """Whoever carries goods to the customer. Its messages come back through the API, not through this door."""

    async def book(self, asked: CarriageInput) -> CarriageResult: ...


class Ledger(Protocol):
    """Invoices and what was booked on them: invoiced = paid + credited + written off + open."""

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult: ...

    async def claim_number(self, asked: LegacyNumberInput) -> LegacyNumberResult: ...

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult: ...


class Mailer(Protocol):
    """Letters to customers: a file each and a line in the outbox."""

    async def send_letter(self, asked: LetterInput) -> LetterResult: ...


class Post(Protocol):
    """Carries letters to customers. The one door without "once": a mail server can't be asked what it has taken over.

    `about_to_send` is awaited right before the letter is given away. When it answers False nothing is sent; once it
    has answered True and no answer of the server is known, the outcome is `unsure`.
    """

    async def deliver(self, letter: OutgoingLetter, about_to_send: Callable[[], Awaitable[bool]]) -> Delivered: ...


class PostOffice(Protocol):
    """Has the letters posted that wait in the outbox: each at most once, whatever crashes."""

    async def run_once(self, now: str, limit: int = 100) -> Dispatched: ...


class Reconciler(Protocol):
    """Statements of account: one per customer, currency and month, for ever; and those that nobody has answered."""

    async def write_statements(self, asked: StatementsInput) -> StatementsWritten: ...

    async def ring_unanswered(self, asked: DeadlinesInput) -> Reminded: ...


class EvidenceOffice(Protocol):
    """Signs the audit log and hands its checkpoints outside. Signing what was signed already makes nothing new."""

    async def sign(self, now: str) -> Checkpointed: ...

    async def hand_over(self, now: str) -> HandedOver: ...


class Recorder(Protocol):
    """Writes what a move left behind, in one transaction, once per (deal, sequence)."""

    async def record(self, asked: RecordInput) -> RecordResult: ...

    async def standing(self, asked: StandingInput) -> StandingResult: ...


class Archive(Protocol):
    """Keeps the engine's full history of a finished run, as binary protobuf."""

    async def archive_run(self, asked: ArchiveInput) -> ArchiveResult: ...
