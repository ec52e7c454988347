"""The goods of one deal in a terminal: order lines, shipments, discrepancy acts, amendments."""

from __future__ import annotations

from typing import Any

from cli.deal_texts import amount, minute, signed
from cli.session import Session

Plain = dict[str, Any]


def render_goods(session: Session, deal: Plain) -> None:
    """The tables about a deal's goods; those with nothing in them are left out."""
    for title, columns, rows in (_order(deal), _missing(deal), _shipments(deal), _acts(deal), _amendments(deal)):
        if rows:
            session.screen.table(title, columns, rows)


Table = tuple[str, tuple[str, ...], list[tuple[object, ...]]]


def _order(deal: Plain) -> Table:
    names = ("line", "article", "ordered", "reserved", "shipped", "delivered", "returned", "short", "state")
    columns = ("line>", "article", "ordered>", "reserved>", "shipped>", "delivered>", "returned>", "short>", "state")
    return "Order", columns, [tuple(line[name] for name in names) for line in deal["lines"]]


def _missing(deal: Plain) -> Table:
    lasting = [(line, s) for line in deal["lines"] if (s := line["shortage"]) and not s["settled_at"]]
    rows: list[tuple[object, ...]] = [
        (line["line"], line["short"], words(s["rung"]), words(s["role"]), minute(s["due_at"]), s["promised_on"] or "-")
        for line, s in lasting
    ]
    return "Out of stock", ("line>", "short>", "next", "who", "until", "promised"), rows


def _shipments(deal: Plain) -> Table:
    columns = ("shipment", "state", "carrier", "reference", "shipped", "last news", "lines")
    rows: list[tuple[object, ...]] = [
        (
            *(s["number"], s["state"], s["carrier"], s["reference"], minute(s["shipped_at"]), minute(s["told_at"])),
            units(s["lines"]),
        )
        for s in deal["shipments"]
    ]
    return "Shipments", columns, rows


def _acts(deal: Plain) -> Table:
    columns = ("act>", "kind", "cause", "lines", "state", "until", "measure", "against repetition")
    rows: list[tuple[object, ...]] = [
        (
            *(act["number"], act["kind"], act["cause"], units(act["lines"]), act["state"]),
            *("" if act["settled_at"] else minute(act["due_at"]), act["measure"], act["prevention"]),
        )
        for act in deal["discrepancies"]
    ]
    return "Discrepancies", columns, rows


def _amendments(deal: Plain) -> Table:
    columns = ("amendment>", "state", "asked by", "changes", "net>", "total>", "reason")
    rows: list[tuple[object, ...]] = [
        (
            *(asked["number"], asked["state"], asked["requested_by"], "\n".join(map(change, asked["changes"]))),
            *(signed(asked["net"]), signed(asked["total"]), asked["reason"]),
        )
        for asked in deal["amendments"]
    ]
    return "Amendments", columns, rows


def units(lines: list[Plain]) -> str:
    """Units per order line in a few words: `4 of line 1, 2 of line 3`."""
    return ", ".join(f"{each['quantity']} of line {each['line']}" for each in lines)


def change(told: Plain) -> str:
    """One change of an amendment in a few words."""
    what = f"line {told['line']}" if told["line"] else (told["article"] or "order")
    if told["kind"] == "add":
        return f"add {told['quantity_after']} {told['article']}{_price(told)}"
    if told["kind"] in ("quantity", "drop"):
        return f"{what}: {told['quantity_before']} -> {told['quantity_after']} units"
    if told["kind"] == "price":
        return f"{what}: {amount(told.get('price_before'))} -> {amount(told.get('price_after'))}"
    return f"{what}: {words(told['kind'])} {told['text_before'] or 'none'} -> {told['text_after']}"


def _price(told: Plain) -> str:
    price = told.get("price_after")
    return f" at {amount(price)}" if price else ""


def words(name: str) -> str:
    """A name of the domain as people write it: `ask_logistics` as `ask logistics`."""
    return name.replace("_", " ")
