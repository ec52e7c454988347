"""Finding one's way in a camt.053 document, whatever its version: paths, texts, signed amounts."""

import re
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from infra.bank.unreadable import UnreadableStatement, malformed, shown
from infra.bank.values import currency_of, decimal_of, minor, tidy

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.[0-9]{3}\.([0-9]{2})")
_VERSIONS = ("02", "04", "08")
_OTHERS = {
    "camt.052": "an intraday report",
    "camt.054": "a debit and credit notification",
    "camt.060": "a request for reports",
}
_SIGNS = {"CRDT": 1, "DBIT": -1}


@dataclass(frozen=True, slots=True)
class Camt:
    """One document's names. `source` is its message, such as camt.053.001.08."""

    namespace: str
    source: str

    def tag(self, name: str) -> str:
        """The name of an element as lxml writes it."""
        return f"{{{self.namespace}}}{name}"

    def all(self, element: etree._Element, path: str) -> list[etree._Element]:
        """All elements at a path such as NtryDtls/TxDtls. Step by step, as most paths end at their first, which is
        quicker than a search by the whole path."""
        found = [element]
        for name in _steps(self.namespace, path):
            found = [child for each in found for child in each.iterchildren(name)]
            if not found:
                break
        return found

    def first(self, element: etree._Element, *paths: str) -> etree._Element | None:
        """The first element that is at one of the paths, in the order of the paths."""
        return next((found for path in paths for found in self.all(element, path)), None)

    def text(self, element: etree._Element, *paths: str) -> str:
        """The first text that says something, tidy, in the order of the paths; empty when none does."""
        for path in paths:
            for found in self.all(element, path):
                if text := tidy(found.text):
                    return text
        return ""

    def texts(self, element: etree._Element, path: str) -> list[str]:
        """All texts at a path that say something, tidy."""
        return [text for found in self.all(element, path) if (text := tidy(found.text))]

    def amount(self, element: etree._Element, *paths: str) -> tuple[int, str] | None:
        """Minor units (never negative) and currency, or None without such an element. Raises UnreadableStatement."""
        found = self.first(element, *paths)
        if found is None:
            return None
        where = at(found)
        currency = currency_of((found.get("Ccy") or "").strip(), where + ", attribute Ccy")
        amount = minor(decimal_of((found.text or "").strip(), where), currency, where)
        if amount < 0:
            raise malformed(where, "an amount without a sign (CdtDbtInd has it)", shown(found.text or ""))
        return amount, currency

    def fits(self, element: etree._Element, *paths: str) -> tuple[int, str] | None:
        """Like `amount` for a side fact: None as well when its decimals don't fit its currency."""
        try:
            return self.amount(element, *paths)
        except UnreadableStatement as problem:
            if problem.code == "odd_decimals":
                return None
            raise

    def sign(self, element: etree._Element) -> int:
        """1 for CRDT, -1 for DBIT. Raises UnreadableStatement."""
        text = self.text(element, "CdtDbtInd")
        if text not in _SIGNS:
            raise malformed(f"{at(element)}/CdtDbtInd", "CRDT or DBIT", shown(text))
        return _SIGNS[text]


def camt_of(document: str) -> Camt:
    """The names of a document whose outer element this is. Raises UnreadableStatement unless it is read here."""
    namespace = document[1:].partition("}")[0] if document.startswith("{") else ""
    found = _NAMESPACE.fullmatch(namespace)
    if found is None:
        raise UnreadableStatement(
            "unknown_format", f"the XML is no ISO 20022 message: its namespace is {shown(namespace, 80)}"
        )
    message, version = found.groups()
    name = namespace.rpartition(":")[2]
    if message != "camt.053":
        what = _OTHERS.get(message, "another message")
        raise UnreadableStatement("not_a_statement", f"{name} is {what}, not a statement (camt.053): ask for camt.053")
    if version not in _VERSIONS:
        read = ", ".join(f"camt.053.001.{known}" for known in _VERSIONS)
        raise UnreadableStatement("unsupported_version", f"{name} is not read; the versions that are: {read}")
    return Camt(namespace, name)


def at(element: etree._Element) -> str:
    """Where an element is, for a message: its line, its parent's name and its own."""
    names = [etree.QName(node).localname for node in (element.getparent(), element) if node is not None]
    return f"line {element.sourceline}, {'/'.join(names)}"


@lru_cache(maxsize=1024)
def _steps(namespace: str, path: str) -> tuple[str, ...]:
    return tuple(f"{{{namespace}}}{name}" for name in path.split("/"))
