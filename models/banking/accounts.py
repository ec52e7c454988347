"""Our own accounts under one name each, however a format spells them: IBAN, bank code and number, number alone."""

import re
from collections.abc import Iterable

from models.banking.references import compact, is_iban

_GERMAN = re.compile(r"([0-9]{8})[/ ]([0-9]{1,10})")
_SHORTEST = 7
"""Digits that a bare account number needs to be recognised at the end of an IBAN."""


def german_iban(bank_code: str, number: str) -> str:
    """The IBAN of a German account (ISO 13616: 98 minus the remainder by 97, letters count from 10)."""
    body = f"{bank_code}{number.zfill(10)}"
    return f"DE{98 - int(f'{body}131400') % 97:02d}{body}"


def account_name(stated: str, known: Iterable[str]) -> str:
    """The name of an account: the one of `known` that it is, or else its IBAN, or else its letters and digits.

    A number without a bank is that account of ours whose IBAN ends with it, when there is only one.
    """
    german = _GERMAN.fullmatch(stated.strip())
    own = german_iban(*german.groups()) if german else compact(stated)
    names = set(known)
    alike = sorted(name for name in names if _is_end_of(own, name) or _is_end_of(name, own))
    return own if own in names or len(alike) != 1 else alike[0]


def _is_end_of(number: str, iban: str) -> bool:
    plain = number.lstrip("0")
    return plain.isdigit() and len(plain) >= _SHORTEST and is_iban(iban) and iban.endswith(plain)
