"""Which letters were written about one invoice: the timeline says what was asked for, the letters what became of it."""

import re
from collections import Counter
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import table_of
from infra.stores.pages import Row
from models.tables.papers import LetterRow
from models.tables.records import TimelineRow

_LETTERS, _TIMELINE = table_of(LetterRow), table_of(TimelineRow)
_SHOWN = [_LETTERS.c[name] for name in ("effect_key", "kind", "at", "name", "digest", "state", "dispatched_at")]
_KEY = re.compile(r"(.+):(\d+):(\d+):send_letter")
_PLAIN = re.compile(r"[A-Za-z0-9 ./-]+")
"""Numbers that stand in JSON as they are, whatever wrote it."""


async def letters_about(connection: AsyncConnection, deal_id: str, invoice: str) -> list[Row]:
    """The letters that a deal has written about an invoice, the oldest first."""
    query = select(_TIMELINE.c.sequence, _TIMELINE.c.events).where(_TIMELINE.c.deal_id == deal_id)
    if _PLAIN.fullmatch(invoice):
        query = query.where(cast(_TIMELINE.c.events, Text).contains(invoice, autoescape=True))
    asked = Counter(
        (row.sequence, kind)
        for row in await connection.execute(query)
        for event in row.events
        if (kind := _letter_about(event, invoice))
    )
    if not asked:
        return []
    written = select(*_SHOWN).where(_LETTERS.c.deal_id == deal_id).order_by(_LETTERS.c.at, _LETTERS.c.effect_key)
    found = []
    for row in (await connection.execute(written)).mappings():
        key = _KEY.fullmatch(row["effect_key"])
        about = (int(key[2]), row["kind"]) if key and key[1] == deal_id else None
        if about and asked[about]:
            asked[about] -= 1
            found.append(dict(row))
    return found


def _letter_about(event: dict[str, Any], invoice: str) -> str:
    """The kind of the letter about this invoice that an event asks for; empty when it asks for none."""
    if event["tag"] == "letter_asked":
        return str(event["kind"]) if event["facts"].get("invoice") == invoice else ""
    if event["tag"] == "collection_advanced":
        return str(event["letter"]) if event["invoice"] == invoice else ""
    return ""
