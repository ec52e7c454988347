"""Auditors' bundles for download: one deal, or those of a customer and a period."""

import os
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.shared import Day, OptionalId
from infra.desk.callers import Caller
from infra.desk.exporting import Asked
from infra.desk.service import DealDesk
from infra.gateways.paper_files import file_stem

deal = APIRouter(prefix="/v1/deals/{deal_id}", tags=["audit"], route_class=GuardedRoute)
router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

MEDIA_TYPE = "application/zip"
_CHUNK = 1 << 18
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "description": "The bundle, which verify_bundle.py checks",
    }
}

Size = Annotated[int, Query(ge=0, le=2**53 - 1)]
Against = Annotated[
    list[Size],
    Query(max_length=20, description="Sizes of checkpoints that the auditor holds: the bundle continues them"),
]


@deal.get("/export", response_class=StreamingResponse, responses=_ANSWER)
async def export_deal(deal_id: str, desk: Desk, me: Me, against: Against = []) -> StreamingResponse:  # noqa: B006
    """One deal with everything that proves it."""
    return await _bundle(desk, me, Asked(deals=[deal_id], against=against), deal_id)


@router.get("/export", response_class=StreamingResponse, responses=_ANSWER)
async def export(
    desk: Desk,
    me: Me,
    customer: Annotated[OptionalId, Query(description="All deals of this customer")] = "",
    first: Annotated[Day, Query(alias="from", description="Deals with acts on this day or later, in UTC")] = "",
    last: Annotated[Day, Query(alias="to", description="Deals with acts until this day")] = "",
    everything: Annotated[bool, Query(alias="all", description="Every deal, and every leaf of the log")] = False,
    against: Against = [],  # noqa: B006
) -> StreamingResponse:
    """The deals of a customer, of a period, or all, with everything that proves them."""
    asked = Asked(customer=customer, first=first, last=last, everything=everything, against=against)
    return await _bundle(desk, me, asked, *(filter(None, (customer, first, last))))


async def _bundle(desk: DealDesk, me: Caller, asked: Asked, *named: str) -> StreamingResponse:
    """The whole bundle is written before the answer begins, so that what goes wrong is told as a problem."""
    folder = desk.settings.data_dir
    # without a name: nothing is left of it when this process ends in the middle
    file = tempfile.TemporaryFile(dir=folder if folder.is_dir() else None)  # noqa: SIM115 - `_content` closes it
    try:
        await desk.exporting.export(me, asked, file)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    name = f"audit-{file_stem(*(named or ('all',)))}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(_content(file), media_type=MEDIA_TYPE, headers=headers)


async def _content(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while chunk := await run_in_threadpool(file.read, _CHUNK):
            yield chunk
