"""The port Post: letters over SMTP, with the answers of mail servers sorted by what they mean for a letter."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as CRLF
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from models.instants import parse
from models.messages.post import Delivered, Outcome, OutgoingLetter

DEADLINE_SECONDS = 240.0
"""The longest that one letter is on its way, whatever the server does; well within a dispatcher's lease."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_SOMEBODY = re.compile(r"\S+@\S+")
_TOO_LARGE = 552
_SHUTTING_DOWN = 421

AboutToSend = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and as whom letters are handed in. `timeout` is in seconds, for each answer of the server."""

    host: str
    port: int
    sender: str
    sender_name: str = ""
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0

    @property
    def domain(self) -> str:
        """The domain of our address, as which we introduce ourselves and in which Message-IDs are unique."""
        return self.sender.rpartition("@")[2]


class SmtpPost:
    """Hands letters to a mail server: one connection each, a text with the PDF attached."""

    def __init__(self, server: SmtpServer, trusted: ssl.SSLContext | None = None) -> None:
        """`trusted` takes the place of the system's certificates. Raises ValueError for a sender that is no address."""
        if not is_address(server.sender):
            raise ValueError("the sender is no e-mail address")
        self._server = server
        self._trusted = trusted

    async def deliver(self, letter: OutgoingLetter, about_to_send: AboutToSend) -> Delivered:
        """Hand the letter in. Never raises for what a server does; `reason` holds its words without addresses."""
        if not is_address(letter.to):
            return Delivered(Outcome.REFUSED, "the address of the customer's billing contact is none")
        client = self._client()
        # closed until the letter is given away; from then on nobody knows, unless the server says so
        in_doubt = Outcome.CLOSED

        async def given_away() -> bool:
            nonlocal in_doubt
            mine = await about_to_send()
            in_doubt = Outcome.UNSURE if mine else Outcome.LOST
            return mine

        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await client.connect()
                return await self._hand_in(client, letter, given_away)
        except aiosmtplib.SMTPResponseException as answer:
            return Delivered(_meaning(answer, in_doubt), _words(answer))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as problem:
            return Delivered(in_doubt, _words(problem))
        finally:
            client.close()

    async def _hand_in(self, client: aiosmtplib.SMTP, letter: OutgoingLetter, given_away: AboutToSend) -> Delivered:
        message = compose(letter, self._server)
        await client.mail(self._server.sender)
        await client.rcpt(letter.to)
        if not await given_away():
            return Delivered(Outcome.LOST, "another dispatcher has the letter")
        answer = await client.data(message)
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=2)
        return Delivered(Outcome.SENT, f"{answer.code}")

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=server.domain,
            timeout=server.timeout,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._trusted if server.tls != "none" else None,
        )


class NullPost:
    """Carries nothing and says that it has."""

    async def deliver(self, letter: OutgoingLetter, about_to_send: AboutToSend) -> Delivered:
        return Delivered(Outcome.SENT if await about_to_send() else Outcome.LOST)


def is_address(text: str) -> bool:
    """Whether a text is an address that every mail server understands, and nothing but one."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None and ".." not in text


def compose(letter: OutgoingLetter, server: SmtpServer) -> bytes:
    """The message as it goes over the wire: seven bits a byte, a text and the PDF."""
    message = EmailMessage(policy=CRLF.clone(cte_type="7bit"))
    message["From"] = Address(server.sender_name, addr_spec=server.sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(parse(letter.at))
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.pdf:
        message.add_attachment(letter.pdf, maintype="application", subtype="pdf", filename=letter.name)
    message["Content-Language"] = letter.language  # after the parts, which would take it over
    return bytes(message)


def _meaning(answer: aiosmtplib.SMTPResponseException, in_doubt: Outcome) -> Outcome:
    """What a server's no means. Before it knows the recipient it speaks of us, afterwards of this letter."""
    if answer.code == _SHUTTING_DOWN:
        return in_doubt if in_doubt is Outcome.CLOSED else Outcome.LATER
    if isinstance(answer, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError) or answer.code == _TOO_LARGE:
        return {4: Outcome.LATER, 5: Outcome.REFUSED}.get(answer.code // 100, in_doubt)
    return in_doubt


def _words(problem: Exception) -> str:
    """The server's own words, in one line and without addresses; the kind of the trouble when it said none."""
    if isinstance(problem, aiosmtplib.SMTPResponseException) and problem.code > 0:
        said = f"{problem.code} {problem.message}"
    else:
        said = f"{type(problem).__name__} {problem}".strip()
    return _SOMEBODY.sub("(address)", " ".join(said.split()))[:300]
