"""Letters in a terminal: listed, decided about, and sent by hand through a real mail server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from cli.exits import ExitCode
from infra.db import open_database
from infra.desk.clocks import wall_clock
from infra.gateways.mailer import OutboxMailer
from infra.settings import Settings, load_settings
from models.messages.receivables import LetterInput
from models.tables.masters import ContactRow
from tests.cli.command import Ran, dealwright, in_process
from tests.journeys import furnish
from tests.letters.mail_server import MailServer, mail_server
from tests.letters.samples import OWED


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with a letter to somebody who has an address, and one to somebody who has none."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=tmp_path)))
    return tmp_path


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    row = {"id": "P1", "customer_id": "c-1", "name": "A", "role": "billing", "email": "books@kunde.example"}
    await database.write(lambda connection: connection.execute(insert(ContactRow), row))
    mailer = OutboxMailer(database, settings.outbox_dir)
    for key, customer in (("k1", "c-1"), ("k2", "c-3")):
        await mailer.send_letter(LetterInput(key, "D1", customer, "second_dunning", OWED, wall_clock()))
    await database.close()


def states(data: Path) -> dict[str, str]:
    return {one["key"]: one["state"] for one in in_process("--data", data, "letters", "list", "-o", "json").json}


async def dispatched(data: Path, mails: MailServer, *more: Any) -> Ran:
    server = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mails.port), "SMTP_TLS": "none", "SMTP_FROM": "us@n.example"}
    settings: dict[str, Any] = {f"DEALWRIGHT_{name}": value for name, value in server.items()}
    return await asyncio.to_thread(dealwright, "--data", data, "letters", "dispatch", *more, **settings)


def test_without_a_mail_server_it_says_so(data: Path) -> None:
    told = in_process("--data", data, "letters", "dispatch")
    assert told.code == ExitCode.USAGE
    assert "no mail server is set" in told.err
    assert "DEALWRIGHT_SMTP_HOST" in told.err
    assert states(data) == {"k1": "waiting", "k2": "waiting"}


@pytest.mark.systems
def test_sent_by_hand(data: Path) -> None:
    async def work() -> None:
        async with mail_server() as mails:
            told = await dispatched(data, mails, "-o", "json")
            assert told.code == ExitCode.REFUSED, "one of them has nobody to be sent to"
            assert told.json == {"sent": 1, "failed": 1, "unsure": 0, "waiting": 0}
            assert mails.recipients == ["books@kunde.example"]
            again = await dispatched(data, mails)
            assert (again.code, again.out.strip()) == (0, "0 sent, 0 failed, 0 unsure, 0 waiting")

    asyncio.run(work())
    assert states(data) == {"k1": "sent", "k2": "failed"}
    shown = in_process("--data", data, "letters").out
    assert "k2" in shown
    assert "k1" not in shown


def test_decisions(data: Path) -> None:
    assert in_process("--data", data, "letters", "mark-sent", "k2").code == 0
    assert states(data) == {"k1": "waiting", "k2": "sent"}
    gone = in_process("--data", data, "letters", "resend", "k2")
    assert (gone.code, "the letter is sent" in gone.err) == (ExitCode.REFUSED, True)
    assert in_process("--data", data, "letters", "resend", "k9").code == ExitCode.NOT_FOUND
    assert in_process("--data", data, "letters", "list", "--state", "lost").code == ExitCode.USAGE
    assert in_process("--data", data, "user", "add", "lo", "Lo", "--role", "logistics_manager").code == 0
    assert in_process("--data", data, "letters", "--as", "lo").code == ExitCode.REFUSED
