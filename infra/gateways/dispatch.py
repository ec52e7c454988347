"""The dispatcher: takes letters out of the outbox and has them posted, each at most once unless a person says so.

A mail server can't be asked what it has taken over, so nothing can send exactly once. What this does instead: a letter
is claimed (a lease; a crash gives it back), then marked `sending` in the very moment before it is given away, and only
the server's answer ends that. Who dies in between leaves a letter `sending`; when its lease is over it is `unsure`,
rings, and stays until a person decides (`letter_states`). Sent again, it has the Message-ID that it had.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, RowMapping, exists, func, select, update

from infra.db import Database, table_of
from infra.gateways.billing_address import billing_address
from infra.gateways.letter_states import ALERT_FAILED, ALERT_UNSURE, LETTERS, LetterState
from infra.gateways.paper_files import digest_of
from infra.stores.alerts import Alert, ring, settle, tell_log
from models.instants import DAY, HOUR, plus
from models.messages.post import Delivered, Dispatched, Outcome, OutgoingLetter
from models.ports import Post
from models.tables.projection import DealRow

LEASE_SECONDS = 900
"""How long a letter belongs to whoever claimed it; far longer than a post may take."""

STALE_SECONDS = 7 * DAY
"""A letter that waited longer is not sent by itself: its amounts and dates may be wrong by now."""

ALERT_CLOSED = "post_closed"
ALERT_STALE = "letters_stale"
ALERT_NO_ADDRESS = "letter_no_address"

_ENGINE = "dispatcher"
_CLOSED_PAUSE = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 300, 4 * HOUR
_DEALS = table_of(DealRow)

AddressOf = Callable[[Database, str], Awaitable[str]]


class PaperChanged(ValueError):
    """A file of the letter is missing, or is not the one whose digest was kept."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Sends what waits in the outbox of one installation. Several may run at once.

    `domain` makes Message-IDs unique in the world: the part of our address behind the @.
    """

    database: Database
    folder: Path
    post: Post
    domain: str
    address_of: AddressOf = billing_address

    async def run_once(self, now: str, limit: int = 100) -> Dispatched:
        """Send up to `limit` waiting letters, the oldest first; stops early when the post is closed.

        `now` is the instant of the call. Letters of test deals are kept back for good.
        """
        began = time.monotonic()
        told = await self.database.write(partial(_tidy, now=now))
        for alert in told:
            tell_log(alert)
        tally = dict.fromkeys(Outcome, 0)
        for _ in range(limit):
            at = plus(now, int(time.monotonic() - began))
            outcome = await self._next(at)
            if outcome is None:
                break
            tally[outcome] += 1
            if outcome is Outcome.CLOSED:
                break
        unsure = tally[Outcome.UNSURE] + sum(alert.kind == ALERT_UNSURE for alert in told)
        waiting = await self.database.look(_count_waiting)
        return Dispatched(tally[Outcome.SENT], tally[Outcome.REFUSED], unsure, waiting)

    async def _next(self, at: str) -> Outcome | None:
        """Claim a letter and send it; None when none waits."""
        row = await self.database.write(partial(_claim, domain=self.domain, at=at))
        if row is None:
            return None
        claim = _Claim(self.database, row["effect_key"], row["attempts"], at)
        to = await self.address_of(self.database, row["customer_id"])
        if not to:
            return await claim.without_address(row["customer_id"])
        try:
            letter = await asyncio.to_thread(_letter, self.folder, row, to, at)
        except PaperChanged as problem:
            return await claim.settle(Delivered(Outcome.REFUSED, str(problem)))
        return await claim.settle(await self.post.deliver(letter, claim.about_to_send))


@dataclass(frozen=True, slots=True)
class _Claim:
    """One letter in one dispatcher's hands. `attempts` is the fence: who claims it next has another number."""

    database: Database
    key: str
    attempts: int
    at: str

    async def about_to_send(self) -> bool:
        """Note that the letter is given away; False when it isn't ours any more."""
        values = {"state": LetterState.SENDING.value, "lease_until": plus(self.at, LEASE_SECONDS)}
        return await self.database.write(lambda connection: self._change(connection, values, LetterState.CLAIMED))

    async def without_address(self, customer: str) -> Outcome:
        reason = "the customer has no billing contact with an e-mail address"
        alert = Alert(ALERT_NO_ADDRESS, customer, f"{reason}; its letters are in the outbox")
        return await self._end(Outcome.REFUSED, {"state": LetterState.FAILED.value, "failure": reason}, alert)

    async def settle(self, done: Delivered) -> Outcome:
        """Keep what became of it."""
        failure = {"failure": done.reason}
        match done.outcome:
            case Outcome.SENT:
                return await self._sent()
            case Outcome.REFUSED:
                text = f"the letter was not sent: {done.reason}; put it right and send it again, or mark it as sent"
                alert = Alert(ALERT_FAILED, self.key, text)
                return await self._end(done.outcome, {"state": LetterState.FAILED.value, **failure}, alert)
            case Outcome.UNSURE:
                return await self._end(done.outcome, {"state": LetterState.UNSURE.value, **failure}, _unsure(self.key))
            case Outcome.LATER:
                pause = min(_FIRST_PAUSE * 2 ** min(self.attempts - 1, 10), _LONGEST_PAUSE)
                return await self._end(done.outcome, self._waiting(pause) | failure)
            case Outcome.CLOSED:
                alert = Alert(ALERT_CLOSED, "smtp", f"the mail server takes no letters: {done.reason}")
                return await self._end(done.outcome, self._waiting(_CLOSED_PAUSE) | failure, alert)
            case Outcome.LOST:
                return done.outcome

    async def _sent(self) -> Outcome:
        values = {"state": LetterState.SENT.value, "dispatched_at": self.at, "lease_until": "", "failure": ""}

        def work(connection: Connection) -> None:
            # whatever somebody made of it meanwhile: it has left
            if self._change(connection, values, *LetterState):
                settle(connection, ALERT_UNSURE, self.key, _ENGINE, self.at)
                settle(connection, ALERT_CLOSED, "smtp", _ENGINE, self.at)

        await self.database.write(work)
        return Outcome.SENT

    async def _end(self, outcome: Outcome, values: dict[str, str], alert: Alert | None = None) -> Outcome:
        def work(connection: Connection) -> bool:
            mine = self._change(connection, {"lease_until": ""} | values, LetterState.CLAIMED, LetterState.SENDING)
            return mine and alert is not None and ring(connection, alert, self.at)

        if await self.database.write(work) and alert is not None:
            tell_log(alert)
        return outcome

    def _waiting(self, pause: int) -> dict[str, str]:
        return {"state": LetterState.WAITING.value, "lease_until": plus(self.at, pause)}

    def _change(self, connection: Connection, values: dict[str, str], *states: LetterState) -> bool:
        in_one_of = LETTERS.c.state.in_([state.value for state in states])
        mine = (LETTERS.c.effect_key == self.key, LETTERS.c.attempts == self.attempts, in_one_of)
        changed = connection.execute(update(LETTERS).where(*mine).values(values).returning(LETTERS.c.effect_key))
        return changed.first() is not None


