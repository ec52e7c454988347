"""Policies from draft to activation for callers: an admin drafts, a second one approves exactly these numbers, and new
deals pin them from a date on. A version that is active never changes again."""

import re
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import Any

from infra.desk import payloads
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Conflict, DeskError, Invalid, NoSuch
from infra.desk.recording import RefusalBook
from infra.stores.audit_log import Leaf, leaf_of_body
from infra.stores.pages import Page
from infra.stores.policy_drafts import (
    ACTIVE,
    APPROVED,
    DRAFT,
    WITHDRAWN,
    Draft,
    InstantTaken,
    PolicyDraftStore,
    VersionStands,
)
from models import codec
from models.instants import canonical
from models.lifecycle.roles import BLIND_TO_PRICES, PERSONS, Role
from models.policy import Policy
from models.policy_changes import Change, NoSuchPlace, differences, merged, placed
from models.policy_soundness import flaws
from models.timeline import digest

ADMINS = frozenset({Role.ADMIN})
READERS = PERSONS - BLIND_TO_PRICES
"""Margin floors and discount authority are no business of who must not see prices."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_RESERVED = frozenset({"drafts", "compare"})
_LONGEST_NOTE = 2_000
_LAST = "9999-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a draft says of its numbers: a merge patch on those of the version below it (RFC 7396: what it leaves out
    stays, None removes), and single values by their path."""

    merge: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class PolicyDesk:
    """Drafts, compares, approves and activates policies. What it refuses is recorded."""

    def __init__(self, books: Books, refusals: RefusalBook, clock: Clock) -> None:
        self._books, self._refusals, self._clock = books, refusals, clock
        self.drafts = PolicyDraftStore(books.database)

    async def page(self, caller: Caller, state: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Drafts by version. Raises WrongRole or BadCursor."""
        caller.require("reading policies", READERS)
        return await self.drafts.page(state, cursor, limit)

    async def draft_of(self, caller: Caller, version: str) -> Draft:
        """One draft. Raises WrongRole or NoSuch."""
        caller.require("reading policies", READERS)
        return await self._draft(version)

    async def numbers(self, caller: Caller, version: str) -> dict[str, Any]:
        """The numbers of a version that stands, or of a draft. Raises WrongRole or NoSuch."""
        caller.require("reading policies", READERS)
        standing = await self._books.policies.store.get(version)
        return standing.body if standing else (await self._draft(version)).body

    async def compare(self, caller: Caller, old: str, new: str) -> list[Change]:
        """What differs from one version or draft to another, path by path. Raises WrongRole or NoSuch."""
        return list(differences(await self.numbers(caller, old), await self.numbers(caller, new)))

    async def draft(
        self, caller: Caller, version: str, based_on: str, asked: Numbers, note: str = "", key: str = ""
    ) -> Draft:
        """Draft a version on the numbers of one that stands; the same again changes nothing. Raises a DeskError."""
        return await self._noting(caller, "draft_policy", key, self._new(caller, version, based_on, asked, note))

    async def edit(
        self, caller: Caller, version: str, asked: Numbers, seen_hash: str = "", note: str | None = None, key: str = ""
    ) -> Draft:
        """Change a draft's numbers, which voids its approval. `seen_hash` refuses when somebody changed them since.

        Raises a DeskError.
        """
        return await self._noting(caller, "edit_policy", key, self._edit(caller, version, asked, seen_hash, note))

    async def approve(self, caller: Caller, version: str, body_hash: str, key: str = "") -> Draft:
        """Approve exactly the numbers with this hash, as a second admin. Raises a DeskError."""
        return await self._noting(caller, "approve_policy", key, self._approve(caller, version, body_hash))

    async def withdraw(self, caller: Caller, version: str, reason: str, key: str = "") -> Draft:
        """Take a draft back before it is active; its version is used up. Raises a DeskError."""
        return await self._noting(caller, "withdraw_policy", key, self._withdraw(caller, version, reason))

    async def activate(self, caller: Caller, version: str, active_from: str = "", key: str = "") -> Draft:
        """Let deals opened at `active_from` (empty: now) or later pin an approved draft. Raises a DeskError."""
        return await self._noting(caller, "activate_policy", key, self._activate(caller, version, active_from))

    async def _noting(self, caller: Caller, action: str, key: str, work: Awaitable[Draft]) -> Draft:
        try:
            return await work
        except DeskError as problem:
            await self._refusals.note_error(caller, "", action, problem, key)
            raise

    async def _draft(self, version: str) -> Draft:
        found = await self.drafts.get(version) if _VERSION.fullmatch(version) else None
        if found is None:
            raise NoSuch("draft of a policy", version)
        return found

    async def _new(self, caller: Caller, version: str, based_on: str, asked: Numbers, note: str) -> Draft:
        caller.require("drafting policies", ADMINS)
        if not _VERSION.fullmatch(version) or version in _RESERVED:
            raise Invalid({"version": "1 to 40 letters, digits, dots, dashes, and not drafts or compare"})
        if len(note) > _LONGEST_NOTE:
            raise Invalid({"note": f"more than {_LONGEST_NOTE} characters"})
        base = await self._books.policies.store.get(based_on)
        if base is None:
            raise Invalid({"based_on": "no such version of the policy"})
        body = await self._sound(base.body, asked, version)
        at = self._clock()
        absent = [caller.on_behalf_of] if caller.on_behalf_of else []
        new = Draft(version, based_on, body, digest(body), DRAFT, note, caller.user, absent, at)
        try:
            await self.drafts.add(new, _leaf("policy_draft", new, caller, at, step="drafted"))
        except VersionStands:
            return await self._same_draft(new)
        return new

    async def _same_draft(self, new: Draft) -> Draft:
        """What stands under the version when it is what was asked for, as after an answer that got lost."""
        stands = await self.drafts.get(new.version)
        same = ("based_on", "body_hash", "state", "note", "drafted_by", "edited_by")
        if stands is None or any(getattr(stands, name) != getattr(new, name) for name in same):
            raise Conflict("already_exists", f"version {new.version} stands already: give the new numbers another name")
        return stands

    async def _edit(self, caller: Caller, version: str, asked: Numbers, seen_hash: str, note: str | None) -> Draft:
        caller.require("drafting policies", ADMINS)
        seen = await self._open(version, "changed")
        if seen_hash and seen_hash != seen.body_hash:
            raise Conflict("stale_draft", "somebody has changed the draft since: look at it again")
        if note is not None and len(note) > _LONGEST_NOTE:
            raise Invalid({"note": f"more than {_LONGEST_NOTE} characters"})
        body = await self._sound(seen.body, asked, version)
        at = self._clock()
        changed = replace(
            seen, body=body, body_hash=digest(body), state=DRAFT, note=seen.note if note is None else note,
            edited_by=sorted({*seen.edited_by, *caller.actor.people}), edited_at=at,
            approved_by="", approved_at="", approved_hash="",
        )  # fmt: skip
        if (changed.body_hash, changed.note) == (seen.body_hash, seen.note):
            return seen
        await self._change(seen, changed, _leaf("policy_draft", changed, caller, at, step="edited"))
        return changed

    async def _approve(self, caller: Caller, version: str, body_hash: str) -> Draft:
        caller.require("approving policies", ADMINS)
        seen = await self._draft(version)
        if seen.body_hash != body_hash:
            raise Conflict("stale_draft", "these are not the numbers of the draft: look at it again")
        if seen.approved_by == caller.user and seen.approved_hash == body_hash and seen.state != WITHDRAWN:
            return seen
        if seen.state != DRAFT:
            raise Conflict("not_open", f"version {version} is {seen.state}")
        at = self._clock()
        await self._require_second(caller, seen, at)
        await self._sound(seen.body, Numbers(), version)
        changed = replace(seen, state=APPROVED, approved_by=caller.user, approved_at=at, approved_hash=body_hash)
        await self._change(seen, changed, _leaf("policy_approval", changed, caller, at))
        return changed

    async def _require_second(self, caller: Caller, draft: Draft, at: str) -> None:
        """Four eyes: who approves is none of drafter and editors, nor stands in for one of them, nor a machine."""
        if caller.has(Role.AUTOMATION):
            raise Conflict("four_eyes", "a machine approves nothing: --as a second admin, or with that admin's key")
        involved = {draft.drafted_by, *draft.edited_by}
        if involved & set(caller.actor.people):
            raise Conflict("four_eyes", "who drafted or changed the numbers can't approve them: ask another admin")
        if involved & await self.drafts.absent_behind(caller.user, at):
            raise Conflict("four_eyes", "a deputy of who drafted or changed the numbers can't approve them")

    async def _withdraw(self, caller: Caller, version: str, reason: str) -> Draft:
        caller.require("withdrawing policies", ADMINS)
        if not 0 < len(reason.strip()) <= _LONGEST_NOTE:
            raise Invalid({"reason": f"1 to {_LONGEST_NOTE} characters"})
        seen = await self._draft(version)
        if seen.state == WITHDRAWN:
            return seen
        if seen.state == ACTIVE:
            raise Conflict("not_open", f"version {version} is active for ever: activate another one after it")
        at = self._clock()
        changed = replace(seen, state=WITHDRAWN, edited_at=at)
        await self._change(seen, changed, _leaf("policy_draft", changed, caller, at, step="withdrawn", reason=reason))
        return changed

    async def _activate(self, caller: Caller, version: str, active_from: str) -> Draft:
        caller.require("activating policies", ADMINS)
        now = self._clock()
        since = _instant(active_from) if active_from else now
        seen = await self._draft(version)
        if seen.state == ACTIVE and (not active_from or seen.active_from == since):
            return seen
        if seen.state == ACTIVE:
            raise Conflict("already_active", f"version {version} is active from {seen.active_from}")
        if seen.state != APPROVED or seen.approved_hash != seen.body_hash:
            raise Conflict("not_approved", f"version {version} is {seen.state}: a second admin approves it first")
        if not now <= since <= _LAST:
            raise Invalid({"active_from": f"must not lie before {now}: what is past was decided by other numbers"})
        await self._sound(seen.body, Numbers(), version)
        leaf = _leaf("policy_activation", replace(seen, active_from=since), caller, now, active_from=since)
        try:
            if not await self.drafts.activate(seen, since, leaf):
                return await self._activated_meanwhile(version, since, active_from)
        except InstantTaken as taken:
            raise Conflict("instant_taken", f"{taken}; choose another instant") from None
        except VersionStands:
            raise Conflict("already_exists", f"another policy stands under version {version}") from None
        return replace(seen, state=ACTIVE, active_from=since)

    async def _activated_meanwhile(self, version: str, since: str, active_from: str) -> Draft:
        stands = await self._draft(version)
        if stands.state == ACTIVE and (not active_from or stands.active_from == since):
            return stands
        raise _changed(version)

    async def _open(self, version: str, what: str) -> Draft:
        seen = await self._draft(version)
        if seen.state not in (DRAFT, APPROVED):
            raise Conflict("not_open", f"version {version} is {seen.state} and can't be {what}")
        return seen

    async def _change(self, seen: Draft, changed: Draft, leaf: Leaf) -> None:
        if not await self.drafts.change(seen, changed, leaf):
            stands = await self._draft(seen.version)
            if replace(stands, edited_at="", approved_at="") != replace(changed, edited_at="", approved_at=""):
                raise _changed(seen.version)

    async def _sound(self, base: dict[str, Any], asked: Numbers, version: str) -> dict[str, Any]:
        """The numbers with what is asked changed, in their one plain form. Raises Invalid with the path of a flaw."""
        body = asked_numbers(base, asked)
        if body.setdefault("version", version) not in (version, base.get("version")):
            raise Invalid({"version": "the numbers name another version"})
        policy = read_policy(body | {"version": version})
        standing = await self._books.policies.store.all()
        latest = max((int(row["body"].get("rules", 1)) for row in standing), default=1)
        if policy.rules < latest:
            raise Invalid({"rules": f"can't be lowered: the rules of generation {latest} are in force"})
        plain: dict[str, Any] = codec.encode(policy)
        return plain


def read_policy(body: Any) -> Policy:
    """The policy of a plain body. Raises Invalid with every path at which it can't be lived by."""
    try:
        policy = codec.decode(Policy, body)
    except codec.Malformed as problem:
        raise Invalid({problem.where or "body": problem.why}) from None
    if wrong := flaws(policy):
        raise Invalid(wrong)
    return policy


def asked_numbers(base: dict[str, Any], asked: Numbers) -> dict[str, Any]:
    """The numbers with what is asked changed, not judged yet. Raises Invalid for a path that leads nowhere."""
    if wrong := payloads.unstorable([asked.merge, asked.values]):
        raise Invalid({where or "body": why for where, why in wrong.items()})
    body: dict[str, Any] = merged(base, asked.merge)
    for path, value in asked.values.items():
        try:
            body = placed(body, path, value)
        except NoSuchPlace:
            raise Invalid({path[:80] or "path": "the policy has nothing at this path"}) from None
    return body


def _instant(text: str) -> str:
    try:
        return canonical(text)
    except (ValueError, OverflowError):
        raise Invalid({"active_from": "an instant looks like 2026-11-21T08:00:00Z"}) from None


def _changed(version: str) -> Conflict:
    return Conflict("stale_draft", f"somebody has changed version {version} in this moment: look at it again")


def _leaf(kind: str, draft: Draft, caller: Caller, at: str, **more: str) -> Leaf:
    standing_in = {"on_behalf_of": caller.on_behalf_of} if caller.on_behalf_of else {}
    body = {
        "version": draft.version, "based_on": draft.based_on, "body_hash": draft.body_hash, "by": caller.user,
        "credential": caller.credential, **standing_in, "at": at, **more,
    }  # fmt: skip
    return leaf_of_body(kind, draft.version, body, at)
