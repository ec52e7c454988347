"""A ledger in memory."""

from infra.gateways import checked
from infra.gateways.ledger import ENTRY_KINDS, check_invoice
from models.messages.receivables import InvoiceInput, InvoiceResult, LedgerEntryInput, LedgerEntryResult
from tests.fakes.recorded import Recorded


class FakeLedger(Recorded):
    """The port Ledger in memory: `invoices` and what is `open` on them by number, `entries` in order."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: dict[str, InvoiceInput] = {}
        self.open: dict[str, int] = {}
        self.entries: list[tuple[LedgerEntryInput, LedgerEntryResult]] = []
        self._numbers: dict[str, int] = {}

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        check_invoice(asked)
        return self._act("issue_invoice", asked, lambda: self._issue(asked), asked.effect_key)

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        if asked.kind not in ENTRY_KINDS:
            raise ValueError(f"no such entry: {asked.kind!r}")
        checked.positive(asked.amount_minor)
        return self._act("book", asked, lambda: self._book(asked), asked.effect_key)

    def _issue(self, asked: InvoiceInput) -> InvoiceResult:
        series = asked.issued_at[:4]
        self._numbers[series] = self._numbers.get(series, 0) + 1
        number = f"{series}-{self._numbers[series]:06d}"
        self.invoices[number] = asked
        self.open[number] = asked.total_minor
        return InvoiceResult(number)

    def _book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        invoice = self.invoices.get(asked.invoice)
        if invoice is None or (invoice.currency, invoice.customer_id) != (asked.currency, asked.customer_id):
            raise ValueError(f"no such invoice of the customer: {asked.invoice!r}")
        applied = min(asked.amount_minor, self.open[asked.invoice])
        self.open[asked.invoice] -= applied
        unapplied = 0 if asked.kind == "write_off" else asked.amount_minor - applied
        result = LedgerEntryResult(str(len(self.entries) + 1), self.open[asked.invoice], unapplied)
        self.entries.append((asked, result))
        return result
