"""Who paid: customers known by an IBAN or a unique name, and customers whose names are like one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from models.banking.matching_values import Payer
from models.banking.words import folded

MOST_NAMESAKES = 50
"""Words that more customers have in their names than this tell nobody apart."""


@lru_cache(maxsize=4096)
def name_keys(name: str) -> frozenset[str]:
    """The spellings under which a name is looked up: ü as UE and as U, without dots, commas and blanks.

    Legal forms stay in: Müller GmbH is not Müller AG.
    """
    written_out = name.upper().translate({0xC4: "AE", 0xD6: "OE", 0xDC: "UE", 0x1E9E: "SS"}).replace("&", " UND ")
    keys = {re.sub(r"[^0-9A-Z]", "", folded(spelling)) for spelling in (written_out, name.replace("&", " UND "))}
    return frozenset(keys - {""})


_FORMS = frozenset(
    (
        "GMBH",
        "MBH",
        "AG",
        "KG",
        "UG",
        "OHG",
        "GBR",
        "EK",
        "SE",
        "CO",
        "LTD",
        "LIMITED",
        "PLC",
        "LLC",
        "INC",
        "CORP",
        "SA",
        "SAS",
        "SARL",
        "SRL",
        "SPA",
        "BV",
        "NV",
        "AB",
        "AS",
        "OY",
    )
)


@lru_cache(maxsize=4096)
def name_words(name: str) -> frozenset[str]:
    """The words of a name that tell it from others: two letters or more, no legal forms; ü counts as UE."""
    written_out = name.upper().translate({0xC4: "AE", 0xD6: "OE", 0xDC: "UE", 0x1E9E: "SS"})
    return frozenset(word for word in re.findall(r"[0-9A-Z]{2,}", folded(written_out)) if word not in _FORMS)


@dataclass(frozen=True, slots=True)
class Known:
    """Who paid: `customer` is empty when nobody is known for certain; `by` is ``iban`` or ``name``.

    `possible` has everybody who it may be: several share the account or the name, or the two tell different customers.
    """

    customer: str = ""
    by: str = ""
    possible: tuple[str, ...] = ()


class PayerIndex:
    """Finds customers by account and by name."""

    def __init__(self, payers: Iterable[Payer]) -> None:
        self._by_iban: dict[str, set[str]] = {}
        self._by_name: dict[str, set[str]] = {}
        self._by_word: dict[str, set[str]] = {}
        self._words: dict[str, set[frozenset[str]]] = {}
        for payer in payers:
            for iban in payer.ibans:
                self._by_iban.setdefault(_account(iban), set()).add(payer.customer)
            for name in payer.names:
                self._add_name(payer.customer, name)
        self._by_iban.pop("", None)

    def _add_name(self, customer: str, name: str) -> None:
        for key in name_keys(name):
            self._by_name.setdefault(key, set()).add(customer)
        if words := name_words(name):
            self._words.setdefault(customer, set()).add(words)
            for word in words:
                self._by_word.setdefault(word, set()).add(customer)

    def known(self, iban: str, name: str) -> Known:
        """Who has this account or, when nobody has, this name. Two who do, or an account and a name that tell two
        different customers, make nobody known."""
        by_iban = self._by_iban.get(_account(iban), set()) if iban else set()
        by_name: set[str] = set().union(*(self._by_name.get(key, set()) for key in name_keys(name))) if name else set()
        both = by_iban & by_name if by_iban and by_name else by_iban or by_name
        if len(both) == 1:
            (customer,) = both
            return Known(customer, "iban" if by_iban else "name", (customer,))
        return Known(possible=tuple(sorted(by_iban | by_name)))

    def similar(self, name: str, most: int = 5) -> list[tuple[str, int]]:
        """Customers whose names share words with this one, with the share in percent, most alike first."""
        words = name_words(name) if name else frozenset[str]()
        near: set[str] = set()
        for word in words:
            near |= namesakes if len(namesakes := self._by_word.get(word, set())) <= MOST_NAMESAKES else set()
        alike = [(max(_likeness(words, other) for other in self._words[customer]), customer) for customer in near]
        return [(customer, share) for share, customer in sorted(alike, key=lambda pair: (-pair[0], pair[1]))[:most]]


def _likeness(some: frozenset[str], others: frozenset[str]) -> int:
    """Words in common as percent of all words of the two names."""
    return 100 * len(some & others) // len(some | others)


def _account(iban: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", iban.upper())
