"""Deals as people read them in a terminal: lists, the board, one deal, why, the agenda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.deal_goods import render_goods
from cli.deal_texts import amount, minute
from cli.exits import CommandFailed, ExitCode
from cli.hands import caller_named, desk_on
from cli.session import Session
from infra.desk.errors import Busy, Conflict, DeskError, EngineDown, Invalid, NoSuch, Refused, Unlogged
from infra.desk.judging import ActionView
from infra.stores.deals import AgendaFilter, DealFilter
from models import codec
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState, Stage
from models.money import show

Plain = dict[str, Any]


@contextmanager
def said_no(about_fields: str = "") -> Iterator[None]:
    """Turn the desk's noes into the command's, each with what to do next: `about_fields` when fields are wrong.

    Raises CommandFailed.
    """
    try:
        yield
    except NoSuch as problem:
        raise CommandFailed(ExitCode.NOT_FOUND, problem.message) from None
    except (EngineDown, Busy, Unlogged) as problem:
        raise CommandFailed(ExitCode.ENGINE, problem.message, "`dealwright doctor` looks for the cause") from None
    except Refused as refused:
        advice = about_fields if refused.code == "malformed" else _way_out(refused)
        raise CommandFailed(ExitCode.REFUSED, refused.message, advice) from None
    except Invalid as problem:
        raise CommandFailed(ExitCode.REFUSED, problem.message, about_fields) from None
    except Conflict as problem:
        raise CommandFailed(ExitCode.REFUSED, problem.message) from None
    except DeskError as problem:
        raise CommandFailed(ExitCode.REFUSED, problem.message, "--as USER acts as somebody who may") from None


def _way_out(refused: Refused) -> str:
    refusal = refused.refusal
    if refusal.roles_allowed:
        return "--as USER acts as somebody with such a role; `dealwright user list` shows who has it"
    lifted = dict.fromkeys(way for verdict in refusal.failing for way in verdict.lifted_by)
    if lifted:
        return f"what helps: {'; '.join(lifted)}"
    if refusal.allowed_actions:
        return f"possible now: {', '.join(refusal.allowed_actions)}"
    return ""


async def show_list(session: Session, stage: str, state: str, owner: str, customer: str, limit: int) -> None:
    """A table of deals."""
    _check_choice("stage", stage, [str(s) for s in Stage])
    _check_choice("state", state, [str(s) for s in DealState])
    rows: list[Plain] = []
    cursor = ""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        asked = DealFilter(stage, state, owner, customer)
        while len(rows) < limit:
            page = await desk.reading.deals(caller, asked, cursor, min(200, limit - len(rows)))
            rows += page.rows
            cursor = page.next_cursor
            if not cursor:
                break
    columns = ("deal", "opened", "customer", "title", "owner", "state", "value>", "goods", "money")
    shown = [
        (
            *(r["id"], r["opened_at"][:10], r["customer"], r["title"], r["owner"], r["state"], amount(r["value"])),
            *(r["substates"]["goods"], r["substates"]["money"]),
        )
        for r in rows
    ]

    def render() -> None:
        session.screen.table("", columns, shown)
        if cursor:
            session.screen.line(f"the latest {len(rows)}; --limit shows more")

    session.screen.result({"deals": rows, "more": bool(cursor)}, render)


async def show_board(session: Session) -> None:
    """Count and value per state."""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        rows = await desk.books.deals.board(caller.scope)
    session.screen.result(rows, lambda: board_table(session, rows))


def board_table(session: Session, rows: list[Plain]) -> None:
    """The board as a table, in the order of a deal's life."""
    order = [str(state) for state in DealState]
    rows = sorted(rows, key=lambda row: (order.index(row["state"]), row["currency"]))
    shown = [(r["stage"], r["state"], r["deals"], show(r["value_minor"], r["currency"])) for r in rows]
    session.screen.table("Board", ("stage", "state", "deals>", "worth>"), shown)


async def show_deal(session: Session, deal_id: str) -> None:
    """One deal with its parts."""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            deal = await desk.privacy.shown(caller, await desk.reading.deal(caller, deal_id))
    session.screen.result(deal, lambda: _render_deal(session, deal))


