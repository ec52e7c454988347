"""Policies on their way, in a terminal: what a draft changes, its steps, and what differs between two versions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cli.deal_views import said_no
from cli.exits import CommandFailed, ExitCode
from cli.hands import caller_named, desk_on
from cli.session import Session
from infra.control.policy_desk import Numbers
from models import codec

if TYPE_CHECKING:
    from infra.desk.callers import Caller
    from infra.desk.service import DealDesk
    from infra.stores.policy_drafts import Draft
    from models.policy_changes import Change

T = TypeVar("T")
Plain = dict[str, Any]
_SHORT_HASH = 8
_WIDEST = 60


def numbers_of(file: Path | None, values: list[str]) -> Numbers:
    """What a file (a JSON merge patch, or whole numbers) and PATH=VALUE words ask for. Raises CommandFailed."""
    placed: Plain = {}
    for word in values:
        path, separator, text = word.partition("=")
        if not separator or not path:
            raise CommandFailed(ExitCode.USAGE, f"{word!r} is not like discount_authority.account_manager=300")
        placed[path.strip()] = _value(text)
    return Numbers(_json_file(file) if file else {}, placed)


async def on_desk(session: Session, ask: Callable[[DealDesk, Caller], Awaitable[T]]) -> T:
    """What the desk answers whoever acts here; its noes end the command."""
    async with desk_on(session) as desk:
        caller = await caller_named(desk, session.options.acting_as)
        with said_no():
            return await ask(desk, caller)


async def active_version(session: Session) -> str:
    """The version that a deal opened now would pin."""

    async def ask(desk: DealDesk, _: Caller) -> str:
        return (await desk.books.policies.active(desk.clock())).version

    return await on_desk(session, ask)


async def show_step(session: Session, what: str, ask: Callable[[DealDesk, Caller], Awaitable[Draft]]) -> None:
    """Take one step with a draft, and say where it stands."""
    draft = await on_desk(session, ask)
    session.screen.result(codec.encode(draft), lambda: _draw(session, draft, what))


async def approve(session: Session, version: str, seen: str) -> None:
    """Approve the draft's numbers, named by the first characters of their hash at least."""

    async def ask(desk: DealDesk, me: Caller) -> Draft:
        draft = await desk.policies.draft_of(me, version)
        if len(seen) < _SHORT_HASH or not draft.body_hash.startswith(seen):
            advice = f"`dealwright policies show {version}` tells the hash; {_SHORT_HASH} characters of it are enough"
            raise CommandFailed(ExitCode.REFUSED, f"{seen!r} is not the hash of the numbers of {version}", advice)
        return await desk.policies.approve(me, version, draft.body_hash)

    await show_step(session, "approved", ask)


async def show(session: Session, version: str, *, whole: bool) -> None:
    """One draft or version: with what it changes, or with all its numbers."""

    async def ask(desk: DealDesk, me: Caller) -> tuple[Plain, Draft | None, list[Change]]:
        draft = await desk.policies.drafts.get(version)
        body = await desk.policies.numbers(me, version)
        changes = await desk.policies.compare(me, draft.based_on, version) if draft else []
        return body, draft, changes

    body, draft, changes = await on_desk(session, ask)
    plain = codec.encode(draft) if draft else {"version": version, "body": body}

    def render() -> None:
        if draft:
            _draw(session, draft, "")
            _table(session, changes, draft.based_on, version)
        if whole or not draft:
            session.screen.line(json.dumps(body, ensure_ascii=False, indent=2))

    session.screen.result(plain | {"changes": codec.encode(changes)}, render)


async def show_drafts(session: Session, state: str) -> None:
    """All drafts, by version."""

    async def ask(desk: DealDesk, me: Caller) -> list[Plain]:
        rows: list[Plain] = []
        cursor = ""
        while True:
            page = await desk.policies.page(me, state, cursor, 200)
            rows += [{name: value for name, value in row.items() if name != "body"} for row in page.rows]
            if not (cursor := page.next_cursor):
                return rows

    rows = await on_desk(session, ask)
    names = ("version", "state", "based_on", "drafted_by", "approved_by", "active_from", "note")
    columns = tuple(name.replace("_", " ") for name in names)
    session.screen.result(
        rows, lambda: session.screen.table("", columns, [tuple(row[name] for name in names) for row in rows])
    )


async def compare(session: Session, old: str, new: str) -> None:
    """What differs from one to the other, path by path."""
    changes = await on_desk(session, lambda desk, me: desk.policies.compare(me, old, new))
    plain = {"old": old, "new": new, "changes": codec.encode(changes)}
    session.screen.result(plain, lambda: _table(session, changes, old, new))


def _draw(session: Session, draft: Draft, what: str) -> None:
    screen = session.screen
    screen.line(f"policy {draft.version}{f' is {what}' if what else ''}: {draft.state}", "bold")
    screen.line(f"  based on {draft.based_on}, drafted by {draft.drafted_by}, hash {draft.body_hash}")
    if draft.edited_by:
        screen.line(f"  changed by {', '.join(draft.edited_by)}")
    if draft.approved_by:
        screen.line(f"  approved by {draft.approved_by} at {draft.approved_at}")
    if draft.active_from:
        screen.line(f"  new deals pin it from {draft.active_from} on")
    if draft.note:
        screen.line(f"  {draft.note}")


def _table(session: Session, changes: list[Change], old: str, new: str) -> None:
    rows = [(change.path, _shown(change.old), _shown(change.new)) for change in changes if change.path != "version"]
    if rows:
        session.screen.table("", ("number", old, new), rows)
    else:
        session.screen.line("no number differs")


def _shown(value: Any) -> str:
    text = "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _value(text: str) -> Any:
    """Numbers, truth values and JSON as such, everything else as text; nothing removes what is there."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json_file(file: Path) -> Plain:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise CommandFailed(ExitCode.USAGE, f"{file} is no JSON: {problem}") from None
    if not isinstance(found, dict):
        raise CommandFailed(ExitCode.USAGE, f"{file} must hold a JSON object: a merge patch, or whole numbers")
    return found
