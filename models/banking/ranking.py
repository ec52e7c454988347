"""What an entry may be for when no rule decides: at most five candidates, best first, each with why in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.banking.hearing import Heard, Hearing
from models.banking.matching_values import Candidate, Tolerance
from models.banking.open_items import Debts, OpenItems
from models.banking.settling import Due, allocation, anyhow, exactly, less_charges, may_miss
from models.money import show

MOST_CANDIDATES = 5
_MOST_CUSTOMERS = 5


@dataclass(frozen=True, slots=True)
class Ranking:
    """Looks for candidates: what the entry almost names, what the payer owes, what has the same amount.

    Scores: 85..95 named by a reference with a slip, 80..90 named, 60..75 the amount fits the payer's invoices, 60 named
    but settled, 55..70 perhaps named, 40..50 the payer's oldest, 25..70 the amount fits somebody else's, below that a
    similar name.
    """

    items: OpenItems
    hearing: Hearing
    tolerance: Tolerance

    def candidates(self, heard: Heard) -> tuple[Candidate, ...]:
        """At most five, by score and then by invoice number; each one's allocations make up the entry's amount."""
        best: dict[tuple[str, ...], Candidate] = {}
        for offers in (
            self._almost_named,
            self._named,
            self._perhaps_named,
            self._payer,
            self._amount,
            self._namesakes,
        ):
            for candidate in offers(heard):
                key = tuple(part.invoice for part in candidate.allocations)
                if key not in best or best[key].score < candidate.score:
                    best[key] = candidate
        ranked = sorted(best.items(), key=lambda item: (-item[1].score, item[0]))
        return tuple(candidate for _, candidate in ranked[:MOST_CANDIDATES])

    def _offer(self, heard: Heard, dues: Sequence[Due], score: int, why: str) -> Candidate:
        settled = anyhow(dues, heard.entry, self.tolerance)
        return Candidate(settled.allocations, min(score, 100), f"{why} (pays {settled.how})")

    def _fits(self, heard: Heard, dues: Sequence[Due]) -> bool:
        entry = heard.entry
        return bool(exactly(dues, entry) or less_charges(dues, entry, self.tolerance))

    def _dues(self, heard: Heard, numbers: Sequence[str]) -> list[Due]:
        dues = [self.items.due(number) for number in numbers]
        return [due for due in dues if due.open_minor and due.invoice.currency == heard.currency]

    def _settled(self, heard: Heard, numbers: Sequence[str], score: int, why: str) -> Iterator[Candidate]:
        """Invoices on which nothing is open: the money would be the customer's credit."""
        for number in numbers:
            due = self.items.due(number)
            if not due.open_minor and due.invoice.currency == heard.currency:
                credit = allocation(due, 0, excess=heard.entry.amount_minor)
                yield Candidate((credit,), score, f"{why} invoice {number}, which is settled")

    def _almost_named(self, heard: Heard) -> Iterator[Candidate]:
        for reference in heard.strange:
            for number in self.hearing.references.meant(reference):
                score = 85 if number in heard.almost else 75
                why = f"check digits of the reference {reference} are wrong; did they mean {number}?"
                for due in self._dues(heard, [number]):
                    yield self._offer(heard, [due], score + 10 * self._fits(heard, [due]), why)
                yield from self._settled(heard, [number], 50, f"{why} That would be")

    def _named(self, heard: Heard) -> Iterator[Candidate]:
        named = (*heard.referenced, *heard.strong)
        if dues := self._dues(heard, named):
            why = f"names invoice {', '.join(due.invoice.number for due in dues)}"
            yield self._offer(heard, dues, 90 if self._fits(heard, dues) else 80, why)
            for due in dues[1:] and dues:
                if self._fits(heard, [due]):
                    yield self._offer(heard, [due], 85, f"names invoice {due.invoice.number} among others")
        yield from self._settled(heard, named, 60, "names")

    def _perhaps_named(self, heard: Heard) -> Iterator[Candidate]:
        for due in self._dues(heard, heard.weak):
            why = f"perhaps names invoice {due.invoice.number}"
            yield self._offer(heard, [due], 70 if self._fits(heard, [due]) else 55, why)
        yield from self._settled(heard, heard.weak, 30, "perhaps names")

    # -- what the payer owes

    def _payer(self, heard: Heard) -> Iterator[Candidate]:
        """Who is known, or everybody who the payer may be."""
        how = {"iban": (50, "the payer is known by the account"), "name": (45, "the payer is known by the name")}
        score, why = how.get(heard.payer.by, (40, "the account or the name is also this customer's"))
        for customer in heard.payer.possible[:_MOST_CUSTOMERS]:
            debts = self.items.debts(customer, heard.currency)
            dues = debts.dues
            yield from self._fitting(heard, customer, debts)
            if dues:
                yield self._offer(heard, _reached(dues, heard), score, f"{why}: {customer}, oldest due first")
            for i, due in enumerate(dues[1:4]):
                if due.open_minor > heard.entry.amount_minor:
                    yield self._offer(heard, [due], score - 12 - i, f"{why}: {customer}, a part of this invoice alone")

    def _fitting(self, heard: Heard, customer: str, debts: Debts) -> Iterator[Candidate]:
        dues = debts.dues
        near = [due for due in dues if may_miss(due, heard.entry, self.tolerance) and self._fits(heard, [due])]
        for i, due in enumerate(near[:3]):
            yield self._offer(heard, [due], 75 - 3 * i, f"amount equals invoice {due.invoice.number} of {customer}")
        sums = debts.sums.sums_to(heard.entry.amount_minor).found if debts.total > heard.entry.amount_minor else ()
        for i, positions in enumerate(sums):
            chosen = [dues[position] for position in positions]
            names = ", ".join(due.invoice.number for due in chosen)
            yield self._offer(heard, chosen, 66 - 3 * i, f"amount equals the sum of {names} of {customer}")
        yield from self._but_one(heard, customer, debts)

    def _but_one(self, heard: Heard, customer: str, debts: Debts) -> Iterator[Candidate]:
        dues, left = debts.dues, debts.total - heard.entry.amount_minor
        spared = [due for due in dues if due.open_minor == left] if len(dues) > 2 and left > 0 else []
        for i, one in enumerate(spared[:2]):
            why = f"pays all open invoices of {customer} but one ({one.invoice.number})"
            yield self._offer(heard, [due for due in dues if due is not one], 68 - i, why)

    # -- what has the same amount, who has a like name

    def _amount(self, heard: Heard) -> Iterator[Candidate]:
        dues = self.items.of_amount(heard.currency, heard.entry.amount_minor)
        alike = dict(self.hearing.payers.similar(heard.entry.party_name, 25)) if dues else {}
        amount = show(heard.entry.amount_minor, heard.currency)
        for due in dues:
            customer, number = due.invoice.customer, due.invoice.number
            if share := alike.get(customer, 0):
                why = f"amount equals invoice {number} of a payer with a similar name ({customer})"
                yield self._offer(heard, [due], 40 + share * 30 // 100, why)
            else:
                why = f"{amount} is open on invoice {number} of {customer}"
                yield self._offer(heard, [due], 35 if len(dues) == 1 else 25, why)

    def _namesakes(self, heard: Heard) -> Iterator[Candidate]:
        if heard.payer.possible:
            return
        for customer, share in self.hearing.payers.similar(heard.entry.party_name):
            if dues := self.items.debts(customer, heard.currency).dues:
                why = f"{customer} has a similar name, oldest due first"
                yield self._offer(heard, _reached(dues, heard), 5 + share * 20 // 100, why)


def _reached(dues: list[Due], heard: Heard) -> list[Due]:
    """Of invoices that are in order those that the amount reaches; all when it is more than enough."""
    before = 0
    for count, due in enumerate(dues):
        if before >= heard.entry.amount_minor:
            return dues[:count]
        before += due.open_minor
    return dues
