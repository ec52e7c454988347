"""The book of open invoices while a statement is matched: what is open now, indexed by customer and by amount."""

from bisect import insort
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from models.banking.matching_values import Allocation, OpenInvoice
from models.banking.settling import Due, open_sum
from models.banking.subsets import SumTable

MOST_NEIGHBOURS = 25
"""How many invoices of the same amount are looked at."""

_MOST_DEBTS = 256
"""Customers whose invoices are kept at hand; the sums of one take up to 200 KB."""

Place = tuple[str, str]


class Debts:
    """What a customer owes in one currency, oldest due first."""

    def __init__(self, dues: list[Due]) -> None:
        self.dues = dues
        self.total = open_sum(dues)

    @cached_property
    def sums(self) -> SumTable:
        """The sums of the oldest of them."""
        return SumTable([due.open_minor for due in self.dues])


class OpenItems:
    """What is open on each invoice. Allocations lower it, negative ones (a payment that came back) raise it again.

    The order of everything it answers depends on the invoices and on what was applied, never on the order in which the
    invoices came. Raises ValueError when two invoices have the same number.
    """

    def __init__(self, invoices: Iterable[OpenInvoice]) -> None:
        self.invoices: dict[str, OpenInvoice] = {}
        self._dues: dict[str, Due] = {}
        self._by_amount: dict[tuple[str, int], list[Place]] = {}
        self._by_customer: dict[str, dict[str, list[Place]]] = {}
        self._debts: dict[Place, Debts] = {}
        for invoice in sorted(invoices, key=lambda invoice: (invoice.due_on, invoice.number)):
            if invoice.number in self.invoices:
                raise ValueError(f"two invoices have the number {invoice.number!r:.60}")
            self.invoices[invoice.number] = invoice
            self._dues[invoice.number] = Due(invoice, 0)
            self._set(invoice, max(0, invoice.open_minor))

    def _set(self, invoice: OpenInvoice, open_minor: int) -> None:
        before, place = self._dues[invoice.number].open_minor, (invoice.due_on, invoice.number)
        self._dues[invoice.number] = Due(invoice, open_minor)
        self._debts.pop((invoice.customer, invoice.currency), None)
        if before:
            self._by_amount[invoice.currency, before].remove(place)
        if open_minor:
            insort(self._by_amount.setdefault((invoice.currency, open_minor), []), place)
        if bool(before) != bool(open_minor):
            mine = self._by_customer.setdefault(invoice.customer, {}).setdefault(invoice.currency, [])
            insort(mine, place) if open_minor else mine.remove(place)

    def due(self, number: str) -> Due:
        """An invoice with what is open on it now. Raises KeyError when there is none with this number."""
        return self._dues[number]

    def debts(self, customer: str, currency: str) -> Debts:
        """What a customer owes in a currency."""
        key = (customer, currency)
        if (known := self._debts.get(key)) is None:
            if len(self._debts) >= _MOST_DEBTS:
                self._debts.pop(next(iter(self._debts)))
            places = self._by_customer.get(customer, {}).get(currency, ())
            known = self._debts[key] = Debts([self._dues[number] for _, number in places])
        return known

    def other_currencies(self, customer: str, currency: str) -> list[str]:
        """Currencies other than this one in which a customer owes something."""
        places = self._by_customer.get(customer, {})
        return sorted(other for other, dues in places.items() if dues and other != currency)

    def of_amount(self, currency: str, open_minor: int) -> list[Due]:
        """The oldest of the invoices (at most 25) on which exactly this is open."""
        places = self._by_amount.get((currency, open_minor), ())
        return [self._dues[number] for _, number in islice(places, MOST_NEIGHBOURS)]

    def take(self, allocations: Iterable[Allocation]) -> None:
        """Lower what is open by what is applied, forgiven as charges and kept back as discount.

        Raises ValueError, and changes nothing, when an invoice is unknown or less is open on it.
        """
        after: dict[str, int] = {}
        for part in allocations:
            if part.invoice not in self.invoices:
                raise ValueError(f"there is no invoice {part.invoice!r:.60}")
            lowered = part.applied_minor + part.charges_minor + part.discount_minor
            after[part.invoice] = after.get(part.invoice, self._dues[part.invoice].open_minor) - lowered
            if after[part.invoice] < 0:
                raise ValueError(f"less than {lowered} is open on invoice {part.invoice}")
        for number, open_minor in after.items():
            self._set(self.invoices[number], open_minor)
