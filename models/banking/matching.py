"""Matches bank entries with open invoices. The rules in order; the first that decides gives the match its name:

`structured_reference`
    A creditor reference (ISO 11649, its check digits right, or a national one that is the number in plain text) names
    an invoice. Wrong check digits match nothing by themselves and give a candidate.
`invoice_number`
    The texts name invoices (models/banking/mentions.py tells how surely). All of them are paid when the amount is what
    is open on them, less cash discount or bank charges; less is a part, oldest due first; more is credit on the last
    due one. No part and no credit when they are several customers', when the text also names a number that we do not
    know or may name another of the customer's invoices, or when the payer is known as somebody else. What may only
    perhaps be a number counts when exactly one such reading fits the amount to the last cent.
`amount_and_customer`
    The payer is known by the account or by a unique name, and the amount is all that he owes, or what is open on
    exactly one invoice, or exactly one sum of at most six; what runs of cash discount may be missing, and when nothing
    else fits, bank charges on one invoice.
`iban_history`
    The payer is known by the account, has exactly one open invoice and pays a part of it.
`returned`
    Money that came back (the bank says so by a flag, a reason, a code or words): negative parts undo the earlier entry
    that has its end-to-end id or bank reference and its amount; or else open the invoice again that it names, never
    beyond what the invoice was for.
`outgoing`
    Any other entry that went out is our own payment: no parts, nobody needs to look.
`nothing_moved`
    An entry of 0.

*Cash discount* may be kept back when `discount_until` is not before the value date and exactly the discount is missing.
*Bank charges* may be missing when it is exactly what the bank says it kept, or not more than the currency's tolerance
and the share of what is open, per invoice; they go on the oldest due first.

Everything else has no rule, a reason and ranked candidates: two readings that are equally good; an entry that names a
settled invoice (it may be paid twice) whatever the amount says; another currency (``foreign currency: ...``); money of
ours that came back in. For every rule but `outgoing` the parts (applied + excess) add up to the entry.
"""

from collections.abc import Iterable
from dataclasses import replace

from models.banking.hearing import Heard, Hearing
from models.banking.matching_values import Earlier, Match, OpenInvoice, Payer, Tolerance
from models.banking.open_items import OpenItems
from models.banking.ranking import Ranking
from models.banking.returns import OUTGOING, RETURNED, History, Returns
from models.banking.rules import (
    AMOUNT_AND_CUSTOMER,
    IBAN_HISTORY,
    INVOICE_NUMBER,
    STRUCTURED_REFERENCE,
    Rules,
    stop,
)
from models.banking.statement import BankEntry

NOTHING_MOVED = "nothing_moved"
RULES = (
    STRUCTURED_REFERENCE,
    INVOICE_NUMBER,
    AMOUNT_AND_CUSTOMER,
    IBAN_HISTORY,
    RETURNED,
    OUTGOING,
    NOTHING_MOVED,
)
"""The names that a match's `rule` may have; they are stored and never change."""


class Book:
    """Open invoices, payers and earlier entries while one or more statements are matched.

    `match` decides one entry and changes nothing; `take` lowers what is open, so that the next entry sees it. Answers
    depend on what is in the book and on what was taken, not on the order in which the book was filled. Settled invoices
    (nothing open) may be in it: they are found by their number. Raises ValueError when two invoices have one number.
    """

    def __init__(
        self,
        invoices: Iterable[OpenInvoice],
        payers: Iterable[Payer],
        tolerance: Tolerance,
        earlier: Iterable[Earlier] = (),
    ) -> None:
        self._items = OpenItems(invoices)
        self._hearing = Hearing(self._items.invoices, payers)
        self._history = History(earlier)
        self._rules = Rules(self._items, tolerance)
        self._ranking = Ranking(self._items, self._hearing, tolerance)
        self._returns = Returns(self._items, self._history)

    def open_minor(self, number: str) -> int:
        """What is open on an invoice now, in minor units. Raises KeyError when the book has none with this number."""
        return self._items.due(number).open_minor

    def match(self, entry: BankEntry, currency: str) -> Match:
        """Decide one entry of an account in this currency."""
        if entry.amount_minor == 0:
            return Match(NOTHING_MOVED, reason="no money moved")
        heard = self._hearing.hear(entry, currency)
        if entry.amount_minor < 0:
            return self._returns.decide(heard)
        decided = self._incoming(heard)
        if decided.rule or entry.currency != currency:
            return decided
        return replace(decided, candidates=self._ranking.candidates(heard))

    def _incoming(self, heard: Heard) -> Match:
        if heard.entry.is_reversal or heard.entry.return_reason:
            return stop("money of ours came back: a payment or a fee that the bank took", heard.payer.customer)
        return self._rules.decide(heard)

    def take(self, match: Match, entry: BankEntry | None = None) -> None:
        """Lower what is open by a match. With its entry the book also knows it when its money comes back later.

        Raises ValueError, and changes nothing, when a part is more than what is open, or an invoice is not in the book.
        """
        self._items.take(match.allocations)
        if match.rule == RETURNED:
            self._history.drop(match.allocations, entry)
        elif entry is not None and match.allocations:
            self._history.add(Earlier(entry.bank_reference, entry.end_to_end, match.allocations, entry.amount_minor))
