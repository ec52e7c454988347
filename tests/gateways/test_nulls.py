"""The Null twins answer every port's question harmlessly."""

from infra.gateways.nulls import (
    NullCarrier,
    NullCreditBook,
    NullCreditBureau,
    NullEvidenceOffice,
    NullLedger,
    NullMailer,
    NullPriceList,
    NullPrinter,
    NullStockBook,
)
from models import ports
from models.messages.evidence import Checkpointed, HandedOver
from models.messages.finance import (
    BrokenPromiseInput,
    GroupHoldInput,
    GroupHoldsInput,
    HeadroomReleaseInput,
    ReliabilityInput,
)
from models.messages.legal import DocumentInput
from models.messages.logistics import CarriageInput, ReleaseInput, ReturnInput, ShipInput
from models.messages.receivables import InvoiceInput, LedgerEntryInput, LetterInput
from models.messages.sales import GrantedDiscountInput, QuoteInput, QuoteLine
from tests.gateways.worlds import AT, LATER, headroom, lines, reservation


async def test_stock_without_end():
    stock: ports.StockBook = NullStockBook()
    answer = await stock.reserve(reservation("k", *lines(5, 10**9)))
    assert [(line.reserved, line.short) for line in answer.lines] == [(5, 0), (10**9, 0)]
    assert (await stock.ship(ShipInput("k", "D1", lines(5), AT))).lines == lines(5)
    assert (await stock.release(ReleaseInput("k", "D1", AT))).lines == ()
    await stock.take_back(ReturnInput("k", "D1", "north", lines(1), AT))


async def test_a_carrier_that_carries_nothing():
    carrier: ports.Carrier = NullCarrier()
    asked = CarriageInput("k", "D1", "D1-S1", "north", "Hamburg", lines(1), AT)
    assert await carrier.book(asked) == await carrier.book(asked)


async def test_everything_costs_one():
    prices: ports.PriceList = NullPriceList()
    for currency, one in (("EUR", 100), ("JPY", 1), ("KWD", 1_000)):
        answer = await prices.quote(QuoteInput("D1", "C1", currency, (QuoteLine("bolt", 1),), AT))
        assert (answer.lines[0].known, answer.lines[0].list_price_minor) == (True, one)
    await prices.note_granted(GrantedDiscountInput("k", "D1", "C1", "EUR", 1, 1, AT))


async def test_credit_without_end():
    book: ports.CreditBook = NullCreditBook()
    bureau: ports.CreditBureau = NullCreditBureau()
    assert (await book.reserve(headroom("a", 10**14))).granted
    assert (await book.release(HeadroomReleaseInput("k", "a", "D1", 0, AT))).released_minor == 0
    await book.note_broken_promise(BrokenPromiseInput("k", "D1", "C1", AT))
    await book.set_hold(GroupHoldInput("k", "group", "D1", "C1", "R-1", True, "late", AT, False))
    assert (await book.holds(GroupHoldsInput("group", "D2", AT, False))).count == 0
    assert (await bureau.reliability(ReliabilityInput("D1", "C1", "EUR", AT))).customer_known


async def test_papers_that_nobody_reads():
    ledger: ports.Ledger = NullLedger()
    mailer: ports.Mailer = NullMailer()
    printer: ports.DocumentPrinter = NullPrinter()
    asked = InvoiceInput("k", "D1", "C1", "delivery", "EUR", (), 5, AT, LATER)
    assert await ledger.issue_invoice(asked) == await ledger.issue_invoice(asked)
    booked = await ledger.book(LedgerEntryInput("k", "D1", "C1", "N", "payment", 5, "EUR", "", AT))
    assert (booked.open_minor, booked.unapplied_minor) == (0, 0)
    assert (await mailer.send_letter(LetterInput("k", "D1", "C1", "reminder", {}, AT))).digest
    assert (await printer.print_document(DocumentInput("k", "D1", "C1", "offer", 1, {}, AT))).digest


async def test_evidence_that_nobody_keeps():
    office: ports.EvidenceOffice = NullEvidenceOffice()
    assert await office.sign(AT) == Checkpointed()
    assert await office.hand_over(AT) == HandedOver()
