"""Erasures of personal data on the wire."""

from typing import Annotated

from pydantic import Field

from api.wire.shared import Asked, Clean, Told


class Erase(Asked):
    """Why a contact is erased, such as the reference of the request; without personal data."""

    reason: Annotated[Clean, Field(min_length=1, max_length=500)]


class ContactErasure(Told):
    """What was destroyed. `remaining` are places that no erasure reaches, written before anybody knew the person;
    `clean` is False when old pages may still be in the database's log: asking again tries once more."""

    subject: str
    customer_id: str
    erased_at: str
    values: int
    again: bool
    clean: bool
    remaining: list[str]


class Erasure(Told):
    """One erasure, without anything personal."""

    subject: str
    customer_id: str
    requested_by: str
    reason: str
    erased_at: str
    values_erased: int


class Erasures(Told):
    """A page of erasures, the latest first."""

    items: list[Erasure]
    next_cursor: str
