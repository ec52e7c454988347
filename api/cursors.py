"""Opaque cursors for lists whose store pages by the key of the last row."""

import base64
import binascii
import json

from infra.desk.payloads import LARGEST_NUMBER, bad_text
from infra.stores.pages import BadCursor


def pack(*place: str | int) -> str:
    """The cursor that names the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def unpack(cursor: str, *first: str | int) -> list[str | int]:
    """The place that a cursor names; `first` without one. Raises BadCursor for what `pack` did not make."""
    if not cursor:
        return list(first)
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor("this cursor comes from no page of this list") from None
    if not isinstance(place, list) or [type(part) for part in place] != [type(part) for part in first]:
        raise BadCursor("this cursor comes from no page of this list")
    if any(bad_text(part) if isinstance(part, str) else not 0 <= part <= LARGEST_NUMBER for part in place):
        raise BadCursor("this cursor comes from no page of this list")
    return place
