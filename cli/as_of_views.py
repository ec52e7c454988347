"""Deals, customers, stock and rights of the past as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cli.deal_texts import amount, minute, signed
from cli.receivable_reports import bare
from cli.session import Session

Plain = dict[str, Any]

_OWED = ("total", "paid", "credited", "written_off", "open", "overdue", "disputed", "interest")
_KINDS = ("accepted", "confirmed", "not_due", "overdue", "disputed", "total")
_NAMED = 6


def deal_then(session: Session, told: Plain) -> None:
    """One deal at two times."""
    screen, deal = session.screen, told["deal"]
    screen.line(f"{told['deal_id']}  {_times(told)}", "bold")
    if deal is None:
        screen.line("  it was not opened yet")
    else:
        screen.line(
            f"  {deal['state']} ({deal['stage']}) since {minute(deal['state_since'])}, version {deal['version']}"
        )
        screen.line(f"  customer {deal['customer']}, owner {deal['owner']}, {amount(deal['value'])}")
        parts = [f"{name} {value}" for name, value in deal["substates"].items()]
        screen.line(f"  {', '.join(parts + [f'on hold: {hold}' for hold in deal['holds']])}")
        _lines(session, deal["lines"])
    _invoices(session, "Invoices", told["invoices"], told["money"])
    if told["exposure"] and told["exposure"]["total"]["amount_minor"]:
        _exposure(session, [("", told["exposure"])])
    _learnt(session, f"Learnt after {minute(told['at'])}, by {minute(told['known_at'])}", told["learnt"])
    if told["compared"]:
        _compared(session, told, told["compared"])


def customer_then(session: Session, told: Plain) -> None:
    """A customer at two times."""
    screen = session.screen
    whole = f"group {told['group']}" if told["whole_group"] else f"customer {told['customer']} (group {told['group']})"
    screen.line(f"{whole}  {_times(told)}", "bold")
    if not told["complete"]:
        screen.line("  the deals that you see; there may be others")
    if told["currencies"]:
        rows = [(c["currency"], c["invoices"], *(bare(c[name]) for name in _OWED)) for c in told["currencies"]]
        screen.table("Money", ("currency", "invoices>", *(f"{name.replace('_', ' ')}>" for name in _OWED)), rows)
        _exposure(session, [(c["currency"], c["exposure"]) for c in told["currencies"]])
        for each in told["currencies"]:
            screen.line(f"  credit limit of the group: {_limit(each)}")
    screen.table("Deals by state", ("state", "deals>"), [(s["state"], s["deals"]) for s in told["states"]])
    deals = [
        (
            d["id"],
            d["state"] or "(not opened)",
            d["owner"],
            *(amount(d[name]) for name in ("open", "overdue", "exposure")),
        )
        for d in told["deals"]
    ]
    screen.table("Deals that owed most", ("deal", "state", "owner", "open>", "overdue>", "exposure>"), deals)
    if told["deals_in_all"] > len(deals):
        screen.line(f"{len(deals)} of {told['deals_in_all']}; --limit shows more")


def stock_then(session: Session, told: Plain) -> None:
    """An article's stock in the past."""
    rows = [(shelf["warehouse"], shelf["on_hand"], minute(shelf["moved_at"])) for shelf in told["warehouses"]]
    session.screen.line(f"{told['article']}  {_times(told)}", "bold")
    session.screen.table("", ("warehouse", "on hand>", "last moved"), rows)
    session.screen.line(f"{told['on_hand']} on hand, {told['reserved']} reserved for deals in all warehouses")


def could_then(session: Session, told: Plain, action: str) -> None:
    """Who could act; of one action also why others could not."""
    screen = session.screen
    if not told["state"]:
        screen.line(f"{told['deal_id']} was not opened yet at {minute(told['at'])}")
        return
    screen.line(f"{told['deal_id']}  {_times(told)}: in {told['state']}, {told['people']} users", "bold")
    if action:
        _one_action(session, told["actions"], action, told["state"])
        return
    rows = [
        (each["action"], each["target"], _people(each["allowed"]), _people(_sighted(each["blocked"])))
        for each in told["actions"]
        if each["roles"] != ["system"]
    ]
    screen.table("", ("action", "leads to", "could", "saw the deal and had the role, but was blocked"), rows)
    screen.line("--action NAME says what stood in whose way; what needs a payload is judged when somebody acts.")


