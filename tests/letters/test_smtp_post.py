"""Letters over SMTP against a real server: what arrives, what each kind of refusal means, and who is in doubt."""

import logging
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from infra.gateways.post import NullPost, SmtpPost, SmtpServer, is_address
from models.messages.post import Outcome, OutgoingLetter
from models.ports import Post
from tests.letters.mail_server import MailServer, Moment, certificate, mail_server

LETTER = OutgoingLetter(
    message_id="<letter.abc@nordwind.example>",
    to="buchhaltung@kunde.example",
    subject="Zweite Mahnung: Rechnung 2026-000123 — счёт",
    language="de",
    text="Sehr geehrte Damen und Herren,\n\n.\nfolgender Betrag: 1.234,56\u00a0€\n.. Привет\n" + "x" * 200 + "\n",
    name="D-1-second_dunning.pdf",
    pdf=b"%PDF-1.7\r\n.\r\n\x00\xff" * 500,
    at="2026-03-23T08:00:00Z",
)


def server_of(mails: MailServer, **more: object) -> SmtpServer:
    plain = SmtpServer("127.0.0.1", mails.port, "kunden@nordwind.example", "Nordwind Großhandel", tls="none", timeout=2)
    return replace(plain, **more)  # type: ignore[arg-type]


async def test_text_and_pdf_arrive_as_they_were():
    async with mail_server() as mails:
        done = await SmtpPost(server_of(mails)).deliver(LETTER, Moment())
    assert (done.outcome, done.reason) == (Outcome.SENT, "250")
    (mail,) = mails.mails
    assert mails.recipients == ["buchhaltung@kunde.example"]
    assert mail["Subject"] == LETTER.subject
    assert mail["Message-ID"] == LETTER.message_id
    assert mail["From"] == "Nordwind Großhandel <kunden@nordwind.example>"
    assert mail["Date"].datetime.isoformat() == "2026-03-23T08:00:00+00:00"
    assert (mail["Content-Language"], mail["Auto-Submitted"]) == ("de", "auto-generated")
    body = mail.get_body()
    assert isinstance(body, EmailMessage)
    assert body.get_content().replace("\r\n", "\n") == LETTER.text
    (attached,) = mail.iter_attachments()
    assert isinstance(attached, EmailMessage)
    assert (attached.get_content_type(), attached.get_filename()) == ("application/pdf", LETTER.name)
    assert attached.get_content() == LETTER.pdf
    assert set(mails.greeted) == {"nordwind.example"}, "no name of this machine leaves it"


async def test_a_letter_of_text_alone_has_no_attachment():
    async with mail_server() as mails:
        await SmtpPost(server_of(mails)).deliver(replace(LETTER, pdf=b""), Moment())
    assert list(mails.mails[0].iter_attachments()) == []


@pytest.mark.parametrize(
    ("recipient", "content", "outcome", "given_away"),
    [
        ("550 5.1.1 no such user", "250 OK", Outcome.REFUSED, 0),
        ("451 4.7.1 greylisted", "250 OK", Outcome.LATER, 0),
        ("421 4.3.2 shutting down", "250 OK", Outcome.CLOSED, 0),
        ("hang up", "250 OK", Outcome.CLOSED, 0),
        ("250 OK", "554 5.7.1 looks like spam", Outcome.REFUSED, 1),
        ("250 OK", "452 4.3.1 disk full", Outcome.LATER, 1),
        ("250 OK", "421 4.3.2 shutting down", Outcome.LATER, 1),
        ("250 OK", "552 5.3.4 too large", Outcome.REFUSED, 1),
        ("250 OK", "hang up", Outcome.UNSURE, 1),
    ],
)
async def test_what_a_servers_no_means(recipient, content, outcome, given_away):
    moment = Moment()
    async with mail_server() as mails:
        mails.recipient, mails.content = [recipient], [content]
        done = await SmtpPost(server_of(mails)).deliver(LETTER, moment)
    assert done.outcome == outcome
    assert moment.asked == given_away
    assert done.reason