def _render_deal(session: Session, deal: Plain) -> None:
    screen = session.screen
    screen.line(f"{deal['id']}  {deal['title']}", "bold")
    screen.line(f"  {deal['state']} ({deal['stage']}) since {minute(deal['state_since'])}, version {deal['version']}")
    screen.line(f"  customer {deal['customer']}, owner {deal['owner']}, {amount(deal['value'])}")
    parts = [f"{name} {value}" for name, value in deal["substates"].items()]
    parts += [f"on hold: {hold}" for hold in deal["holds"]]
    parts += [f"lost: {deal['loss_reason']}"] if deal["loss_reason"] else []
    parts += ["a test deal"] if deal["is_test"] else []
    screen.line(f"  {', '.join(parts)}")
    if deal["offer"]:
        offer = deal["offer"]
        lines = [
            (o["line"], o["article"], o["description"], o["quantity"], amount(o["list_price"]), amount(o["unit_price"]))
            for o in offer["lines"]
        ]
        title = f"Offer {offer['version']}: {amount(offer['total'])}, {offer['discount_bps'] / 100:.2f} % discount"
        screen.table(title, ("line>", "article", "description", "units>", "list price>", "price>"), lines)
    if deal["contract"]:
        contract = deal["contract"]
        signed = ", ".join(each["side"] for each in contract["signatures"])
        screen.line(f"Contract {contract['version']}, signed by: {signed or 'nobody yet'}; digest {contract['digest']}")
    render_goods(session, deal)
    if deal["invoices"]:
        owed = [
            (
                i["number"],
                i["kind"],
                amount(i["total"]),
                amount(i["paid"]),
                amount(i["open"]),
                i["due_at"][:10],
                i["state"],
            )
            for i in deal["invoices"]
        ]
        screen.table("Invoices", ("invoice", "kind", "total>", "paid>", "open>", "due", "state"), owed)
    if deal["cases"]:
        cases = [(c["number"], c["cause"], c["state"], c["decision"], c["note"]) for c in deal["cases"]]
        screen.table("Complaints", ("case>", "cause", "state", "decision", "note"), cases)


async def show_why(session: Session, deal_id: str, action: str) -> None:
    """What a deal waits for, and its actions."""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            told = await desk.why(caller, deal_id, action)
        waits = await desk.privacy.shown(caller, told.waits_for)
    plain = {"deal": told.deal, "waits_for": waits, "actions": [codec.encode(view) for view in told.actions]}
    acting = session.options.acting_as or "the operator"
    session.screen.result(plain, lambda: _render_why(session, told.deal, waits, told.actions, acting, action))


def _render_why(
    session: Session, deal: Plain, waits: list[Plain], actions: list[ActionView], acting: str, action: str
) -> None:
    screen = session.screen
    screen.line(f"{deal['id']} is in {deal['state']} since {minute(deal['state_since'])}", "bold")
    if not waits and not action:
        screen.line("It is closed and waits for nothing; a repeat is a new deal (`deal new ... --linked-to`).")
        return
    agenda_table(session, "It waits for", waits)
    allowed = [(view.action, view.summary, fields_of(view)) for view in actions if view.allowed]
    if allowed:
        screen.table(f"Possible for {acting}", ("action", "what it does", "fields (* needed)"), allowed)
    blocked = [view for view in actions if not view.allowed and (action or _is_for_people(view))]
    if blocked:
        screen.table(
            "Blocked", ("action", "why", "who can lift it"), [(v.action, _why(v), _lifters(v)) for v in blocked]
        )
    if not action:
        elsewhere = sum(view.code == "wrong_state" for view in actions)
        screen.line(f"{elsewhere} more actions belong to other states; `deal why {deal['id']} ACTION` says which")


def _is_for_people(view: ActionView) -> bool:
    return view.code != "wrong_state" and view.roles != (Role.SYSTEM,)


def fields_of(view: ActionView) -> str:
    """The fields of an action, needed ones with a star."""
    needed = view.payload_schema.get("required", [])
    return ", ".join(f"{name}*" if name in needed else name for name in view.payload_schema.get("properties", {}))


def _why(view: ActionView) -> str:
    return "needs another role" if view.code == "wrong_role" else view.why


def _lifters(view: ActionView) -> str:
    ways = dict.fromkeys(way for verdict in view.failing for way in verdict.lifted_by)
    return ", ".join(view.roles) if view.code == "wrong_role" else "; ".join(ways)


async def show_agenda(session: Session, deal_id: str, role: str, person: str, limit: int) -> None:
    """What waits for whom until when."""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        asked = AgendaFilter(role=role, person=person, deal_id=deal_id)
        with said_no():
            if deal_id:
                await desk.reading.deal_agenda(caller, deal_id)
            page = await desk.reading.agenda(caller, asked, limit=min(limit, 200))
        rows = await desk.privacy.shown(caller, page.rows)
    session.screen.result(rows, lambda: agenda_table(session, "", rows, with_deal=not deal_id))


def agenda_table(session: Session, title: str, items: list[Plain], *, with_deal: bool = False) -> None:
    """Agenda items as a table."""
    columns: tuple[str, ...] = ("until", "what", "who", "then it does", "note")
    rows: list[tuple[object, ...]] = [
        (minute(i["due_at"]), i["kind"], i["person"] or ", ".join(i["roles"]), i["action"] or "-", i["note"])
        for i in items
    ]
    if with_deal:
        columns = ("deal", *columns)
        rows = [(i["deal_id"], *row) for i, row in zip(items, rows, strict=True)]
    session.screen.table(title, columns, rows)


def _check_choice(name: str, value: str, known: list[str]) -> None:
    if value and value not in known:
        raise CommandFailed(ExitCode.USAGE, f"--{name} {value!r} is none of: {', '.join(known)}")
