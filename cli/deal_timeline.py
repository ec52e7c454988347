"""A deal's timeline in a terminal: one line an act, with what matters of its payload."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cli.deal_texts import minute
from cli.deal_views import said_no
from cli.exits import CommandFailed, ExitCode
from cli.hands import caller_named, desk_on
from cli.session import Session
from models.instants import canonical
from models.money import show

Plain = dict[str, Any]
_DULL = frozenset({"item", "digest", "lines", "found", "text"})
_PLAIN = frozenset({"reason", "outcome", "note", "invoice", "rung", "what"})
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\dZ")
_LONGEST = 70

SHORT_ROLES = {
    "account_manager": "AM",
    "key_account_manager": "KAM",
    "sales_support": "support",
    "head_of_sales": "head",
    "commercial_director": "director",
    "risk_officer": "risk",
    "logistics_manager": "logistics",
    "accounts_receivable": "AR",
    "automation": "machine",
    "system": "",
}
"""Roles as a column has room for them; the others are short enough."""


async def show_timeline(session: Session, deal_id: str, as_of: str, refusals: bool) -> None:
    """Every act of a deal, in order."""
    until = _instant(as_of)
    entries: list[Plain] = []
    refused: list[Plain] = []
    after = 0
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            while True:
                page = await desk.reading.timeline(caller, deal_id, until, refusals and not after, after, 500)
                entries += page.entries
                refused = refused or page.refusals
                after = page.next_after
                if not after:
                    break
        # programs get what the hashes cover, people read names
        shown = await desk.privacy.shown(caller, [entries, refused])
    plain = {"deal": deal_id, "entries": entries, "refusals": refused}
    session.screen.result(plain, lambda: render_timeline(session, *shown))


def render_timeline(session: Session, entries: list[Plain], refused: list[Plain]) -> None:
    """The entries as a table, and the refused acts after it."""
    columns = ("#>", "at", "who", "action", "state", "what")
    session.screen.table("", columns, [_row(entry) for entry in entries])
    if entries:
        last = entries[-1]
        session.screen.line(f"{len(entries)} entries, the chain ends with {last['hash'][:16]}...")
    if refused:
        rows = [(r["at"], r["actor"], r["action"], r["code"], r["detail"].get("message", "")) for r in refused]
        session.screen.table("Refused", ("at", "who", "action", "code", "why"), rows)


def _row(entry: Plain) -> tuple[object, ...]:
    role = SHORT_ROLES.get(entry["role"], entry["role"])
    who = f"{entry['actor']} ({role})" if role else entry["actor"]
    if entry["on_behalf_of"]:
        who += f" for {entry['on_behalf_of']}"
    moved = entry["state_from"] != entry["state_to"]
    state = f"-> {entry['state_to']}" if moved else ""
    return (entry["sequence"], minute(entry["at"]), who, entry["action"], state, _what(entry))


def _what(entry: Plain) -> str:
    """What matters of an entry, in a few words: its payload, and events that the action's name does not tell."""
    events = {event["tag"]: event for event in entry["events"]}
    parts = [tell(events[tag]) for tag, tell in _EVENTS.items() if tag in events]
    currency = entry["payload"].get("currency", "")
    if not parts:
        parts = [_field(name, value, currency) for name, value in entry["payload"].items() if name not in _DULL]
    parts += [tell(events[tag]) for tag, tell in _BESIDES.items() if tag in events]
    text = _INSTANT.sub(r"\1", ", ".join(part for part in parts if part))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _field(name: str, value: Any, currency: str) -> str:
    if value in ("", None, [], {}) or name == "currency":
        return ""
    if name == "effect":
        return str(value).rpartition(":")[2]
    if name.endswith("_minor") and isinstance(value, int):
        return show(value, currency) if currency else f"{value} minor units"
    if isinstance(value, (list, dict)):
        return f"{len(value)} {name}"
    return str(value) if name in _PLAIN else f"{name} {value}"


def _offer(event: Plain) -> str:
    offer = event["offer"]
    net = sum(line["unit_price_minor"] * line["quantity"] for line in offer["lines"])
    return f"version {offer['version']}, net {show(net, offer['currency'])}, valid until {offer['valid_until'][:10]}"


def _invoice(event: Plain) -> str:
    owed = event["receivable"]
    return f"{owed['number']}, {show(owed['total_minor'], owed['currency'])}, due {owed['due_at'][:10]}"


def _assessment(event: Plain) -> str:
    made = event["assessment"]
    terms = "prepaid" if made["prepaid"] else f"net {made['payment_days']} days"
    return f"class {made['grade']}, {made['score']} points, {terms}"


def _reserved(event: Plain) -> str:
    got, short = (sum(line[name] for line in event["answers"]) for name in ("reserved", "short"))
    return f"{got} units reserved" + (f", {short} short" if short else "")


def _units(event: Plain) -> str:
    return f"{sum(line['quantity'] for line in event['lines'])} units"


_EVENTS: dict[str, Callable[[Plain], str]] = {
    "offer_drafted": _offer,
    "invoice_issued": _invoice,
    "reliability_assessed": _assessment,
    "lines_reserved": _reserved,
    "lines_shipped": _units,
    "lines_delivered": _units,
    "paper_filed": lambda event: str(event["kind"]).replace("_", " "),
}
"""Events that tell more than the payload that led to them."""

_BESIDES: dict[str, Callable[[Plain], str]] = {
    "hold_set": lambda event: f"HOLD: {event['hold']}",
    "hold_lifted": lambda event: f"hold lifted: {event['hold']}",
}


def _instant(text: str) -> str:
    if not text:
        return ""
    try:
        return canonical(text if "T" in text else f"{text}T23:59:59Z")
    except ValueError:
        message = f"--as-of {text!r} is no instant such as 2026-11-21T08:00:00Z, and no day"
        raise CommandFailed(ExitCode.USAGE, message) from None
