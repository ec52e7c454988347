"""Where a letter stands on its way to the customer, and what a person may do about it.

`waiting` -> `claimed` (a dispatcher has it; nothing was given away) -> `sending` (given to the mail server) -> `sent`.
`failed` was refused or can't be sent, `unsure` was given away without an answer: both wait for a person. `kept` is
never sent by itself: a test deal's, or written before letters were dispatched.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection, func, select, update

from infra.db import Database, table_of
from infra.stores.alerts import settle
from infra.stores.pages import Page, look_page
from models.tables.papers import LetterRow

LETTERS = table_of(LetterRow)

ALERT_UNSURE = "letter_unsure"
ALERT_FAILED = "letter_failed"


class LetterState(StrEnum):
    """The states of a letter."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNSURE = "unsure"
    KEPT = "kept"


_RESENT_FROM = (LetterState.FAILED, LetterState.UNSURE, LetterState.KEPT)
_MARKED_FROM = (*_RESENT_FROM, LetterState.WAITING)


class LetterNotThere(LookupError):
    """There is no letter of this effect key."""


class LetterNotOpen(ValueError):
    """The letter is in a state in which this can't be done: it has left, or is about to."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of one database, for people: `list`, `counts`, `resend`, `mark_sent`."""

    database: Database

    async def page(self, state: LetterState | None = None, cursor: str = "", limit: int = 50) -> Page:
        """Letters as rows, the oldest first, all or those in a state."""
        query = select(LETTERS) if state is None else select(LETTERS).where(LETTERS.c.state == state.value)
        return await look_page(self.database, query, [LETTERS.c.queued_at, LETTERS.c.effect_key], cursor, limit)

    async def counts(self) -> dict[str, int]:
        """How many letters are in each state that any is in."""
        query = select(LETTERS.c.state, func.count().label("number")).group_by(LETTERS.c.state)
        rows = await self.database.look(lambda connection: connection.execute(query).all())
        return {row.state: row.number for row in rows}

    async def resend(self, effect_key: str, by: str, now: str) -> None:
        """Let the dispatcher send it (again), under the Message-ID that it has. `by` is who decided, `now` an instant.

        Of failed, unsure and kept letters; of a waiting one it is no change. Raises LetterNotThere, LetterNotOpen.
        """
        values = {"state": LetterState.WAITING.value, "queued_at": now, "lease_until": "", "failure": ""}
        await self._decide(effect_key, _RESENT_FROM, values, by, now)

    async def mark_sent(self, effect_key: str, by: str, now: str) -> None:
        """Note that it has reached the customer, by mail or by other means, so that it is not sent again.

        Raises LetterNotThere, LetterNotOpen.
        """
        values = {"state": LetterState.SENT.value, "dispatched_at": now, "failure": f"marked by {by}"}
        await self._decide(effect_key, _MARKED_FROM, values, by, now)

    async def _decide(
        self, effect_key: str, allowed: tuple[LetterState, ...], values: dict[str, str], by: str, now: str
    ) -> None:
        await self.database.write(partial(_decided, effect_key, allowed, values, by, now))


def _decided(
    effect_key: str,
    allowed: tuple[LetterState, ...],
    values: dict[str, str],
    by: str,
    now: str,
    connection: Connection,
) -> None:
    one = LETTERS.c.effect_key == effect_key
    in_one_of = LETTERS.c.state.in_([state.value for state in allowed])
    changed = connection.execute(update(LETTERS).where(one, in_one_of).values(values).returning(LETTERS.c.effect_key))
    if changed.first() is None:
        state = connection.execute(select(LETTERS.c.state).where(one)).scalar_one_or_none()
        if state is None:
            raise LetterNotThere(f"there is no letter {effect_key!r:.80}")
        if state != values["state"]:
            raise LetterNotOpen(f"the letter is {state}, so it can't become {values['state']}")
        return
    for kind in (ALERT_UNSURE, ALERT_FAILED):
        settle(connection, kind, effect_key, by, now)