def message_id(effect_key: str, domain: str) -> str:
    """The Message-ID of a letter: the same for one effect key, for ever, and nothing can be read off it."""
    return f"<letter.{hashlib.sha256(effect_key.encode()).hexdigest()[:40]}@{domain}>"


def _claim(connection: Connection, domain: str, at: str) -> RowMapping | None:
    ready = (LETTERS.c.state == LetterState.WAITING.value, LETTERS.c.lease_until <= at)
    oldest = select(LETTERS).where(*ready).order_by(LETTERS.c.queued_at, LETTERS.c.effect_key).limit(1)
    row = connection.execute(oldest.with_for_update(skip_locked=True)).mappings().one_or_none()
    if row is None:
        return None
    values = {
        "state": LetterState.CLAIMED.value,
        "attempts": row["attempts"] + 1,
        "lease_until": plus(at, LEASE_SECONDS),
        "message_id": row["message_id"] or message_id(row["effect_key"], domain),
    }
    one = LETTERS.c.effect_key == row["effect_key"]
    return connection.execute(update(LETTERS).where(one).values(values).returning(LETTERS)).mappings().one()


def _tidy(connection: Connection, now: str) -> list[Alert]:
    """Put right what others left behind. Answers the alerts that are new."""
    waits = LETTERS.c.state == LetterState.WAITING.value
    of_a_test = exists().where(_DEALS.c.id == LETTERS.c.deal_id, _DEALS.c.is_test)
    connection.execute(update(LETTERS).where(waits, of_a_test).values(state=LetterState.KEPT.value))
    over = LETTERS.c.lease_until < now
    claimed = LETTERS.c.state == LetterState.CLAIMED.value
    connection.execute(update(LETTERS).where(claimed, over).values(state=LetterState.WAITING.value, lease_until=""))
    abandoned = update(LETTERS).where(LETTERS.c.state == LetterState.SENDING.value, over)
    reason = "whoever sent it ended before the mail server's answer was kept"
    keys = connection.execute(
        abandoned.values(state=LetterState.UNSURE.value, lease_until="", failure=reason).returning(LETTERS.c.effect_key)
    ).scalars()
    alerts = [_unsure(key) for key in sorted(keys)]
    old = update(LETTERS).where(waits, LETTERS.c.queued_at < plus(now, -STALE_SECONDS))
    reason = f"it waited longer than {STALE_SECONDS // DAY} days"
    stale = old.values(state=LetterState.FAILED.value, failure=reason).returning(LETTERS.c.effect_key)
    if number := len(connection.execute(stale).all()):
        text = f"{number} letters waited longer than {STALE_SECONDS // DAY} days and were not sent; decide on each"
        alerts.append(Alert(ALERT_STALE, "outbox", text))
    return [alert for alert in alerts if ring(connection, alert, now)]


def _unsure(key: str) -> Alert:
    text = (
        "nobody knows whether the mail server has taken over this letter; ask there, then mark it sent or send it again"
    )
    return Alert(ALERT_UNSURE, key, text)


def _count_waiting(connection: Connection) -> int:
    pending = (LetterState.WAITING.value, LetterState.CLAIMED.value)
    return connection.execute(select(func.count()).where(LETTERS.c.state.in_(pending))).scalar_one()


def _letter(folder: Path, row: RowMapping, to: str, at: str) -> OutgoingLetter:
    """The letter from its files. Raises PaperChanged unless they are the very ones that were written."""
    first = _file(folder, row["name"], row["digest"])
    if row["name"].endswith(".txt"):  # written before there were PDFs
        text, pdf = first.decode(), b""
    else:
        text, pdf = _file(folder, f"{row['name'].removesuffix('.pdf')}.txt", row["text_digest"]).decode(), first
    subject = row["subject"] or text.split("\n\n")[1]
    return OutgoingLetter(row["message_id"], to, subject, row["language"], text, row["name"], pdf, at)


def _file(folder: Path, name: str, digest: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise PaperChanged(f"{name} can't be read") from None
    if digest_of(content) != digest:
        raise PaperChanged(f"{name} is not the file that was written")
    return content
