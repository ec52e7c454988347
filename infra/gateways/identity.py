"""Formal checks of the numbers on a customer card: form and check digits, not whether the firm exists."""

import re
from importlib import import_module
from typing import Any

from schwifty import IBAN
from stdnum import lei, vatin
from stdnum.exceptions import ValidationError

_REGISTRATION = {
    "AT": ("at.businessid",),
    "AU": ("au.acn", "au.abn"),
    "BE": ("be.vat",),
    "BR": ("br.cnpj",),
    "CA": ("ca.bn",),
    "CH": ("ch.uid",),
    "CN": ("cn.uscc",),
    "CZ": ("cz.dic",),
    "DE": ("de.handelsregisternummer",),
    "DK": ("dk.cvr",),
    "EE": ("ee.registrikood",),
    "ES": ("es.cif",),
    "FI": ("fi.ytunnus",),
    "FR": ("fr.siren", "fr.siret"),
    "ID": ("id.npwp",),
    "IN": ("in_.pan", "in_.gstin"),
    "IT": ("it.iva",),
    "JP": ("jp.cn",),
    "KR": ("kr.brn",),
    "NO": ("no.orgnr",),
    "PL": ("pl.regon",),
    "PT": ("pt.nif",),
    "RO": ("ro.onrc", "ro.cui"),
    "RU": ("ru.ogrn", "ru.inn"),
    "SE": ("se.orgnr",),
    "US": ("us.ein",),
}
"""The modules of python-stdnum that know a country's business registration numbers."""

# Forms without check digits. Britain: eight digits, or two letters and six. Germany: the court is often left out.
_PATTERNS = {
    "DE": re.compile(r"HR[AB] ?\d{1,6}( ?[A-Z]{1,2})?"),
    "GB": re.compile(r"[A-Z]{2}\d{6}|\d{8}"),
    "IE": re.compile(r"\d{5,6}"),
}

# What registers of any country have in common: short, letters and digits with a few separators, and some digits.
_ANY_REGISTER = re.compile(r"(?=(?:.*\d){3})[A-Z0-9][A-Z0-9 ./-]{3,29}")


def vat_ok(number: str, country: str = "") -> bool:
    """Whether a VAT number is valid by its own country prefix, or by that of `country` (ISO 3166-1 alpha-2)."""
    return any(_is_vat(candidate) for candidate in (number, country + number))


def _is_vat(number: str) -> bool:
    try:
        vatin.validate(number)
    except (ValidationError, ImportError):
        # ImportError: python-stdnum knows no VAT numbers of that country
        return False
    return True


def iban_ok(number: str) -> bool:
    """Whether an IBAN has its country's form and right check digits."""
    return bool(IBAN(number, allow_invalid=True).is_valid)


def lei_ok(number: str) -> bool:
    """Whether a legal entity identifier (ISO 17442) has right check digits."""
    return bool(lei.is_valid(number))


def registration_ok(number: str, country: str = "") -> bool:
    """Whether a registration number has the form of its country's register; a generous check where none is known."""
    country, compact = country.upper(), " ".join(number.upper().split())
    modules, pattern = _REGISTRATION.get(country, ()), _PATTERNS.get(country)
    if not modules and pattern is None:
        pattern = _ANY_REGISTER
    return any(_module(name).is_valid(number) for name in modules) or bool(pattern and pattern.fullmatch(compact))


def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")
