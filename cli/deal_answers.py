"""What an act answers, in a terminal: where the deal stands, and for a dry run what the act would lead to."""

from __future__ import annotations

from typing import Any

from cli.deal_goods import change, units, words
from cli.deal_texts import amount, signed
from cli.session import Session
from infra.desk.judging import Rehearsal
from models import codec
from models.messages.deals import ActResult

Plain = dict[str, Any]


def render_answer(session: Session, answer: ActResult, what: str) -> None:
    """Where the deal stands, and what is possible next."""
    screen = session.screen
    screen.line(f"{answer.deal_id}  {what}: {answer.state} ({answer.stage}), version {answer.version}", "bold")
    parts = ", ".join(f"{name} {value}" for name, value in answer.substates.items() if value != "none")
    if parts:
        screen.line(f"  {parts}")
    screen.line(f"  next: {', '.join(answer.allowed_actions) or 'nothing, the deal is closed'}")


def show_rehearsal(session: Session, rehearsed: Rehearsal) -> None:
    """A dry run: where the deal would stand, and what the act would lead to."""

    def render() -> None:
        render_answer(session, rehearsed.result, "would be (dry run, nothing changed)")
        _render_preview(session, rehearsed.preview)

    plain = codec.encode(rehearsed.result) | {"dry_run": True, "preview": rehearsed.preview}
    session.screen.result(plain, render)


def _render_preview(session: Session, preview: Plain) -> None:
    screen = session.screen
    if preview["events"]:
        screen.table("It would happen", ("event", "what"), [(words(e["tag"]), _told(e)) for e in preview["events"]])
    if preview["effects"]:
        asked = [(words(effect["kind"]), _facts(effect["data"])) for effect in preview["effects"]]
        screen.table("Others would be asked to", ("what", "with"), asked)
    if preview["amendment"]:
        _render_amendment(session, preview["amendment"])


def _render_amendment(session: Session, told: Plain) -> None:
    """What the amendment comes to; rows about money are left out for whoever must not see it."""
    rows: list[tuple[str, str]] = [("changes", "\n".join(map(change, told["changes"])))]
    rows += [("units", f"{told['units_added']} more to reserve, {told['units_released']} back to the shelf")]
    if "total" in told:
        rows += [("customer owes", f"{signed(told['net'])} net, {signed(told['total'])} with tax")]
        rows += [("headroom", f"{amount(told['headroom_before'])} -> {amount(told['headroom_after'])}")]
        rows += [("invoices", "\n".join(map(_invoice, told["invoices"])) or "none now")]
    title = f"Amendment {told['number']} of version {told['order_version']} of the order, once it is confirmed"
    session.screen.table(title, ("", "what it comes to"), rows)


def _invoice(told: Plain) -> str:
    return f"{words(told['kind'])} {told['number'] or '(new)'}: {amount(told['amount'])}"


def _told(event: Plain) -> str:
    """What an event says; an amendment has a table of its own."""
    return "see below" if event["tag"] in ("amendment_requested", "order_amended") else _facts(event)


def _facts(plain: Plain) -> str:
    """The fields of an event or effect in one line."""
    return ", ".join(_field(name, value) for name, value in plain.items() if name != "tag" and value != "")


def _field(name: str, value: Any) -> str:
    unit = "_minor"
    return f"{words(name.removesuffix(unit))} {_fact(value)}" + " minor units" * name.endswith(unit)


def _fact(value: Any) -> str:
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            counted = all({"line", "quantity"} <= set(item) for item in value)
            return units(value) if counted else f"({len(value)})"
        return " ".join(map(str, value)) or "none"
    return f"({_facts(value)})" if isinstance(value, dict) else str(value)
