"""Invoices, their sums and exposure at two times, as callers get them: amounts with their currency."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from infra.desk.amounts import money
from models.as_of import Learnt, Position
from models.exposure import Exposure

Plain = dict[str, Any]

AMOUNTS = (
    *("total", "paid", "credited", "written_off", "open", "disputed", "overdue", "credit"),
    *("interest", "lump_sum", "uncharged"),
)
KINDS = tuple(each.name.removesuffix("_minor") for each in fields(Exposure))


def invoice(each: Position) -> Plain:
    """One invoice as it stood."""
    same = ("number", "kind", "state", "issued_at", "due_at")
    amounts = {name: money(getattr(each, f"{name}_minor"), each.currency) for name in AMOUNTS}
    return {name: getattr(each, name) for name in same} | amounts


def sums(owed: Iterable[Position]) -> list[Plain]:
    """All invoices together, per currency."""
    found: dict[str, Counter[str]] = {}
    for each in owed:
        add(found.setdefault(each.currency, Counter()), each)
    return [of_currency(currency, total) for currency, total in sorted(found.items())]


def add(total: Counter[str], each: Position) -> None:
    """Count one invoice more."""
    total["invoices"] += 1
    for name in AMOUNTS:
        total[name] += getattr(each, f"{name}_minor")


def of_currency(currency: str, total: Counter[str]) -> Plain:
    """What `add` counted in one currency."""
    amounts = {name: money(total[name], currency) for name in AMOUNTS}
    return {"currency": currency, "invoices": total["invoices"]} | amounts


def exposure(found: Exposure, currency: str) -> Plain:
    """Exposure by kind, and all of it."""
    return {name: money(getattr(found, f"{name}_minor"), currency) for name in (*KINDS, "total")}


def learnt(each: Learnt, currency: str) -> Plain:
    """An act that told later what had been."""
    same = ("sequence", "at", "effective_at", "action", "actor", "invoice")
    told = {name: getattr(each, name) for name in same}
    return told | {"issues": each.issued is not None, "lowers": money(each.lowers_minor, currency)}


def changes(before: Iterable[Position], after: Iterable[Position]) -> list[Plain]:
    """Invoices that are known differently later."""
    known = {each.number: each for each in before}
    return [
        {
            "number": each.number,
            "before": invoice(known[each.number]) if each.number in known else None,
            "after": invoice(each),
        }
        for each in after
        if each != known.get(each.number)
    ]
