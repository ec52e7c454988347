"""Reads camt.053 (versions 02, 04, 08): the statements of a document, their balances and what was booked."""

from dataclasses import dataclass, replace

from lxml import etree

from infra.bank.camt_entry import entries_of
from infra.bank.camt_names import Camt, at, camt_of
from infra.bank.unreadable import MAX_ENTRIES, UnreadableStatement, malformed, too_many
from infra.bank.values import compact, currency_of, day_of, iban_of
from infra.bank.xml_events import events
from models.banking.statement import BankEntry, BankStatement

_MOST_ELEMENTS = 1_000_000
_MOST_OUTSIDE = 1_000
_BOOKED_BALANCES = ("OPBD", "PRCD", "CLBD", "ITBD")


@dataclass(frozen=True, slots=True)
class _Balance:
    amount_minor: int
    currency: str
    day: str


def read_camt(body: bytes) -> tuple[BankStatement, ...]:
    """The statements of a camt.053 document, or of an envelope with such. Raises UnreadableStatement."""
    found: list[BankStatement] = []
    reading: _Reading | None = None
    outside = 0
    for event, element in events(body):
        if event == "start":
            if str(element.tag).rpartition("}")[2] == "Document":
                reading = _Reading(camt_of(str(element.tag)))
            elif reading is not None:
                reading.begin(element)
            elif (outside := outside + 1) > _MOST_OUTSIDE:
                break
        elif reading is not None:
            found.extend(reading.end(element))
    if reading is None:
        raise UnreadableStatement("unknown_format", "the XML has no element Document: it is no ISO 20022 message")
    if not found:
        raise UnreadableStatement("malformed", f"the {reading.camt.source} document has no statement (Stmt)")
    return tuple(found)


class _Reading:
    """What is known in the middle of a document: the entries of the statement that is open."""

    def __init__(self, camt: Camt) -> None:
        self.camt = camt
        self._entries: list[BankEntry] = []
        self._account: str | None = None
        self._numbers = 0
        self._total = 0
        self._alive = self._before = 0
        self._statement, self._entry = camt.tag("Stmt"), camt.tag("Ntry")

    def begin(self, element: etree._Element) -> None:
        self._alive += 1
        if self._alive > _MOST_ELEMENTS:
            raise UnreadableStatement("too_large", f"line {element.sourceline}: too many elements that are no entries")
        if element.tag == self._entry:
            self._before = self._alive
        elif element.tag == self._statement:
            self._entries, self._numbers, self._account = [], 0, None

    def end(self, element: etree._Element) -> list[BankStatement]:
        """The statement that ends here, if one does."""
        if element.tag == self._entry:
            self._take(element)
        elif element.tag == self._statement:
            statement = _statement(self.camt, element, self._entries)
            self._drop(element)
            self._entries = []
            return [statement]
        return []

    def _take(self, ntry: etree._Element) -> None:
        parent = ntry.getparent()
        if parent is None or parent.tag != self._statement:
            return
        self._numbers += 1
        if self._account is None:
            self._account = _account(self.camt, parent)
        found = entries_of(self.camt, ntry, self._account, self._numbers)
        self._total += len(found)
        if self._total > MAX_ENTRIES:
            raise too_many("entries")
        self._entries.extend(found)
        self._drop(ntry)

    def _drop(self, element: etree._Element) -> None:
        """Frees what was read. The element itself stays, since the parser may stand behind it; the one before goes."""
        element.clear(keep_tail=True)  # type: ignore[call-arg] # lxml-stubs lack it
        previous, parent = element.getprevious(), element.getparent()
        if previous is not None and parent is not None and previous.tag == element.tag:
            parent.remove(previous)
        self._alive = self._before


def _statement(camt: Camt, stmt: etree._Element, entries: list[BankEntry]) -> BankStatement:
    account = _account(camt, stmt)
    if not account:
        raise malformed(at(stmt), "an account (Acct/Id)", "none")
    balances = _balances(camt, stmt)
    opening, closing = _ends(balances)
    opened_on = opening.day if opening else _day(camt, stmt, "FrToDt/FrDtTm", "CreDtTm")
    closed_on = closing.day if closing else _day(camt, stmt, "FrToDt/ToDtTm", "CreDtTm")
    return BankStatement(
        account=account,
        currency=_currency(camt, stmt, balances, entries),
        number=camt.text(stmt, "ElctrncSeqNb", "LglSeqNb", "Id"),
        source=camt.source,
        opened_on=opened_on or closed_on,
        closed_on=closed_on or opened_on,
        opening_minor=opening.amount_minor if opening else None,
        closing_minor=closing.amount_minor if closing else None,
        entries=tuple(_dated(entry, index, closed_on or opened_on) for index, entry in enumerate(entries, 1)),
        sequence=camt.text(stmt, "StmtPgntn/PgNb"),
        message=" ".join(camt.texts(stmt, "AddtlStmtInf")),
    )


def _dated(entry: BankEntry, index: int, day: str) -> BankEntry:
    return replace(entry, index=index, booked_on=entry.booked_on or day, valued_on=entry.valued_on or day)


def _account(camt: Camt, stmt: etree._Element) -> str:
    iban = camt.text(stmt, "Acct/Id/IBAN")
    other = camt.text(stmt, "Acct/Id/Othr/Id")
    return iban_of(iban) or compact(iban) or iban_of(other) or other


def _day(camt: Camt, element: etree._Element, *paths: str) -> str:
    found = camt.first(element, *paths)
    return "" if found is None else day_of((found.text or "").strip(), at(found))


def _balances(camt: Camt, stmt: etree._Element) -> dict[str, list[_Balance]]:
    """The booked balances by type, each type in the order of its days."""
    found: dict[str, list[_Balance]] = {kind: [] for kind in _BOOKED_BALANCES}
    for balance in camt.all(stmt, "Bal"):
        kind = camt.text(balance, "Tp/CdOrPrtry/Cd")
        if kind not in found:
            continue
        amount = camt.amount(balance, "Amt")
        if amount is None:
            raise malformed(at(balance), "an amount (Amt)", "none")
        day = _day(camt, balance, "Dt/Dt", "Dt/DtTm")
        found[kind].append(_Balance(amount[0] * camt.sign(balance), amount[1], day))
    return {kind: sorted(each, key=lambda balance: balance.day) for kind, each in found.items()}


def _ends(balances: dict[str, list[_Balance]]) -> tuple[_Balance | None, _Balance | None]:
    """The opening and closing balance. An intermediate page may state ITBD in place of either."""
    opening = next(iter(balances["OPBD"] or balances["PRCD"]), None)
    closing = next(reversed(balances["CLBD"]), None)
    between = balances["ITBD"]
    if opening is None and between and (closing is not None or len(between) > 1):
        opening = between[0]
    if closing is None and between and opening is not None:
        closing = between[-1]
    return opening, closing


def _currency(camt: Camt, stmt: etree._Element, balances: dict[str, list[_Balance]], entries: list[BankEntry]) -> str:
    stated = camt.texts(stmt, "Acct/Ccy")[:1]
    used = [*stated, *(each.currency for kind in balances.values() for each in kind), *(e.currency for e in entries)]
    different = list(dict.fromkeys(used))
    if len(different) > 1:
        raise UnreadableStatement(
            "mixed_currencies",
            f"{at(stmt)}: expected one currency for account, balances and entries, found {', '.join(different)[:60]}",
        )
    if not different:
        raise UnreadableStatement("no_balance", f"{at(stmt)}: the statement has no balance, no entry and no currency")
    return currency_of(different[0], f"{at(stmt)}/Acct/Ccy")