def _one_action(session: Session, actions: Sequence[Plain], action: str, state: str) -> None:
    if not actions:
        session.screen.line(f"{action} was not possible in {state}")
        return
    (found,) = actions
    rows = [(_person(each), each["role"], "could", "") for each in found["allowed"]]
    rows += [(_person(each), each["role"], "blocked", _why(each)) for each in found["blocked"]]
    session.screen.table(f"{action}: {found['summary']}", ("who", "role", "", "why"), rows)
    if not rows:
        session.screen.line(f"nobody had one of the roles: {', '.join(found['roles'])}")


def _why(person: Plain) -> str:
    if person["code"] == "out_of_sight":
        return "did not see the deal"
    return "; ".join(f"needs {v['needed']}, found {v['found']}" for v in person["failing"])


def _sighted(people: Sequence[Plain]) -> list[Plain]:
    """Those who saw the deal at all."""
    return [each for each in people if each["code"] != "out_of_sight"]


def _people(people: Sequence[Plain]) -> str:
    named = ", ".join(map(_person, people[:_NAMED]))
    return named + (f" and {len(people) - _NAMED} more" if len(people) > _NAMED else "") or "-"


def _person(each: Plain) -> str:
    return f"{each['user']} for {each['on_behalf_of']}" if each["on_behalf_of"] else str(each["user"])


def _times(told: Plain) -> str:
    known = "" if told["known_at"] == told["at"] else f", as known at {minute(told['known_at'])}"
    return f"as of {minute(told['at'])} UTC{known}"


def _lines(session: Session, lines: Iterable[Plain]) -> None:
    names = ("line", "article", "ordered", "reserved", "shipped", "delivered", "cancelled", "state")
    rows = [tuple(line[name] for name in names) for line in lines]
    if rows:
        columns = ("line>", "article", "ordered>", "reserved>", "shipped>", "delivered>", "cancelled>", "state")
        session.screen.table("Order", columns, rows)


def _invoices(session: Session, title: str, invoices: Sequence[Plain], sums: Sequence[Plain]) -> None:
    if not invoices:
        return
    rows = [(i["number"], i["due_at"][:10], i["state"], *(bare(i[name]) for name in _OWED)) for i in invoices]
    rows += [("together", "", s["currency"], *(bare(s[name]) for name in _OWED)) for s in sums]
    session.screen.table(title, ("invoice", "due", "state", *(f"{name.replace('_', ' ')}>" for name in _OWED)), rows)


def _exposure(session: Session, found: Iterable[tuple[str, Plain]]) -> None:
    rows = [(currency, *(amount(each[name]) for name in _KINDS)) for currency, each in found]
    columns = ("", "accepted>", "not invoiced>", "not due>", "overdue>", "disputed>", "in all>")
    session.screen.table("Exposure", columns, rows)


def _limit(each: Plain) -> str:
    if each["credit_limit"] is None:
        return f"none in {each['currency']} was named by then"
    by = f", fixed by {each['limit_fixed_by']}" if each["limit_fixed_by"] else ""
    return f"{amount(each['credit_limit'])} since {minute(each['limit_since'])}{by}"


def _learnt(session: Session, title: str, learnt: Iterable[Plain]) -> None:
    rows = [
        (
            *(each["sequence"], minute(each["at"]), minute(each["effective_at"]), each["action"]),
            *(each["actor"], each["invoice"], signed(_raises(each["lowers"]))),
        )
        for each in learnt
    ]
    if rows:
        columns = ("#>", "recorded", "counts from", "action", "who", "invoice", "open>")
        session.screen.table(title, columns, rows)


def _raises(lowers: Plain) -> Plain:
    return lowers | {"amount_minor": -lowers["amount_minor"]}


def _compared(session: Session, told: Plain, compared: Plain) -> None:
    known = minute(compared["known_at"])
    _learnt(session, f"Learnt from {minute(told['known_at'])} until {known}", compared["learnt"])
    rows = [
        (each["number"], name.replace("_", " "), *_both(each, name))
        for each in compared["invoices"]
        for name in _OWED
        if each["before"] is None or each["before"][name] != each["after"][name]
    ]
    if rows:
        session.screen.table("What that changed", ("invoice", "amount", "known then>", f"known at {known}>"), rows)
    else:
        session.screen.line(f"until {known} nothing was learnt about it")


def _both(each: Plain, name: str) -> tuple[str, str]:
    return ("unknown" if each["before"] is None else amount(each["before"][name])), amount(each["after"][name])
