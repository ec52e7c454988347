"""Deputies on the wire."""

from typing import Annotated

from pydantic import Field

from api.wire.shared import Asked, Id, Instant, Note, OptionalId, Told


class NewDeputy(Asked):
    """Who stands in, for whom (empty: for you), from when (empty: from now) and until when; at most 60 days."""

    deputy: Id
    until: Annotated[Instant, Field(min_length=1)]
    absent: OptionalId = ""
    from_: Annotated[Instant, Field(alias="from")] = ""
    reason: Annotated[Note, Field(max_length=300)] = ""


class Deputyship(Told):
    """Somebody stands in for somebody else within a window; `ended_at` is when it was ended before its time."""

    id: int
    absent: str
    deputy: str
    from_at: str
    until_at: str
    reason: str
    appointed_by: str
    appointed_at: str
    ended_at: str
    ended_by: str


class Deputyships(Told):
    """A page of deputyships, in the order of their appointment."""

    items: list[Deputyship]
    next_cursor: str
