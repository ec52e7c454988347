"""Which answers to auditors tell of deals, so that they are given only once they stand in the audit log as read."""

import json
from typing import Any

from fastapi import Request, Response

from infra.desk.callers import Caller
from infra.desk.read_log import ReadLog

NOT_ABOUT_DEALS = (
    "/v1/audit",  # leaves, proofs and verdicts: reading the log must not make it grow; what tells of deals says so
    "/v1/codec",  # every decoding has a leaf of its own
    "/v1/deputies",
    "/v1/duties",
    "/v1/lifecycle",
    "/v1/policies",
    "/v1/products",
    "/v1/stock",
    "/v1/users",
)
"""Beginnings of addresses that tell of no deal unless they name one."""

_OK_BELOW = 300


async def tell(reads: ReadLog, caller: Caller, template: str, request: Request, response: Response, told: bool) -> None:
    """Log an answer to an auditor that tells of one deal, or of many and was not logged yet. Raises Unlogged."""
    if response.status_code >= _OK_BELOW:
        return
    asked = request.query_params
    deal_id = str(request.path_params.get("deal_id", "")) or asked.get("deal", "") or asked.get("deal_id", "")
    if deal_id and await reads.deal_of(caller, deal_id, template):
        return
    if not told and not template.startswith(NOT_ABOUT_DEALS):
        await reads.many(caller, request.url.path, template, _counted(response))


def _counted(response: Response) -> int | None:
    """How many items a list told of."""
    body, kind = getattr(response, "body", b""), response.headers.get("content-type", "")
    if not body or not kind.startswith("application/json"):
        return None
    told: Any = json.loads(body)
    items = told.get("items") if isinstance(told, dict) else None
    return len(items) if isinstance(items, list) else None
