"""The versioned business numbers: read, drafted, compared, approved by a second admin, activated, and tried on what was
decided."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.office import Policies, PolicyBody
from api.wire.policies import (
    Activation,
    Approval,
    Changed,
    Comparison,
    DraftBody,
    DraftChange,
    Drafts,
    DraftState,
    NewDraft,
    Trial,
    TrialResult,
    Version,
    Withdrawal,
)
from api.wire.shared import Cursor, Key, Limit, Plain
from infra.control.counterfactual_desk import Outcome, Question
from infra.control.policy_desk import READERS, Numbers
from infra.desk.amounts import money
from infra.desk.errors import NoSuch
from infra.stores.policy_drafts import Draft
from models import codec

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=GuardedRoute)

Old = Annotated[Version, Query(alias="from", description="The version or draft to compare")]
New = Annotated[Version, Query(alias="to", description="The version or draft to compare it with")]


@router.get("", response_model=Policies)
async def list_policies(desk: Desk, me: Me) -> Plain:
    """All versions, the newest first."""
    allow(me, "reading policies", READERS)
    return {"items": await desk.books.policies.store.all()}


@router.post("", status_code=201, response_model=DraftBody)
async def draft_policy(asked: NewDraft, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Draft a version on the numbers of one that stands. Nothing lives by it before it is approved and activated."""

    async def work() -> Plain:
        numbers = _numbers(asked)
        return _told(await desk.policies.draft(me, asked.version, asked.based_on, numbers, asked.note, key))

    return await once(desk, me, "policy-drafts", key, asked.model_dump(), response, work)


@router.get("/drafts", response_model=Drafts)
async def list_drafts(
    desk: Desk, me: Me, state: DraftState | None = None, cursor: Cursor = "", limit: Limit = 50
) -> Plain:
    """Policies on their way, by version."""
    page = await desk.policies.page(me, state or "", cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.get("/drafts/{version}", response_model=DraftBody)
async def read_draft(version: str, desk: Desk, me: Me) -> Plain:
    """One draft with all its numbers."""
    return _told(await desk.policies.draft_of(me, version))


@router.get("/compare", response_model=Comparison)
async def compare(old: Old, new: New, desk: Desk, me: Me) -> Plain:
    """What differs from one version or draft to another, path by path."""
    return {"old": old, "new": new, "changes": codec.encode(await desk.policies.compare(me, old, new))}


@router.get("/{version}", response_model=PolicyBody)
async def read_policy(version: str, desk: Desk, me: Me) -> Plain:
    """One version with all its numbers."""
    allow(me, "reading policies", READERS)
    found = await desk.books.policies.store.get(version)
    if found is None:
        raise NoSuch("policy", version)
    told: Plain = codec.encode(found)
    return told


@router.patch("/{version}", response_model=DraftBody)
async def change_draft(version: str, asked: DraftChange, desk: Desk, me: Me) -> Plain:
    """Change a draft's numbers; an approval is void then. The same change again changes nothing."""
    numbers = _numbers(asked)
    return _told(await desk.policies.edit(me, version, numbers, asked.body_hash or "", asked.note))


@router.post("/{version}/approve", response_model=DraftBody)
async def approve(version: str, asked: Approval, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Approve exactly these numbers, as an admin who neither drafted nor changed them."""

    async def work() -> Plain:
        return _told(await desk.policies.approve(me, version, asked.body_hash, key))

    return await once(desk, me, "policy-approvals", key, {"v": version, **asked.model_dump()}, response, work)


@router.post("/{version}/withdraw", response_model=DraftBody)
async def withdraw(version: str, asked: Withdrawal, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Take a draft back before it is active."""

    async def work() -> Plain:
        return _told(await desk.policies.withdraw(me, version, asked.reason, key))

    return await once(desk, me, "policy-withdrawals", key, {"v": version, **asked.model_dump()}, response, work)


@router.post("/{version}/activate", response_model=DraftBody)
async def activate(version: str, asked: Activation, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Let deals that are opened from an instant on pin an approved draft; it stands for ever then."""

    async def work() -> Plain:
        return _told(await desk.policies.activate(me, version, asked.active_from, key))

    return await once(desk, me, "policy-activations", key, {"v": version, **asked.model_dump()}, response, work)


@router.post("/{version}/try", response_model=TrialResult)
async def try_policy(version: str, asked: Trial, desk: Desk, me: Me) -> Plain:
    """What this version or draft would have decided otherwise, deal by deal and in total. Nothing is written."""
    question = Question(asked.since, asked.until, asked.deal, asked.tests, asked.after, asked.limit)
    return _outcome(await desk.counterfactual.run(me, version, question, _numbers(asked)))


def _numbers(asked: Changed) -> Numbers:
    return Numbers(asked.merge, asked.values)


def _told(draft: Draft) -> Plain:
    told: Plain = codec.encode(draft)
    return told


def _outcome(outcome: Outcome) -> Plain:
    plain: Plain = codec.encode(outcome)
    of_deals = (told for deal in plain["deals"] for told in (*deal["flips"], *deal["totals"]))
    for told in (*plain["totals"], *of_deals):
        told["amount"] = money(told["amount_minor"], told["currency"])
    return plain
