"""One invoice as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.deal_texts import amount, minute
from cli.screen import Screen

Plain = dict[str, Any]


def draw(screen: Screen, invoice: Plain) -> None:
    """The invoice with everything that there is about it."""
    screen.line(f"{invoice['number']}  {invoice['kind']} of {invoice['deal_id']}", "bold")
    for line in _head(invoice):
        screen.line(f"  {line}")
    _money(screen, invoice)
    _ladder(screen, invoice)
    _agreed(screen, invoice)
    _interest(screen, invoice)
    letters = [(words(one["kind"]), one["at"][:10], one["name"], one["digest"][:12]) for one in invoice["letters"]]
    _table(screen, "Letters", ("letter", "day", "file in the outbox", "SHA-256"), letters)


def _head(invoice: Plain) -> Iterator[str]:
    yield f"customer {invoice['customer']}, issued {invoice['issued_at'][:10]}, due {invoice['due_at'][:10]}"
    late = f", {invoice['days_late']} days late" if invoice["days_late"] else ""
    settled = f" since {invoice['settled_at'][:10]}" if invoice["settled_at"] else ""
    yield f"{words(invoice['state'])}{settled}{late}"
    if invoice["charged_for"]:
        yield f"claims what the lateness of {invoice['charged_for']} costs"
    if invoice["charged_by"]:
        yield f"its lateness was charged with {', '.join(invoice['charged_by'])}"
    yield from _holds(invoice["credit_hold"])


def _holds(hold: Plain) -> Iterator[str]:
    if hold["deal"]:
        yield "its deal is on credit hold"
    if hold["group"]:
        yield f"the group {hold['group']['group']} is on credit hold since {minute(hold['group']['since'])}"


def _money(screen: Screen, invoice: Plain) -> None:
    names = ("total", "paid", "credited", "written_off", "open", "disputed", "collectable", "unapplied")
    columns = tuple(f"{'credit left' if name == 'unapplied' else words(name)}>" for name in names)
    screen.table("", columns, [tuple(amount(invoice[name]) for name in names)])
    lines = [
        (one["line"], one["article"], one["quantity"], amount(one["net"]), amount(one["tax"]))
        for one in invoice["lines"]
    ]
    _table(screen, "Lines", ("line>", "article", "units>", "net>", "tax>"), lines)
    booked = [
        (minute(one["at"]), words(one["kind"]), amount(one["amount"]), amount(one["unapplied"]),
         " ".join(filter(None, (one["number"], one["reference"]))))
        for one in invoice["entries"]
    ]  # fmt: skip
    _table(screen, "Booked", ("when", "what", "amount>", "kept as credit>", "reference"), booked)


def _ladder(screen: Screen, invoice: Plain) -> None:
    ladder = invoice["ladder"]
    rows = [(words(one["rung"]), minute(one["at"])) for one in ladder["reached"]]
    rung = ladder["next"]
    if rung:
        letter = f" ({words(rung['letter'])})" if rung["letter"] else ""
        waits = f"waits for the end of a {words(ladder['waits_for'])}"
        if ladder["waits_for"] == "legal_approval":
            waits = "waits for a decision"
        rows.append((f"next: {words(rung['rung'])}{letter}", minute(rung["due_at"]) or waits))
    _table(screen, "Ladder", ("rung", "when"), rows)


def _agreed(screen: Screen, invoice: Plain) -> None:
    disputes = [
        (
            one["number"],
            amount(one["amount"]),
            ", ".join(f"{part['line']}: {amount(part['amount'])}" for part in one["lines"]),
            *(one["reason"], one["evidence"], one["due_at"][:10]),
            one["outcome"] or ("settled" if one["settled"] else "open"),
            amount(one["credited"]),
        )
        for one in invoice["disputes"]
    ]
    columns = ("no>", "disputed>", "by line", "reason", "evidence", "answer by", "outcome", "credited>")
    _table(screen, "Disputes", columns, disputes)
    promises = [
        (one["made_at"][:10], amount(one["amount"]), one["until"][:10], one["outcome"] or "running")
        for one in invoice["promises"]
    ]
    _table(screen, "Promises", ("made", "amount>", "until", "outcome"), promises)
    for plan in invoice["plans"]:
        parts = [
            (one["number"], one["due_at"][:10], amount(one["amount"]), amount(one["paid"]))
            for one in plan["instalments"]
        ]
        title = f"Payment plan of {plan['agreed_at'][:10]} with {plan['agreed_by']}: {plan['outcome'] or 'running'}"
        screen.line(title, "bold")  # a title of the table would be folded to its width
        screen.table("", ("no>", "due", "amount>", "paid>"), parts)


def _interest(screen: Screen, invoice: Plain) -> None:
    cost = invoice["interest"]
    names = ("interest", "lump_sum", "charged", "waived", "uncharged")
    if not any(cost[name]["amount_minor"] for name in names):
        return
    claimed = "" if cost["claimed"] else ", not claimed at this level"
    title = f"Lateness until {cost['as_of']}, {cost['rate_bps'] / 100:.2f} % a year{claimed}"
    screen.line(title, "bold")
    screen.table("", tuple(f"{words(name)}>" for name in names), [tuple(amount(cost[name]) for name in names)])


def _table(screen: Screen, title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if rows:
        screen.table(title, columns, rows)


def words(name: str) -> str:
    """A name of the code for people."""
    return name.replace("_", " ")
