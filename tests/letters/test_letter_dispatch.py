"""The dispatcher: order, leases, faults of the mail server, and what a crash at any moment leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from infra.db import Database, table_of
from infra.gateways.billing_address import billing_address
from infra.gateways.dispatch import LEASE_SECONDS, STALE_SECONDS, Dispatcher, message_id
from infra.gateways.letter_states import LETTERS, LetterNotOpen, LetterNotThere, Letters, LetterState
from infra.gateways.mailer import OutboxMailer
from infra.gateways.post import SmtpPost
from infra.stores.alerts import AlertStore
from models.instants import plus
from models.messages.post import Delivered, Dispatched, Outcome, OutgoingLetter
from models.messages.receivables import LetterInput
from models.tables.masters import ContactRow, CustomerRow
from models.tables.projection import DealRow
from tests.letters.mail_server import MailServer, mail_server
from tests.letters.samples import AT, OWED
from tests.letters.test_smtp_post import server_of

LATER = plus(AT, 60)
AFTER_THE_LEASE = plus(AT, LEASE_SECONDS + 120)
DOMAIN = "nordwind.example"


class PowerCut(BaseException):
    """The process is gone: nothing behind this line is run."""


@dataclass
class FakePost:
    """Answers as it is told, in order, the last for ever; keeps what it was given."""

    outcomes: list[Outcome] = field(default_factory=lambda: [Outcome.SENT])
    given: list[OutgoingLetter] = field(default_factory=list)
    cut: str = ""

    async def deliver(self, letter: OutgoingLetter, about_to_send: Callable[[], Awaitable[bool]]) -> Delivered:
        if self.cut == "before":
            raise PowerCut
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome not in (Outcome.CLOSED, Outcome.REFUSED):
            if not await about_to_send():
                return Delivered(Outcome.LOST)
            self.given.append(letter)
        if self.cut == "after":
            raise PowerCut
        return Delivered(outcome, "" if outcome is Outcome.SENT else "the server's words")


@pytest_asyncio.fixture
async def customer(database: Database) -> str:
    card = {"id": "C1", "name": "Kunde", "group_id": "G1", "currency": "EUR", "language": "de"}
    contact = {"id": "P1", "customer_id": "C1", "name": "A", "role": "Billing", "email": "buchhaltung@kunde.example"}
    async with database.begin() as connection:
        await connection.execute(insert(CustomerRow), {**card, "created_at": AT, "updated_at": AT})
        await connection.execute(insert(ContactRow), contact)
    return "C1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


def dunning(key: str = "k1", deal: str = "D1", customer: str = "C1", at: str = AT) -> LetterInput:
    return LetterInput(key, deal, customer, "second_dunning", OWED, at)


async def written(database: Database, folder: Path, *keys: str) -> None:
    for key in keys or ("k1",):
        await OutboxMailer(database, folder).send_letter(dunning(key))


async def row_of(database: Database, key: str = "k1") -> Any:
    query = select(LETTERS).where(LETTERS.c.effect_key == key)
    return await database.look(lambda connection: connection.execute(query).one())


async def alerts(database: Database) -> list[tuple[str, str]]:
    return [(row["kind"], row["subject"]) for row in (await AlertStore(database).page(open_only=True)).rows]


async def test_a_letter_waits_until_a_dispatcher_comes_and_is_sent_once(customer, database, folder, mails):
    await written(database, folder)
    dispatcher = Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched(sent=1)
    assert await dispatcher.run_once(LATER) == Dispatched()
    (mail,) = mails.mails
    row = await row_of(database)
    assert (row.state, row.dispatched_at, row.attempts, row.failure) == ("sent", LATER, 1, "")
    assert mail["Message-ID"] == row.message_id == message_id("k1", DOMAIN)
    assert mail["Subject"] == row.subject == "Zweite Mahnung: Rechnung 2026-000123"
    assert mails.recipients == ["buchhaltung@kunde.example"]
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == (folder / row.name).read_bytes()


async def test_the_oldest_first_and_no_more_than_asked_for(customer, database, folder):
    post = FakePost()
    mailer = OutboxMailer(database, folder)
    for key, hours in (("b", 2), ("a", 2), ("c", 1)):
        await mailer.send_letter(dunning(key, at=plus(AT, hours * 60)))
    dispatcher = Dispatcher(database, folder, post, DOMAIN)
    assert await dispatcher.run_once(plus(AT, 300), limit=2) == Dispatched(sent=2, waiting=1)
    assert [letter.message_id for letter in post.given] == [message_id(key, DOMAIN) for key in ("c", "a")]


async def test_many_dispatchers_send_every_letter_once(customer, database, folder, mails):
    keys = [f"k{n}" for n in range(24)]
    await written(database, folder, *keys)
    several = [Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN) for _ in range(6)]
    done = await asyncio.gather(*(one.run_once(LATER) for one in several))
    assert sum(one.sent for one in done) == 24
    assert sorted(mail["Message-ID"] for mail in mails.mails) == sorted(message_id(key, DOMAIN) for key in keys)


async def test_a_crash_before_it_is_given_away_costs_nothing(customer, database, folder):
    await written(database, folder)
    with pytest.raises(PowerCut):
        await Dispatcher(database, folder, FakePost(cut="before"), DOMAIN).run_once(LATER)
    assert (await row_of(database)).state == "claimed"
    post = FakePost()
    again = Dispatcher(database, folder, post, DOMAIN)
    assert await again.run_once(LATER) == Dispatched(waiting=1), "somebody may still have it"
    assert await again.run_once(AFTER_THE_LEASE) == Dispatched(sent=1)
    assert len(post.given) == 1
    assert await alerts(database) == []


async def test_a_crash_after_it_was_given_away_is_a_persons_to_decide(customer, database, folder):
    await written(database, folder)
    with pytest.raises(PowerCut):
        await Dispatcher(database, folder, FakePost(cut="after"), DOMAIN).run_once(LATER)
    assert (await row_of(database)).state == "sending"
    post = FakePost()
    again = Dispatcher(database, folder, post, DOMAIN)
    assert await again.run_once(LATER) == Dispatched()
    assert await again.run_once(AFTER_THE_LEASE) == Dispatched(unsure=1)
    assert await again.run_once(plus(AFTER_THE_LEASE, 86_400)) == Dispatched()
    assert post.given == [], "nobody sends it a second time by himself"
    assert await alerts(database) == [("letter_unsure", "k1")]


async def test_an_unsure_letter_is_sent_again_under_its_old_id_when_a_person_says_so(customer, database, folder):
    await written(database, folder)
    first, second = FakePost([Outcome.UNSURE]), FakePost()
    assert await Dispatcher(database, folder, first, DOMAIN).run_once(LATER) == Dispatched(unsure=1)
    await Letters(database).resend("k1", "anna", AFTER_THE_LEASE)
    assert await alerts(database) == []
    assert await Dispatcher(database, folder, second, "moved.example").run_once(AFTER_THE_LEASE) == Dispatched(sent=1)
    assert second.given[0].message_id == first.given[0].message_id


async def test_an_unsure_letter_is_marked_as_sent_and_stays_so(customer, database, folder):
    await written(database, folder)
    await Dispatcher(database, folder, FakePost([Outcome.UNSURE]), DOMAIN).run_once(LATER)
    letters = Letters(database)
    await letters.mark_sent("k1", "anna", AFTER_THE_LEASE)
    row = await row_of(database)
    assert (row.state, row.dispatched_at, row.failure) == ("sent", AFTER_THE_LEASE, "marked by anna")
    assert await alerts(database) == []
    with pytest.raises(LetterNotOpen):
        await letters.resend("k1", "anna", AFTER_THE_LEASE)
    with pytest.raises(LetterNotThere):
        await letters.mark_sent("k9", "anna", AFTER_THE_LEASE)
    assert await letters.counts() == {"sent": 1}


async def test_who_was_asleep_for_longer_than_his_lease_sends_nothing(customer, database, folder):
    await written(database, folder)
    slow_post = FakePost()

    class Sleeper(FakePost):
        async def deliver(self, letter: OutgoingLetter, about_to_send: Callable[[], Awaitable[bool]]) -> Delivered:
            quick = Dispatcher(database, folder, slow_post, DOMAIN)
            assert await quick.run_once(AFTER_THE_LEASE) == Dispatched(sent=1)
            return await super().deliver(letter, about_to_send)

    sleeper = Sleeper()
    assert await Dispatcher(database, folder, sleeper, DOMAIN).run_once(LATER) == Dispatched()
    assert (len(slow_post.given), sleeper.given) == (1, [])


async def test_an_answer_that_comes_after_the_lease_still_counts(customer, database, folder):
    await written(database, folder)

    class Late(FakePost):
        async def deliver(self, letter: OutgoingLetter, about_to_send: Callable[[], Awaitable[bool]]) -> Delivered:
            assert await about_to_send()
            other = Dispatcher(database, folder, FakePost(), DOMAIN)
            assert await other.run_once(AFTER_THE_LEASE) == Dispatched(unsure=1)
            return Delivered(Outcome.SENT)

    assert (await Dispatcher(database, folder, Late(), DOMAIN).run_once(LATER)).sent == 1
    assert (await row_of(database)).state == "sent"
    assert await alerts(database) == [], "the alert is settled with its cause"


async def test_a_refused_letter_rings_and_is_sent_when_it_is_put_right(customer, database, folder, mails):
    await written(database, folder)
    mails.recipient = ["550 5.1.1 <buchhaltung@kunde.example> no such user", "250 OK"]
    dispatcher = Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched(failed=1)
    row = await row_of(database)
    assert (row.state, row.failure) == ("failed", "550 5.1.1 (address) no such user")
    assert await alerts(database) == [("letter_failed", "k1")]
    assert await dispatcher.run_once(AFTER_THE_LEASE) == Dispatched()
    await Letters(database).resend("k1", "anna", AFTER_THE_LEASE)
    assert await dispatcher.run_once(AFTER_THE_LEASE) == Dispatched(sent=1)
    assert await alerts(database) == []


async def test_what_is_put_off_is_tried_again_later_and_later(customer, database, folder, mails):
    await written(database, folder)
    mails.recipient = ["451 4.7.1 greylisted", "451 4.7.1 greylisted", "250 OK"]
    dispatcher = Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched(waiting=1)
    assert await dispatcher.run_once(plus(LATER, 290)) == Dispatched(waiting=1)
    assert (await row_of(database)).attempts == 1
    assert await dispatcher.run_once(plus(LATER, 301)) == Dispatched(waiting=1)
    row = await row_of(database)
    assert (row.attempts, row.state, row.failure) == (2, "waiting", "451 4.7.1 greylisted")
    assert await dispatcher.run_once(plus(LATER, 301 + 500)) == Dispatched(waiting=1)
    assert await dispatcher.run_once(plus(LATER, 301 + 602)) == Dispatched(sent=1)
    assert len(mails.mails) == 1
    assert await alerts(database) == []


async def test_a_connection_that_is_cut_after_the_letter_was_given_leaves_one_letter(customer, database, folder, mails):
    await written(database, folder)
    mails.content = ["hang up", "250 OK"]
    dispatcher = Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched(unsure=1)
    for days in (1, 3, 9):
        assert await dispatcher.run_once(plus(LATER, days * 86_400)) == Dispatched()
    assert len(mails.mails) == 1, "it had arrived"
    assert await alerts(database) == [("letter_unsure", "k1")]


async def test_a_closed_server_is_asked_once_and_rings_once(customer, database, folder):
    await written(database, folder, "k1", "k2", "k3")
    post = FakePost([Outcome.CLOSED, Outcome.CLOSED, Outcome.SENT])
    dispatcher = Dispatcher(database, folder, post, DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched(waiting=3)
    assert await dispatcher.run_once(LATER) == Dispatched(waiting=3)
    assert await alerts(database) == [("post_closed", "smtp")]
    assert await dispatcher.run_once(plus(LATER, 120)) == Dispatched(sent=3)
    assert await alerts(database) == [], "it is open again"


async def test_a_letter_that_waited_too_long_is_not_sent_by_itself(customer, database, folder):
    await written(database, folder, "k1", "k2")
    post = FakePost()
    dispatcher = Dispatcher(database, folder, post, DOMAIN)
    late = plus(AT, STALE_SECONDS + 1)
    assert await dispatcher.run_once(late) == Dispatched()
    assert {(await row_of(database, key)).state for key in ("k1", "k2")} == {"failed"}
    assert await alerts(database) == [("letters_stale", "outbox")]
    await Letters(database).resend("k1", "anna", late)
    assert await dispatcher.run_once(late) == Dispatched(sent=1)


async def test_letters_of_test_deals_never_leave(customer, database, folder):
    texts = {column.name: "" for column in table_of(DealRow).columns}
    deal = texts | {"version": 1, "value_minor": 0, "pending_effects": 0, "snapshot": {}, "id": "T1", "is_test": True}
    async with database.begin() as connection:
        await connection.execute(insert(DealRow), deal)
    await OutboxMailer(database, folder).send_letter(dunning("k1", deal="T1"))
    post = FakePost()
    dispatcher = Dispatcher(database, folder, post, DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched()
    assert (await row_of(database)).state == "kept"
    await Letters(database).resend("k1", "anna", LATER)
    assert await dispatcher.run_once(LATER) == Dispatched()
    assert post.given == []


async def test_a_customer_without_a_billing_contact_rings_once(customer, database, folder):
    mailer = OutboxMailer(database, folder)
    for key in ("k1", "k2"):
        await mailer.send_letter(dunning(key, customer="C2"))
    assert (await Dispatcher(database, folder, FakePost(), DOMAIN).run_once(LATER)).failed == 2
    assert await alerts(database) == [("letter_no_address", "C2")]


@pytest.mark.parametrize("harm", ["gone", "changed", "text changed"])
async def test_only_the_very_files_that_were_written_are_sent(harm, customer, database, folder):
    await written(database, folder)
    path = folder / (await row_of(database)).name
    if harm == "gone":
        path.unlink()
    else:
        (path.with_suffix(".txt") if harm == "text changed" else path).write_bytes(b"pay me instead")
    post = FakePost()
    assert await Dispatcher(database, folder, post, DOMAIN).run_once(LATER) == Dispatched(failed=1)
    assert post.given == []
    assert await alerts(database) == [("letter_failed", "k1")]


async def test_letters_from_before_there_were_pdfs_are_kept_until_a_person_sends_them(customer, database, folder):
    await written(database, folder)
    row = await row_of(database)
    old = {"name": row.name.replace(".pdf", ".txt"), "digest": row.text_digest, "state": "kept"}
    async with database.begin() as connection:
        await connection.execute(update(LETTERS).values(**old, text_digest="", subject="", queued_at=""))
    post = FakePost()
    dispatcher = Dispatcher(database, folder, post, DOMAIN)
    assert await dispatcher.run_once(LATER) == Dispatched()
    await Letters(database).resend("k1", "anna", LATER)
    assert await dispatcher.run_once(LATER) == Dispatched(sent=1)
    assert (post.given[0].subject, post.given[0].pdf) == ("Zweite Mahnung: Rechnung 2026-000123", b"")


async def test_letters_are_listed_by_state(customer, database, folder):
    await written(database, folder, "k1", "k2", "k3")
    await Dispatcher(database, folder, FakePost([Outcome.REFUSED, Outcome.SENT]), DOMAIN).run_once(LATER)
    letters = Letters(database)
    assert [row["effect_key"] for row in (await letters.page(LetterState.SENT)).rows] == ["k2", "k3"]
    first = await letters.page(limit=2)
    rest = await letters.page(cursor=first.next_cursor)
    assert [row["effect_key"] for row in first.rows + rest.rows] == ["k1", "k2", "k3"]
    assert await letters.counts() == {"failed": 1, "sent": 2}


async def test_the_best_billing_contact_is_written_to_and_nobody_else(customer, database):
    people = [("P0", "buyer", "buyer@kunde.example"), ("P2", "accounting", "acc@kunde.example"), ("P3", "billing", "")]
    async with database.begin() as connection:
        for key, role, email in people:
            row = {"id": key, "customer_id": "C1", "name": "x", "role": role, "email": email}
            await connection.execute(insert(ContactRow), row)
    assert await billing_address(database, "C1") == "buchhaltung@kunde.example"
    assert await billing_address(database, "C2") == ""
