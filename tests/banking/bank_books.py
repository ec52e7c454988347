"""A small wholesaler's book of open invoices, and entries as a bookkeeper sees them on the statement."""

from typing import Any

from models.banking.matching import Book
from models.banking.matching_values import Match, OpenInvoice, Payer, Tolerance
from models.banking.statement import BankEntry

TOLERANCE = Tolerance({"EUR": 500})
DAY = "2026-03-12"

NORD = Payer("nord", ("Nordholz Bau GmbH",), ("DE89370400440532013000",))
MUELLER = Payer("mueller", ("Müller & Söhne GmbH", "Mueller Soehne"), ("DE02120300000000202051",))
ROSSI = Payer("rossi", ("Rossi Legnami S.r.l.",), ("IT60X0542811101000000123456",))
PAYERS = (NORD, MUELLER, ROSSI)


def invoice(number: str, customer: str, open_minor: int, due_on: str = "2026-03-01", **more: Any) -> OpenInvoice:
    currency = more.pop("currency", "EUR")
    return OpenInvoice(number, f"D-{number}", customer, currency, open_minor, "2026-02-01", due_on, **more)


INVOICES = (
    invoice("2026-000123", "nord", 119_00, "2026-03-01", total_minor=119_00),
    invoice("2026-000124", "nord", 0, "2026-02-20", total_minor=50_00),
    invoice("2026-000125", "nord", 200_00, "2026-03-05", total_minor=200_00),
    invoice("2026-000126", "nord", 81_00, "2026-03-09", total_minor=81_00),
    invoice("2026-000130", "mueller", 1_000_00, "2026-03-20", discount_minor=20_00, discount_until=DAY),
    invoice("2026-000131", "mueller", 333_00, "2026-03-21"),
    invoice("2026-000007", "rossi", 480_00),
    invoice("I-2026-000007", "mueller", 4_12, "2026-03-25", kind="interest"),
    invoice("L-0009888306", "holz", 105_92, "2025-12-01"),
    invoice("2026-000200", "yankee", 700_00, currency="USD"),
)


def entry(amount_minor: int, text: str = "", **more: Any) -> BankEntry:
    return BankEntry(1, amount_minor, more.pop("currency", "EUR"), DAY, more.pop("valued_on", DAY), text=text, **more)


def from_nord(amount_minor: int, text: str = "", **more: Any) -> BankEntry:
    return entry(amount_minor, text, party_name="NORDHOLZ BAU GMBH", party_iban="DE89 3704 0044 0532 0130 00", **more)


def from_mueller(amount_minor: int, text: str = "", **more: Any) -> BankEntry:
    return entry(amount_minor, text, party_name="MUELLER UND SOEHNE GMBH", party_iban=MUELLER.ibans[0], **more)


def book(*invoices: OpenInvoice, **more: Any) -> Book:
    return Book(invoices or INVOICES, PAYERS, TOLERANCE, **more)


def parts(match: Match) -> dict[str, int]:
    """What is paid on which invoice."""
    return {part.invoice: part.applied_minor for part in match.allocations}


def total(match: Match) -> int:
    return sum(part.applied_minor + part.excess_minor for part in match.allocations)


def whys(match: Match) -> str:
    return "\n".join(candidate.why for candidate in match.candidates)
