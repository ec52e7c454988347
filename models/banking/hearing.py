"""What an entry says about itself before any rule looks at it: references, invoice numbers, who paid."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.banking.matching_values import Payer
from models.banking.mentions import mentions_in
from models.banking.numbers import NumberIndex
from models.banking.payers import Known, PayerIndex
from models.banking.references import ReferenceIndex, compact, has_right_check, is_creditor_reference
from models.banking.statement import BankEntry
from models.banking.words import folded, references_in


@dataclass(frozen=True, slots=True)
class Heard:
    """What one entry says. `currency` is the account's; all numbers but those in `unknown` are in the book.

    `referenced` are invoices that a right reference names, `strong` and `weak` those that the texts name or may name,
    `unknown` are numbers that look like ours. `strange` are references that name no invoice of ours: somebody else's,
    or with wrong check digits; `almost` are the invoices that the latter name when the check digits are ignored.
    """

    entry: BankEntry
    currency: str
    referenced: tuple[str, ...]
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    unknown: tuple[str, ...]
    strange: tuple[str, ...]
    almost: tuple[str, ...]
    payer: Known

    def may_pay_for(self, customer: str) -> bool:
        """False when the account or the name is known as somebody else's."""
        return not self.payer.possible or customer in self.payer.possible


class Hearing:
    """Reads entries with the indexes of one book."""

    def __init__(self, numbers: Iterable[str], payers: Iterable[Payer]) -> None:
        numbers = list(numbers)
        self.numbers = NumberIndex(numbers)
        self.references = ReferenceIndex(numbers)
        self.payers = PayerIndex(payers)

    def hear(self, entry: BankEntry, currency: str) -> Heard:
        """Read one entry of an account in this currency."""
        referenced, strange, unclear = self._references(entry)
        structured = "" if is_creditor_reference(compact(entry.structured)) else entry.structured
        mentions = mentions_in(self.numbers, entry.text, entry.end_to_end, structured)
        strong = tuple(number for number in mentions.strong if number not in referenced)
        named = {*strong, *referenced}
        weak = dict.fromkeys(number for number in (*unclear, *mentions.weak) if number not in named)
        known = self.payers.known(entry.party_iban, entry.party_name)
        almost = self.references.almost(strange)
        return Heard(entry, currency, referenced, strong, tuple(weak), tuple(mentions.unknown), strange, almost, known)

    def _references(self, entry: BankEntry) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Invoices named by reference, references that name none, and invoices of which one reference names several."""
        found: dict[str, None] = {}
        strange: list[str] = []
        unclear: list[str] = []
        for readings in self._readings(entry):
            ours = [named for reading in readings if (named := self.references.named(reading))]
            if not ours:
                strange.extend(readings[:1] if is_creditor_reference(readings[0]) else ())
            elif len(ours[0]) == 1:
                found[ours[0][0]] = None
            else:
                unclear.extend(ours[0])
        return tuple(found), tuple(dict.fromkeys(strange)), tuple(unclear)

    def _readings(self, entry: BankEntry) -> list[list[str]]:
        """Each reference of an entry, with the ways to read it (where it may end, when words follow)."""
        readings = [[structured]] if (structured := compact(entry.structured)) else []
        for text in (entry.text, entry.end_to_end):
            if "RF" in (line := folded(text)):
                readings.extend(_by_start(references_in(line)))
        return readings


def _by_start(references: list[str]) -> list[list[str]]:
    """Readings of the same reference together: each is the beginning of the one before it. Right ones come first."""
    groups: list[list[str]] = []
    for reference in references:
        if groups and groups[-1][-1].startswith(reference) and groups[-1][-1] != reference:
            groups[-1].append(reference)
        else:
            groups.append([reference])
    return [sorted(group, key=lambda reading: not has_right_check(reading)) for group in groups]
