"""The audit log for outsiders: signed checkpoints, proofs of inclusion and consistency, keys."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.audit_log import ConsistencyProof, InclusionProof, LogKeys, Rotated, SignedCheckpoint, SignedCheckpoints
from api.wire.shared import Cursor, Key, Limit, Plain

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

MOST = 2**53 - 1
NOTE = "text/plain"

Leaf = Annotated[int, Query(ge=1, le=MOST, description="Number of the leaf, from 1")]
Size = Annotated[int, Query(ge=0, le=MOST, description="Leaves of the log that is proved for; 0: as it stands")]
Earlier = Annotated[int, Query(alias="from", ge=1, le=MOST, description="Leaves of the log as it was earlier")]
Later = Annotated[int, Query(alias="to", ge=0, le=MOST, description="Leaves of the later log; 0: as it stands")]
Number = Annotated[int, Path(ge=1, le=MOST)]


@router.post("/checkpoints", response_model=SignedCheckpoint)
async def sign_checkpoint(key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Have the log signed as it stands now; what is signed already is answered when nothing was added."""
    return await once(desk, me, "audit-checkpoints", key, {}, response, lambda: desk.log_keeping.sign(me))


@router.get("/checkpoints", response_model=SignedCheckpoints)
async def list_checkpoints(desk: Desk, me: Me, cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Signed checkpoints and where they were handed, the newest first."""
    page = await desk.log_keeping.page(me, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.get(
    "/checkpoints/latest",
    response_class=Response,
    responses={
        200: {
            "description": "The checkpoint, or its note alone",
            "model": SignedCheckpoint,
            "content": {NOTE: {"schema": {"type": "string"}}},
        }
    },
)
async def read_latest_checkpoint(
    desk: Desk,
    me: Me,
    form: Annotated[
        Literal["json", "note"], Query(alias="format", description="`note`: the signed text alone")
    ] = "json",
) -> Response:
    """The checkpoint over the most leaves."""
    found = await desk.log_keeping.checkpoint(me, 0)
    return PlainTextResponse(found["note"]) if form == "note" else JSONResponse(found)


@router.get("/checkpoints/{number}", response_model=SignedCheckpoint)
async def read_checkpoint(number: Number, desk: Desk, me: Me) -> Plain:
    """One checkpoint."""
    return await desk.log_keeping.checkpoint(me, number)


@router.get("/proofs/inclusion", response_model=InclusionProof)
async def prove_inclusion(desk: Desk, me: Me, sequence: Leaf, size: Size = 0) -> Plain:
    """Prove that a leaf is in the log: at most 640 bytes of hashes at a million leaves."""
    return await desk.log_keeping.inclusion(me, sequence, size)


@router.get("/proofs/consistency", response_model=ConsistencyProof)
async def prove_consistency(desk: Desk, me: Me, earlier: Earlier, later: Later = 0) -> Plain:
    """Prove that nothing was changed or taken away since the log had `from` leaves."""
    return await desk.log_keeping.consistency(me, earlier, later)


@router.get("/keys", response_model=LogKeys)
async def list_keys(desk: Desk, me: Me) -> Plain:
    """The public keys under which checkpoints can be verified, retired ones as well."""
    return {"items": await desk.log_keeping.keys(me)}


@router.post("/keys/rotate", response_model=Rotated)
async def rotate_key(key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Retire the key that signs: a leaf says so, and both keys sign the next checkpoint."""
    return await once(desk, me, "audit-keys", key, {}, response, lambda: desk.log_keeping.rotate(me))
