"""Opening deals and acting on them from the command line: fields as NAME=VALUE, refusals in words."""

from __future__ import annotations

import json
import typing
import uuid
from pathlib import Path
from typing import Any

from cli.deal_answers import render_answer, show_rehearsal
from cli.deal_views import said_no
from cli.exits import CommandFailed, ExitCode
from cli.hands import caller_named, desk_on, hands_on, patiently
from cli.session import Session
from infra.desk.errors import DeskError
from infra.desk.opening import NewDeal
from models import codec
from models.lifecycle.machines import DEALS
from models.messages.deals import ActResult
from models.rules import ACTIONS


async def open_new(
    session: Session,
    customer: str,
    title: str,
    owner: str,
    branch: str,
    currency: str,
    linked_to: str,
    test: bool,
    key: str,
) -> None:
    """Open a deal and say its id."""
    asked = NewDeal(title, customer, owner, branch, currency, linked_to, is_test=test)
    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        with said_no(
            "`dealwright import customers FILE` adds customers; --owner names a user of `dealwright user list`"
        ):
            answer = await patiently(lambda: hands.desk.open_deal(caller, asked, key or f"cli:{uuid.uuid4()}"))
    session.screen.result(codec.encode(answer), lambda: render_answer(session, answer, "opened"))


async def do_action(
    session: Session,
    deal_id: str,
    action: str,
    fields: list[str],
    payload: str,
    key: str,
    if_version: int,
    dry_run: bool,
) -> None:
    """Act on a deal and say where it stands."""
    asked = _payload(action, fields, payload)
    about_fields = f"`dealwright deal why {deal_id} {action}` names its fields, the needed ones with a star"
    if dry_run:
        async with desk_on(session) as desk:
            caller = await caller_named(desk, session.options.acting_as)
            with said_no(about_fields):
                rehearsed = await desk.dry_run(caller, deal_id, action, asked, if_version)
        show_rehearsal(session, rehearsed)
        return
    async with hands_on(session) as hands:
        caller = await caller_named(hands.desk, session.options.acting_as)
        own_key = key or f"cli:{uuid.uuid4()}"
        with said_no(about_fields):
            answer = await patiently(lambda: hands.desk.act(caller, deal_id, action, asked, own_key, if_version))
        await _rest(hands.settled_row, answer)
    what = "as answered before" if answer.replayed else "done"
    session.screen.result(codec.encode(answer), lambda: render_answer(session, answer, what))


async def _rest(settle: Any, answer: ActResult) -> None:
    """Let the engine finish what the act asked of the world before it may be stopped; the act itself stands."""
    try:
        await settle(answer.deal_id)
    except (CommandFailed, DeskError):
        return


def _payload(action: str, fields: list[str], payload: str) -> dict[str, Any]:
    """The action's fields. Raises CommandFailed for what can't be read."""
    if action not in ACTIONS or action not in DEALS.table.actions:
        advice = f"actions: {', '.join(sorted(DEALS.table.actions))}"
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no action {action!r}", advice)
    given = _json_object(payload) if payload else {}
    hints = typing.get_type_hints(ACTIONS[action].payload)
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator:
            raise CommandFailed(ExitCode.USAGE, f"{field!r} is not like NAME=VALUE")
        if name not in hints:
            known = ", ".join(hints) or "none, it needs no fields"
            raise CommandFailed(ExitCode.USAGE, f"{action} has no field {name!r}", f"its fields: {known}")
        given[name] = _value(name, value, hints[name])
    return given


def _json_object(text: str) -> dict[str, Any]:
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    try:
        found = json.loads(text)
    except ValueError as problem:
        raise CommandFailed(ExitCode.USAGE, f"--payload is no JSON: {problem}") from None
    if not isinstance(found, dict):
        raise CommandFailed(ExitCode.USAGE, "--payload must be a JSON object")
    return found


def _value(name: str, text: str, kind: Any) -> Any:
    """Texts as they are, everything else as JSON."""
    if isinstance(kind, type) and issubclass(kind, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"{name}: {text!r} is no number, truth value or JSON") from None
