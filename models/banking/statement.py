"""Bank statements as everybody behind the reader sees them, whatever format they came in (D28)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One movement on our account. A positive `amount_minor` came in, a negative one went out; minor units.

    `booked_on` and `valued_on` are days (ISO dates). `index` counts from 1 within the statement; a batch that the
    bank details becomes one entry per detail with the same `batch`. References are as the bank gives them, empty when
    it gives none or says so in its own words (NONREF, NOTPROVIDED). `structured` is the creditor reference (ISO 11649
    or a national one) without blanks. `code` names the kind of movement as the bank does.
    """

    index: int
    amount_minor: int
    currency: str
    booked_on: str
    valued_on: str
    bank_reference: str = ""
    end_to_end: str = ""
    structured: str = ""
    text: str = ""
    party_name: str = ""
    party_iban: str = ""
    code: str = ""
    batch: str = ""
    is_reversal: bool = False
    return_reason: str = ""
    charges_minor: int = 0
    mandate: str = ""
    original_amount_minor: int = 0
    original_currency: str = ""

    @property
    def is_incoming(self) -> bool:
        """True when the money came to us."""
        return self.amount_minor > 0


@dataclass(frozen=True, slots=True)
class BankStatement:
    """A statement of one account: what was there, what moved, what is there. Balances may be negative.

    `number` is the bank's number of the statement, `sequence` its page; `source` is the format it came in, such as
    ``camt.053.001.08`` or ``MT940``. A balance that the file does not state is None.
    """

    account: str
    currency: str
    number: str
    source: str
    opened_on: str
    closed_on: str
    opening_minor: int | None
    closing_minor: int | None
    entries: tuple[BankEntry, ...]
    sequence: str = ""
    message: str = ""

    @property
    def moved_minor(self) -> int:
        """The sum of all entries."""
        return sum(entry.amount_minor for entry in self.entries)

    @property
    def difference_minor(self) -> int:
        """Opening + entries - closing: 0 when the statement adds up. Raises ValueError when a balance is missing."""
        if self.opening_minor is None or self.closing_minor is None:
            raise ValueError("the statement states no opening or no closing balance")
        return self.opening_minor + self.moved_minor - self.closing_minor
