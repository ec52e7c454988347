"""How the settings make letters: whose letterhead they have, and by which mail server they leave."""

from functools import partial

from infra.db import Database
from infra.gateways.billing_address import billing_address
from infra.gateways.dispatch import Dispatcher
from infra.gateways.letter_pdf import Letterhead
from infra.gateways.post import SmtpPost, SmtpServer
from infra.settings import Settings


def letterhead_of(settings: Settings) -> Letterhead:
    """The letterhead; lines are parted by bars."""
    company, *address = _lines(settings.letter_sender) or [""]
    return Letterhead(company, tuple(address), tuple(_lines(settings.letter_footer)))


def smtp_server_of(settings: Settings) -> SmtpServer | None:
    """The mail server; None when there is none, so that letters wait in the outbox."""
    if settings.smtp_host is None:
        return None
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        sender_name=letterhead_of(settings).company,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
        timeout=settings.smtp_timeout,
    )


def dispatcher_of(settings: Settings, database: Database) -> Dispatcher | None:
    """The dispatcher of this installation; None without a mail server."""
    server = smtp_server_of(settings)
    if server is None:
        return None
    address_of = partial(billing_address, keys=settings.keys_dir)
    return Dispatcher(database, settings.outbox_dir, SmtpPost(server), server.domain, address_of)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("|") if line.strip()]
