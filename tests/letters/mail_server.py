"""A real mail server on loopback (aiosmtpd), which misbehaves as a test asks: it refuses, defers, hangs or hangs up."""

import asyncio
import email
import email.policy
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class MailServer:
    """What it has taken over in `mails`; `recipient` and `content` are what it answers, in order, the last for ever.
    `received` counts contents, also of mails that it has not taken over."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    recipient: list[str] = field(default_factory=lambda: ["250 OK"])
    content: list[str] = field(default_factory=lambda: ["250 taken over"])
    slow: float = 0.0
    received: int = 0
    holds_one: asyncio.Event = field(default_factory=asyncio.Event)
    logins: list[bytes] = field(default_factory=list)
    greeted: list[str] = field(default_factory=list)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greeted.append(hostname)
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._next(self.recipient)
        if answer == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received += 1
        self.holds_one.set()
        await asyncio.sleep(self.slow)
        answer = self._next(self.content)
        if answer.startswith("250") or answer == "hang up":
            # the mail is ours, whether or not the sender gets to know
            content = envelope.original_content or b""
            mail = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients += envelope.rcpt_tos
        if answer == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        password = getattr(data, "password", b"")
        self.logins.append(password)
        return AuthResult(success=password == b"right", handled=False)

    @staticmethod
    def _next(answers: list[str]) -> str:
        return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext | None = None, implicit: bool = False, login: bool = False
) -> AsyncIterator[MailServer]:
    """A server that listens until the block ends; `login` asks for the password `right`."""
    behaviour = MailServer()
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of passwords in clear, which a test is about
            return made()

    def made() -> SMTP:
        return SMTP(
            behaviour,
            hostname="mail.test",
            loop=loop,
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            auth_required=login,
            auth_require_tls=tls is not None and not implicit,
            authenticator=behaviour.authenticate if login else None,
        )

    listening = await loop.create_server(session, "127.0.0.1", 0, ssl=tls if implicit else None)
    behaviour.port = listening.sockets[0].getsockname()[1]
    try:
        yield behaviour
    finally:
        listening.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=str(folder / "cert.pem"))


class Moment:
    """`about_to_send` as a test sees it: how often it was asked, and what it answers."""

    def __init__(self, mine: bool = True) -> None:
        self.asked = 0
        self._mine = mine

    async def __call__(self) -> bool:
        self.asked += 1
        return self._mine
