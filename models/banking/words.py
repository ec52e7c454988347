"""Text as banks carry it: one spelling for letters, blanks and dashes, runs of letters or digits, what they mean."""

import re
import unicodedata
from dataclasses import dataclass

from models.banking.references import has_right_check, is_iban

_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D, 0x00AD], "-") | {0x2044: "/"}
_UNSEEN = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_TABLE: dict[int, str | None] = {**_DASHES, **_UNSEEN}

_TOKEN = re.compile(r"[A-Z]+|[0-9]+")
_PLAIN_IBAN = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4})(?: ?[0-9]{4}){2,6}(?: ?[0-9]{1,4})?(?![A-Z0-9])"
)
_ANY_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![A-Z0-9])")
_PHONE = re.compile(r"(?<![A-Z0-9])\+[0-9]{1,3}[ /().-]{1,2}[0-9][0-9 /().-]{5,16}")
_RF = re.compile(r"(?<![A-Z0-9])RF[0-9]{2}(?: ?[0-9A-Z]{4}){0,5}(?: ?[0-9A-Z]{1,4})?(?![A-Z0-9])")

ABOUT_INVOICES = frozenset(
    (
        "#",
        "INV",
        "INVOICE",
        "INVOICES",
        "RE",
        "RG",
        "RGNR",
        "RENR",
        "RNR",
        "RECHNUNG",
        "RECHNUNGEN",
        "RECHNUNGSNR",
        "RECHNUNGSNUMMER",
        "REG",
        "BELEG",
        "BELEGNR",
        "FACTURE",
        "FACTURES",
        "FACT",
        "FAC",
        "FACTURA",
        "FACTURAS",
        "FRA",
        "FATTURA",
        "FATT",
        "FT",
        "FAKTURA",
        "FAKTUR",
        "FV",
        "FAKT",
        "FACTUUR",
        "FACTUURNR",
    )
)
"""Words that say that the number behind them is an invoice's; # stands for "No." alone."""

ABOUT_OTHERS = frozenset(
    (
        "TEL",
        "TELEFON",
        "TELEPHONE",
        "PHONE",
        "FON",
        "FAX",
        "MOBIL",
        "MOBILE",
        "HANDY",
        "IBAN",
        "BIC",
        "KTO",
        "KONTO",
        "KONTONR",
        "ACCOUNT",
        "ACCT",
        "BLZ",
        "MREF",
        "MANDAT",
        "MANDATE",
        "MANDATSREF",
        "CRED",
        "UST",
        "USTID",
        "VAT",
        "STNR",
        "STEUERNR",
        "STEUERNUMMER",
        "PLZ",
        "ZIP",
        "POSTFACH",
        "KD",
        "KDNR",
        "KUNDE",
        "KUNDENNR",
        "KUNDENNUMMER",
        "KNR",
        "CUSTOMER",
        "CLIENT",
        "CLIENTE",
        "PO",
        "ORDER",
        "AUFTRAG",
        "AUFTRAGSNR",
        "BEST",
        "BESTELLUNG",
        "BESTELLNR",
        "COMMANDE",
        "PEDIDO",
        "ORDINE",
        "ANGEBOT",
        "OFFER",
        "QUOTE",
        "LIEFERSCHEIN",
        "LS",
        "LSNR",
        "DN",
        "VERTRAG",
        "VERTRAGSNR",
        "CONTRACT",
        "CONTRAT",
        "TICKET",
        "CASE",
        "GUTSCHRIFT",
    )
)
"""Words that say that the number behind them is something else: a telephone, an account, an order, a customer."""

ABOUT_PHONES = frozenset(("TEL", "TELEFON", "TELEPHONE", "PHONE", "FON", "FAX", "MOBIL", "MOBILE", "HANDY"))
"""Those of them behind which several runs of digits make one number."""

NUMBER_WORDS = frozenset(("NR", "NO", "NUM", "NUMMER", "NUMBER", "N", "NUMERO"))
"""Words that stand between such a word and its number."""


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of digits, and the text between it and the run before it."""

    text: str
    gap: str
    is_digits: bool


def folded(text: str) -> str:
    """Capitals without accents, all dashes as ``-``, all white space as single blanks, nothing that cannot be seen."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_TABLE)).translate(_TABLE)
        text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(text.upper().split())


def references_in(text: str) -> list[str]:
    """Creditor references of ISO 11649 that stand in a folded text, without blanks; their digits are not checked.

    A reference that is printed in groups of four may run into the words behind it: every end at a blank is given.
    """
    found: list[str] = []
    if "RF" in text:
        for hit in _RF.finditer(text):
            groups = hit.group().split(" ")
            found.extend("".join(groups[:count]) for count in range(len(groups), 0, -1))
    return [reference for reference in found if 5 <= len(reference) <= 25]


def masked(text: str) -> str:
    """A folded text with what is certainly no invoice number blotted out: IBANs, telephone numbers, RF references."""
    if "RF" in text:
        text = _RF.sub(_blot_reference, text)
    if "+" in text:
        text = _PHONE.sub("#", text)
    return _ANY_IBAN.sub(_blot_iban, _PLAIN_IBAN.sub("#", text))


def _blot_reference(hit: re.Match[str]) -> str:
    """Of the groups behind RF only those that make a right reference, or else all up to the first without a digit."""
    groups = hit.group().split(" ")
    for count in range(len(groups), 0, -1):
        if has_right_check("".join(groups[:count])):
            return " ".join(["#", *groups[count:]])
    words = [i for i, group in enumerate(groups) if i and group.isalpha()]
    return " ".join(["#", *groups[words[0] :]]) if words else "#"


def _blot_iban(hit: re.Match[str]) -> str:
    return "#" if is_iban(hit.group().replace(" ", "")) else hit.group()


def tokens(text: str) -> list[Token]:
    """The letter and digit runs of a folded text in order."""
    found: list[Token] = []
    end = 0
    for hit in _TOKEN.finditer(text):
        run = hit.group()
        found.append(Token(run, text[end : hit.start()], run[0] <= "9"))
        end = hit.end()
    return found
