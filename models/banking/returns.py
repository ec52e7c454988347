"""Money that went out: payments that came back and undo what they paid, and our own payments, which are nobody's."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.banking.hearing import Heard
from models.banking.matching_values import Allocation, Candidate, Earlier, Match
from models.banking.open_items import OpenItems
from models.banking.rules import FOREIGN, stop
from models.banking.settling import Due, allocation
from models.banking.statement import BankEntry
from models.banking.words import folded
from models.money import show

RETURNED = "returned"
OUTGOING = "outgoing"

RETURN_CODES = frozenset(("UPDD", "PRDD", "ARET", "RRTN", "UPCQ", "NRTI", "RTI", "108", "109", "110", "111"))
"""Of ISO 20022's bank transaction sub-families, SWIFT's transaction types and German GVC codes those of a debit, a
cheque or a transfer that came back."""

_RETURN_WORDS = re.compile(
    r"\b(RUE?CKLAST|RUE?CKBUCHUNG|RUE?CKSCHECK|RETURN(ED)? ((SEPA )?(DIRECT )?DEBIT|DD|SDD|ITEM|PAYMENT|CHEQUE)"
    r"|DIRECT DEBIT RETURN|UNPAID (DIRECT DEBIT|CHEQUE|ITEM)|CHARGEBACK|IMPAYE|REJET|INSOLUTO"
    r"|DEVOLUCION DE (RECIBO|ADEUDO))"
)
_FEE_WORDS = re.compile(r"GEBUE?HR|ENTGELT|\b(FEES?|BANK CHARGES|FRAIS|SPESE|COMMISSIONE?|PROVISION|ZINSEN)\b")


def negative(parts: Iterable[Allocation]) -> tuple[Allocation, ...]:
    """The allocations that undo these."""
    return tuple(
        replace(
            part,
            applied_minor=-part.applied_minor,
            excess_minor=-part.excess_minor,
            charges_minor=-part.charges_minor,
            discount_minor=-part.discount_minor,
        )
        for part in parts
    )


def is_return(entry: BankEntry) -> bool:
    """Whether an outgoing entry is a payment that came back: the bank says so by a flag, a reason, a code or words.

    A fee for a return (an entry of its own) is none.
    """
    if entry.is_reversal or entry.return_reason:
        return True
    if RETURN_CODES & set(re.split(r"[^0-9A-Z]+", entry.code.upper())):
        return True
    text = folded(f"{entry.code} {entry.text}")
    return bool(_RETURN_WORDS.search(text)) and not _FEE_WORDS.search(text)


class History:
    """Earlier entries by the references under which their money may come back."""

    def __init__(self, earlier: Iterable[Earlier]) -> None:
        self._by_reference: dict[str, list[Earlier]] = {}
        for one in earlier:
            self.add(one)

    def add(self, earlier: Earlier) -> None:
        """Remember an entry that was matched."""
        for reference in {earlier.bank_reference, earlier.end_to_end} - {""}:
            self._by_reference.setdefault(reference, []).append(earlier)

    def drop(self, undone: tuple[Allocation, ...], entry: BankEntry | None) -> None:
        """Forget the earlier entry that these allocations have undone, so that nothing is undone twice."""
        known = self.find(entry) if entry else [one for group in self._by_reference.values() for one in group]
        for one in known:
            if negative(one.allocations) == undone:
                for reference in {one.bank_reference, one.end_to_end} - {""}:
                    self._by_reference[reference].remove(one)
                return

    def find(self, entry: BankEntry) -> list[Earlier]:
        """Earlier entries with the end-to-end id of this one or else its bank reference."""
        for reference in (entry.end_to_end, entry.bank_reference):
            if reference and (found := self._by_reference.get(reference)):
                return list(found)
        return []


@dataclass(frozen=True, slots=True)
class Returns:
    """Decides entries that went out."""

    items: OpenItems
    history: History

    def decide(self, heard: Heard) -> Match:
        """`returned` with negative allocations, `outgoing` with none, or no rule when a person has to look."""
        entry = heard.entry
        earlier = self.history.find(entry)
        same = [one for one in earlier if one.amount_minor == -entry.amount_minor]
        is_back = is_return(entry)
        if not is_back and not same:
            what = "bank charges" if _FEE_WORDS.search(folded(f"{entry.code} {entry.text}")) else "our own payment"
            return Match(OUTGOING, reason=what)
        if entry.currency != heard.currency:
            return stop(f"{FOREIGN}the entry is in {entry.currency}, the account in {heard.currency}")
        if same:
            return self._undone(same, heard) if is_back else _perhaps(same)
        if earlier:
            return self._differs(earlier[0], heard)
        return self._named(heard)

    def _undone(self, same: list[Earlier], heard: Heard) -> Match:
        ways = {one.allocations for one in same}
        if len(ways) > 1:
            candidates = tuple(Candidate(negative(one.allocations), 60, "has the same reference") for one in same)
            return replace(
                stop("a payment came back; several have its reference and amount"), candidates=candidates[:5]
            )
        parts = same[0].allocations
        if problem := self._problem(parts, heard.currency):
            return stop(problem)
        numbers = ", ".join(part.invoice for part in parts)
        return Match(RETURNED, negative(parts), (), _customer(parts), f"the payment of {numbers} came back")

    def _problem(self, parts: Iterable[Allocation], currency: str) -> str:
        for part in parts:
            invoice = self.items.invoices.get(part.invoice)
            if invoice is None:
                return f"the payment of {part.invoice}, which is not in the book, came back"
            if invoice.currency != currency:
                return f"{FOREIGN}invoice {part.invoice} is in {invoice.currency}, but {currency} came back"
        return ""

    def _differs(self, earlier: Earlier, heard: Heard) -> Match:
        """The reference is that of a payment, the amount is not: a part of it, or the other bank's fee on top."""
        back = -heard.entry.amount_minor
        why = f"undoes a payment of {show(earlier.amount_minor, heard.currency)} with this reference"
        candidates: tuple[Candidate, ...] = ()
        if back > earlier.amount_minor and not self._problem(earlier.allocations, heard.currency):
            parts = list(negative(earlier.allocations))
            fee = back - earlier.amount_minor
            parts[-1] = replace(parts[-1], excess_minor=parts[-1].excess_minor - fee)
            candidates = (
                Candidate(tuple(parts), 80, f"{why}; {show(fee, heard.currency)} more is the customer's debit"),
            )
        reason = f"a payment came back, but not its amount: {why}"
        return replace(stop(reason, _customer(earlier.allocations)), candidates=candidates)

    def _named(self, heard: Heard) -> Match:
        numbers = heard.referenced or heard.strong
        dues = [self.items.due(number) for number in numbers]
        if not dues:
            return stop("a payment came back, but nothing says which", heard.payer.customer)
        if any(due.invoice.currency != heard.currency for due in dues):
            return stop(f"{FOREIGN}names invoice {', '.join(numbers)}, but {heard.currency} came back")
        back = -heard.entry.amount_minor
        if len(dues) == 1 and _may_reopen(dues[0], back):
            parts: tuple[Allocation, ...] = (allocation(dues[0], -back),)
        elif all(due.invoice.total_minor for due in dues) and sum(map(_paid, dues)) == back:
            parts = tuple(allocation(due, -_paid(due)) for due in dues if _paid(due))
        else:
            return stop(f"a payment came back, but it is not what was paid on {', '.join(numbers)}", _customer_of(dues))
        return Match(RETURNED, parts, (), _customer(parts), f"the payment of {', '.join(numbers)} came back")


def _perhaps(same: list[Earlier]) -> Match:
    """Went out with the reference and the amount of earlier entries, but the bank does not say that it came back."""
    candidates = tuple(
        Candidate(negative(one.allocations), 60, "undoes the payment with the same reference and amount")
        for one in same
    )
    reason = "has the reference and the amount of an earlier payment, but the bank does not say that it came back"
    return replace(stop(reason), candidates=candidates[:5])


def _paid(due: Due) -> int:
    return due.invoice.total_minor - due.open_minor


def _may_reopen(due: Due, amount_minor: int) -> bool:
    return not due.invoice.total_minor or amount_minor <= _paid(due)


def _customer(parts: Iterable[Allocation]) -> str:
    customers = {part.customer for part in parts}
    return min(customers) if len(customers) == 1 else ""


def _customer_of(dues: Iterable[Due]) -> str:
    customers = {due.invoice.customer for due in dues}
    return min(customers) if len(customers) == 1 else ""
