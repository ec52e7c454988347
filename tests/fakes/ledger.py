"""A ledger in memory."""

from collections import Counter, defaultdict

from infra.gateways.ledger_rules import Booked, Standing, applied_of, check_entry, check_invoice, series_of
from models.messages.receivables import (
    InvoiceInput,
    InvoiceResult,
    LedgerEntryInput,
    LedgerEntryResult,
    LegacyNumberInput,
    LegacyNumberResult,
)
from tests.fakes.recorded import Recorded


class FakeLedger(Recorded):
    """The port Ledger in memory: `invoices` and what is `open` on them by number, `entries` in order."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: dict[str, InvoiceInput] = {}
        self.open: dict[str, int] = {}
        self.entries: list[tuple[LedgerEntryInput, LedgerEntryResult]] = []
        self.claims: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._booked: defaultdict[str, Booked] = defaultdict(dict)

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        check_invoice(asked)
        return self._act("issue_invoice", asked, lambda: self._issue(asked), asked.effect_key)

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        check_entry(asked)
        return self._act("book", asked, lambda: self._book(asked), asked.effect_key)

    async def claim_number(self, asked: LegacyNumberInput) -> LegacyNumberResult:
        return LegacyNumberResult(self.claims.setdefault(asked.number, asked.deal_id))

    def _number(self, kind: str, at: str) -> str:
        series = series_of(kind, at)
        self._numbers[series] += 1
        return f"{series}-{self._numbers[series]:06d}"

    def _issue(self, asked: InvoiceInput) -> InvoiceResult:
        number = asked.number or self._number(asked.kind, asked.issued_at)
        if number in self.invoices:
            raise ValueError(f"there is an invoice {number} already")
        self.invoices[number] = asked
        self.open[number] = asked.total_minor
        return InvoiceResult(number)

    def _book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        invoice, of = self.invoices.get(asked.invoice), asked.invoice
        if invoice is None or (invoice.currency, invoice.customer_id) != (asked.currency, asked.customer_id):
            raise ValueError(f"no such invoice of the customer: {of!r}")
        booked = self._booked[of]
        applied, unapplied = applied_of(asked, Standing.of(self.open[of], booked))
        self.open[of] -= applied if asked.kind != "reversal" else -applied
        amount, rest = booked.get(asked.kind, (0, 0))
        booked[asked.kind] = (amount + applied, rest + unapplied)
        number = self._number("credit_note", asked.at) if asked.kind == "credit_note" else ""
        result = LedgerEntryResult(str(len(self.entries) + 1), self.open[of], unapplied, number)
        self.entries.append((asked, result))
        return result
