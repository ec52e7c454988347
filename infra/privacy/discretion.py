"""Takes what is personal out of what callers say, before engine, timeline or any table sees it: tokens stand there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from infra.db import Database, table_of
from infra.privacy.contacts import known_at
from infra.privacy.vault import KEYS, VALUES, PersonErased, Vault, is_erased
from models.personal import (
    NAME,
    TOKEN,
    Known,
    Mention,
    Plain,
    each_personal,
    each_text,
    has_personal,
    mentions,
    texts_in,
    tokens_in,
    without,
)
from models.tables.projection import DealRow

PERSON = "person"
"""The kind of a value that stood in a field about a person."""

_DEALS = table_of(DealRow)
_TRIES = 3
_WORDS = re.compile(r"\S\s+\S|@")

Change = Callable[[str], str]
Walk = Callable[[Change, Change], Any]
"""Goes over a value with what to make of a field about a person, and of a free text."""


class Indiscreet(ValueError):
    """A payload that can't be taken: `field` names a person where no token can stand, or has a token of somebody at
    another customer, whose data it would show to whoever reads this deal."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why = field, why


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known about the customer of a deal."""

    customer: str
    known: list[Known]


class Discretion:
    """Keeps personal pieces in the vault and puts tokens in their place. The same text gives the same tokens."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def payload(self, deal_id: str, kind: type[Any], payload: Plain, at: str) -> Plain:
        """The payload of an act as everybody else sees it. Raises Indiscreet or KeyLost."""
        others = _others(kind, payload)
        if not others and not has_personal(kind, payload) and not tokens_in(payload):
            return payload
        if others:
            customer = await self._database.look(partial(_customer_of, deal_id=deal_id))
            _refuse_names(others, await self.known_at(customer))
        told: Plain = await self._apart(
            deal_id, payload, at, lambda person, free: each_personal(kind, payload, person, free)
        )
        return told

    async def texts(self, deal_id: str, value: Any, at: str) -> Any:
        """A plain value with all its texts taken for free text, such as why an act was refused. Raises KeyLost."""
        return await self._apart(deal_id, None, at, lambda _, free: each_text(value, free))

    async def known_at(self, customer_id: str) -> list[Known]:
        """By what the contacts of a customer are known."""
        return await self._database.look(lambda connection: known_at(connection, self._vault, customer_id))

    async def _apart(self, deal_id: str, checked: Any, at: str, walk: Walk) -> Any:
        for left in reversed(range(_TRIES)):
            seen = await self._database.look(partial(self._look, deal_id=deal_id, tokens=tokens_in(checked)))
            pieces = _pieces(walk, seen.known)
            if not pieces:
                return walk(_same, _same)
            try:
                tokens = await self._database.write(partial(self._keep, seen=seen, pieces=pieces, at=at))
            except PersonErased:
                if left:  # somebody was erased in this moment, and is not known any more
                    continue
                raise
            return _replaced(walk, seen.known, tokens)
        raise AssertionError("the loop above returns or raises")

    def _look(self, connection: Connection, deal_id: str, tokens: set[str]) -> _Seen:
        customer = _customer_of(connection, deal_id)
        if tokens:
            of = [one.removeprefix("pv_") for one in tokens]
            theirs = select(VALUES.c.commitment).join(KEYS, KEYS.c.subject == VALUES.c.subject)
            foreign = theirs.where(VALUES.c.commitment.in_(of), KEYS.c.customer_id != customer)
            if connection.execute(foreign.limit(1)).first():
                raise Indiscreet("", "has a token of somebody at another customer")
        return _Seen(customer, known_at(connection, self._vault, customer) if customer else [])

    def _keep(self, connection: Connection, seen: _Seen, pieces: set["Piece"], at: str) -> dict["Piece", str]:
        general = general_subject(connection, seen.customer)
        return {
            piece: self._vault.keep(connection, piece[0] or general, seen.customer, piece[1], piece[2], at)
            for piece in sorted(pieces)
        }


Piece = tuple[str, str, str]
"""Subject (empty: nobody we know), kind and text."""


def general_subject(connection: Connection, customer_id: str) -> str:
    """Under whom is kept what is about nobody that we know at a customer; a new one after each erasure."""
    subject, number = f"customer:{customer_id}", 1
    while is_erased(connection, subject):
        number += 1
        subject = f"customer:{customer_id}#{number}"
    return subject


def _customer_of(connection: Connection, deal_id: str) -> str:
    query = select(_DEALS.c.customer_id).where(_DEALS.c.id == deal_id)
    return connection.execute(query).scalar_one_or_none() or ""


def _others(kind: type[Any], payload: Plain) -> Plain:
    """Fields that are neither about persons nor free text, but have words in which a name may stand."""
    left = each_personal(kind, payload, lambda _: "", lambda _: "")
    return {field: value for field, value in left.items() if any(_WORDS.search(text) for text in texts_in(value))}


def _refuse_names(others: Plain, known: list[Known]) -> None:
    """Names by which acts find each other stay as they are, so they must name nobody. A single word does not count:
    people have the names of towns. Raises Indiscreet."""
    for field, value in others.items():
        found = [piece for text in texts_in(value) for piece in mentions(text, known) if piece.subject]
        if any(piece.kind != NAME or " " in piece.text.strip() for piece in found):
            raise Indiscreet(field, "names a contact of the customer, which belongs into a free text at most")


def _piece(mention: Mention) -> Piece:
    return (mention.subject, mention.kind, mention.text)


def _whole(text: str, known: list[Known]) -> Piece:
    """A field about a person: whose it is, is whoever is mentioned first."""
    whose = next((mention.subject for mention in mentions(text, known) if mention.subject), "")
    return (whose, PERSON, text)


def _pieces(walk: Walk, known: list[Known]) -> set[Piece]:
    found: set[Piece] = set()

    def person(text: str) -> str:
        if text.strip() and not TOKEN.fullmatch(text):
            found.add(_whole(text, known))
        return text

    def free(text: str) -> str:
        found.update(map(_piece, mentions(text, known)))
        return text

    walk(person, free)
    return found


def _replaced(walk: Walk, known: list[Known], tokens: dict[Piece, str]) -> Any:
    def person(text: str) -> str:
        return text if not text.strip() or TOKEN.fullmatch(text) else tokens[_whole(text, known)]

    def free(text: str) -> str:
        return without(text, mentions(text, known), lambda mention: tokens[_piece(mention)])

    return walk(person, free)


def _same(text: str) -> str:
    return text
