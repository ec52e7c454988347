"""The rules by which money that came in is matched with open invoices; models/banking/matching.py tells them in order.

A rule answers a match; or a match without a rule, which ends the search and says why a person has to decide; or None,
and the next rule is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.banking.hearing import Heard
from models.banking.matching_values import Match, Tolerance
from models.banking.open_items import OpenItems
from models.banking.settling import (
    Due,
    Settled,
    exactly,
    in_part,
    less_charges,
    may_miss,
    oldest_first,
    open_sum,
    with_excess,
)
from models.banking.subsets import Sums

STRUCTURED_REFERENCE = "structured_reference"
INVOICE_NUMBER = "invoice_number"
AMOUNT_AND_CUSTOMER = "amount_and_customer"
IBAN_HISTORY = "iban_history"
FOREIGN = "foreign currency: "


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules over what is open now."""

    items: OpenItems
    tolerance: Tolerance

    def decide(self, heard: Heard) -> Match:
        """The first rule that decides; without a rule when a person has to."""
        for rule in (self._foreign, self._reference, self._number, self._weak_number, self._customer, self._history):
            if match := rule(heard):
                return match
        return stop(_nothing_fits(heard), heard.payer.customer)

    # -- what the payer names

    def _foreign(self, heard: Heard) -> Match | None:
        if heard.entry.currency != heard.currency:
            return stop(f"{FOREIGN}the entry is in {heard.entry.currency}, the account in {heard.currency}")
        for number in (*heard.referenced, *heard.strong):
            invoice = self.items.invoices[number]
            if invoice.currency != heard.currency:
                why = f"{FOREIGN}names invoice {number} in {invoice.currency}, but {heard.currency} came in"
                return stop(why, invoice.customer)
        return None

    def _open(self, numbers: Sequence[str], currency: str) -> list[Due]:
        dues = (self.items.due(number) for number in numbers)
        return [due for due in dues if due.open_minor and due.invoice.currency == currency]

    def _reference(self, heard: Heard) -> Match | None:
        """a. structured_reference"""
        dues = self._open(heard.referenced, heard.currency)
        if not dues:
            return None
        others = self._open(heard.strong, heard.currency)
        if not others:
            return self._named(STRUCTURED_REFERENCE, heard, dues)
        if settled := exactly(dues, heard.entry):
            return _matched(STRUCTURED_REFERENCE, settled)
        if settled := exactly([*dues, *others], heard.entry):
            return _matched(INVOICE_NUMBER, settled)
        return stop(f"the reference names {_list(dues)}, the text {_list(others)}, and the amount is neither's")

    def _number(self, heard: Heard) -> Match | None:
        """b. invoice_number, of invoices that are surely named"""
        named = (*heard.referenced, *heard.strong)
        if not named:
            return None
        if dues := self._open(heard.strong, heard.currency):
            return self._named(INVOICE_NUMBER, heard, dues)
        settled = f"{', '.join(named)}, which {'is' if len(named) == 1 else 'are'} settled"
        return stop(f"names invoice {settled}", self.items.invoices[named[0]].customer)

    def _named(self, rule: str, heard: Heard, dues: list[Due]) -> Match:
        """The payer named these invoices: settle them, or a part of them, unless something speaks against it."""
        entry = heard.entry
        maybe = self._maybe_named_too(heard, dues)
        if settled := exactly(dues, entry):
            return _matched(rule, settled)
        if maybe and (settled := exactly([*dues, *maybe], entry)):
            return _matched(INVOICE_NUMBER, settled)
        if settled := less_charges(dues, entry, self.tolerance):
            return _matched(rule, settled)
        if doubt := self._doubt(rule, heard, dues, maybe):
            return stop(f"names {_list(dues)}, but {doubt}", _payer(dues))
        amount = entry.amount_minor
        return _matched(rule, in_part(dues, amount) if amount < open_sum(dues) else with_excess(dues, amount))

    def _maybe_named_too(self, heard: Heard, dues: list[Due]) -> list[Due]:
        customers = {due.invoice.customer for due in dues}
        return [due for due in self._open(heard.weak, heard.currency) if due.invoice.customer in customers]

    def _doubt(self, rule: str, heard: Heard, dues: list[Due], maybe: list[Due]) -> str:
        """Why an amount that is not what these invoices ask for must not be spread over them."""
        if len({due.invoice.customer for due in dues}) > 1:
            return "they are several customers' and the amount is not their sum"
        if maybe:
            return f"perhaps {_list(maybe)} too, and the amount is not the sum"
        if heard.unknown:
            return f"also {', '.join(heard.unknown)}, which we do not know"
        if rule == INVOICE_NUMBER and not heard.may_pay_for(dues[0].invoice.customer):
            return "the payer is known as another customer and the amount is not what is open"
        return ""

    def _weak_number(self, heard: Heard) -> Match | None:
        """b. invoice_number, of invoices that may be named: only when the amount says the same"""
        dues = [due for due in self._open(heard.weak, heard.currency) if heard.may_pay_for(due.invoice.customer)]
        fitting = [settled for due in dues if (settled := exactly([due], heard.entry))]
        if len(dues) > 1 and _payer(dues) and (settled := exactly(dues, heard.entry)):
            fitting.append(settled)
        return _matched(INVOICE_NUMBER, fitting[0]) if len(fitting) == 1 else None

    # -- what the payer owes

    def _customer(self, heard: Heard) -> Match | None:
        """c. amount_and_customer"""
        customer, entry = heard.payer.customer, heard.entry
        if not customer:
            return None
        debts = self.items.debts(customer, heard.currency)
        dues = debts.dues
        if not dues:
            others = self.items.other_currencies(customer, heard.currency)
            why = f"{FOREIGN}{customer} owes in {', '.join(others)}, but {heard.currency} came in"
            return stop(why, customer) if others else None
        if debts.total == entry.amount_minor:
            return _matched(AMOUNT_AND_CUSTOMER, exactly(dues, entry))
        near = [due for due in dues if may_miss(due, entry, self.tolerance)]
        singles = [settled for due in near if (settled := exactly([due], entry))]
        is_exact = len(singles) == 1 and not singles[0].allocations[0].discount_minor
        if is_exact or len(singles) > 1:
            return self._one_of(singles, heard)
        sums = debts.sums.sums_to(entry.amount_minor) if debts.total > entry.amount_minor else Sums((), True)
        return self._one_of(singles + self._several(dues, sums, heard), heard, sums) or self._less(near, heard)

    def _several(self, dues: list[Due], sums: Sums, heard: Heard) -> list[Settled]:
        chosen = [exactly([dues[i] for i in positions], heard.entry) for positions in sums.found]
        everything = exactly(dues, heard.entry) if len(dues) > 1 else None
        return [settled for settled in (*chosen, everything) if settled]

    def _one_of(self, readings: list[Settled], heard: Heard, sums: Sums | None = None) -> Match | None:
        """The only reading of an amount, a stop when there is another one, None when there is none."""
        customer = heard.payer.customer
        if not readings:
            return None
        ways = [", ".join(part.invoice for part in reading.allocations) for reading in readings[:2]]
        if len(readings) > 1:
            return stop(f"the amount fits more than one way: {ways[0]} or {ways[1]}", customer)
        if sums and sums.found and not sums.is_complete:
            return stop(f"the amount is the sum of {ways[0]}, but perhaps of others too", customer)
        if heard.almost and not any(part.invoice in heard.almost for part in readings[0].allocations):
            return stop(f"the amount fits {ways[0]}, but the reference is almost that of {heard.almost[0]}", customer)
        return _matched(AMOUNT_AND_CUSTOMER, readings[0])

    def _less(self, near: list[Due], heard: Heard) -> Match | None:
        singles = [settled for due in near if (settled := less_charges([due], heard.entry, self.tolerance))]
        return self._one_of(singles, heard)

    def _history(self, heard: Heard) -> Match | None:
        """d. iban_history"""
        if heard.payer.by != "iban" or heard.unknown or heard.strange:
            return None
        dues = self.items.debts(heard.payer.customer, heard.currency).dues
        if len(dues) != 1 or heard.entry.amount_minor > dues[0].open_minor:
            return None
        if any(number != dues[0].invoice.number for number in heard.weak):
            return None
        return _matched(IBAN_HISTORY, in_part(dues, heard.entry.amount_minor))


def stop(reason: str, customer: str = "") -> Match:
    """No rule decides: a person has to, for this reason."""
    return Match("", customer=customer, reason=reason)


def _matched(rule: str, settled: Settled | None) -> Match:
    assert settled is not None
    customers = {part.customer for part in settled.allocations}
    names = ", ".join(part.invoice for part in settled.allocations)
    return Match(
        rule, settled.allocations, (), min(customers) if len(customers) == 1 else "", f"pays {names} {settled.how}"
    )


def _payer(dues: Sequence[Due]) -> str:
    """The customer of these invoices, empty when there are several."""
    customers = {due.invoice.customer for due in dues}
    return min(customers) if len(customers) == 1 else ""


def _list(dues: Sequence[Due]) -> str:
    return ", ".join(due.invoice.number for due in oldest_first(dues))


def _nothing_fits(heard: Heard) -> str:
    if heard.unknown:
        return f"names {', '.join(heard.unknown)}, which we do not know"
    if heard.payer.customer:
        return f"{heard.payer.customer} paid, but the amount is nothing that is open"
    if len(heard.payer.possible) > 1:
        return f"the payer may be {' or '.join(heard.payer.possible[:3])}"
    return "neither an invoice nor a payer that we know"
