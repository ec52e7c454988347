"""The replays of one deal that need our records alone: its timeline folded, and every act judged again."""

import asyncio
from dataclasses import asdict

from fastapi import APIRouter

from api.keys import Desk, Me
from api.once import allow
from api.routes import GuardedRoute
from api.wire.replay import ReplayVerdict
from api.wire.shared import Plain
from infra.desk.errors import NoSuch
from infra.desk.payloads import bad_text
from infra.evidence.replay_cases import ReplayCases
from infra.evidence.replays import Verdict, replay_records
from models.lifecycle.roles import Role
from models.replaying import FOLD, RULES

router = APIRouter(prefix="/v1/deals", tags=["audit"], route_class=GuardedRoute)

REPLAYERS = frozenset({Role.AUDITOR})
"""An admin sees no deals; whoever runs the system replays them from the command line."""


@router.get("/{deal_id}/replay", response_model=ReplayVerdict)
async def replay(deal_id: str, desk: Desk, me: Me) -> Plain:
    """Fold a deal's timeline through the tables, and judge every act again with what it recorded. The engine's replay
    is the command line's: `dealwright audit replay`."""
    allow(me, "replaying a deal", REPLAYERS)
    if bad_text(deal_id):
        raise NoSuch("deal", "")
    cases = ReplayCases(desk.books.database, desk.books.archive)
    [case] = await cases.read([deal_id])
    if not case.entries and case.standing is None:
        raise NoSuch("deal", deal_id)
    verdict = Verdict(deal_id)
    await asyncio.to_thread(replay_records, case, await cases.policies(), (FOLD, RULES), verdict)
    return {**asdict(verdict), "equal": verdict.equal}