async def test_a_server_that_does_not_answer_in_time_leaves_us_unsure():
    async with mail_server() as mails:
        mails.slow = 2.5
        done = await SmtpPost(server_of(mails, timeout=0.3)).deliver(LETTER, Moment())
    assert done.outcome == Outcome.UNSURE


async def test_a_server_that_is_slow_but_answers_has_the_letter():
    async with mail_server() as mails:
        mails.slow = 0.5
        done = await SmtpPost(server_of(mails)).deliver(LETTER, Moment())
    assert done.outcome == Outcome.SENT


async def test_nothing_is_sent_when_the_letter_is_somebody_elses_by_now():
    async with mail_server() as mails:
        done = await SmtpPost(server_of(mails)).deliver(LETTER, Moment(mine=False))
    assert done.outcome == Outcome.LOST
    assert mails.mails == []


async def test_a_server_that_is_not_there_is_closed():
    async with mail_server() as mails:
        gone = server_of(mails)
    moment = Moment()
    assert (await SmtpPost(gone).deliver(LETTER, moment)).outcome == Outcome.CLOSED
    assert moment.asked == 0


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_encrypted_and_signed_in(tls, tmp_path: Path):
    own, trusting = certificate(tmp_path)
    async with mail_server(own, implicit=tls == "tls", login=True) as mails:
        server = server_of(mails, host="localhost", tls=tls, user="us", password="right")
        assert (await SmtpPost(server, trusting).deliver(LETTER, Moment())).outcome == Outcome.SENT
        assert mails.logins == [b"right"]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(tls, tmp_path: Path):
    own, _ = certificate(tmp_path)
    async with mail_server(own, implicit=tls == "tls", login=True) as mails:
        server = server_of(mails, host="localhost", tls=tls, user="us", password="right")
        assert (await SmtpPost(server).deliver(LETTER, Moment())).outcome == Outcome.CLOSED
        assert mails.logins == []


async def test_a_server_without_encryption_gets_neither_password_nor_letter():
    async with mail_server(login=True) as mails:
        server = server_of(mails, tls="starttls", user="us", password="right")
        assert (await SmtpPost(server).deliver(LETTER, Moment())).outcome == Outcome.CLOSED
        assert (mails.logins, mails.mails) == ([], [])
        assert mails.greeted == ["nordwind.example"], "it was there"


async def test_a_wrong_password_is_our_trouble_and_not_the_letters(tmp_path: Path):
    own, trusting = certificate(tmp_path)
    async with mail_server(own, login=True) as mails:
        server = server_of(mails, host="localhost", tls="starttls", user="us", password="wrong-secret")
        done = await SmtpPost(server, trusting).deliver(LETTER, Moment())
    assert done.outcome == Outcome.CLOSED
    assert "535" in done.reason
    assert "wrong-secret" not in done.reason


async def test_neither_secret_nor_address_is_told(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with mail_server() as mails:
        mails.recipient = ["550 5.1.1 <buchhaltung@kunde.example>: no such user"]
        server = server_of(mails, user="", password="")
        done = await SmtpPost(server).deliver(LETTER, Moment())
    assert done.reason == "550 5.1.1 (address) no such user"
    told = repr(replace(server, user="us", password="hush")) + repr(LETTER)
    assert "hush" not in told
    assert "kunde.example" not in told


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@c",
        "a b@c.example",
        "a@c.example\r\nBcc: x@y.example",
        "ä@c.example",
        "<a@c.example>",
        "a@c..d",
    ],
)
async def test_what_is_no_address_is_refused_before_anybody_is_asked(address):
    assert not is_address(address)
    post = SmtpPost(SmtpServer("127.0.0.1", 1, "kunden@nordwind.example", tls="none"))
    assert (await post.deliver(replace(LETTER, to=address), Moment())).outcome == Outcome.REFUSED


def test_a_sender_that_is_no_address_is_refused_at_once():
    with pytest.raises(ValueError, match="no e-mail address"):
        SmtpPost(SmtpServer("127.0.0.1", 1, "nobody"))


async def test_the_null_post_carries_nothing():
    post: Post = NullPost()
    assert (await post.deliver(LETTER, Moment())).outcome == Outcome.SENT
    assert (await post.deliver(LETTER, Moment(mine=False))).outcome == Outcome.LOST
