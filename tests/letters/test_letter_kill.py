"""One letter, ever: a dispatcher is killed (SIGKILL) while the mail server holds its letter and has not answered."""

import asyncio
import sys
from pathlib import Path

from infra.gateways.dispatch import Dispatcher
from infra.gateways.post import SmtpPost
from models.messages.post import Dispatched
from tests.letters.mail_server import mail_server
from tests.letters.test_letter_dispatch import (
    AFTER_THE_LEASE,
    DOMAIN,
    LATER,
    alerts,
    customer,
    folder,
    row_of,
    written,
)
from tests.letters.test_smtp_post import server_of

__all__ = ["customer", "folder"]
ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import asyncio, sys
from pathlib import Path
from infra.db import open_database
from infra.gateways.dispatch import Dispatcher
from infra.gateways.post import SmtpPost, SmtpServer

url, folder, port, now = sys.argv[1:]
server = SmtpServer("127.0.0.1", int(port), "kunden@nordwind.example", tls="none")
asyncio.run(Dispatcher(open_database(url), Path(folder), SmtpPost(server), "nordwind.example").run_once(now))
"""


async def test_who_is_killed_while_sending_leaves_one_letter_and_a_question(customer, database, database_url, folder):
    await written(database, folder)
    async with mail_server() as mails:
        mails.slow = 1.0
        arguments = (database_url, str(folder), str(mails.port), LATER)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, *arguments, cwd=ROOT)
        async with asyncio.timeout(30):
            await mails.holds_one.wait()
        assert (await row_of(database)).state == "sending", "noted before the letter was given away"
        process.kill()
        await process.wait()
        await asyncio.sleep(1.2)
        mails.slow = 0.0
        others = [Dispatcher(database, folder, SmtpPost(server_of(mails)), DOMAIN) for _ in range(3)]
        assert await others[0].run_once(LATER) == Dispatched()
        done = await asyncio.gather(*(one.run_once(AFTER_THE_LEASE) for one in others))
        assert sum(one.unsure for one in done) == 1
        assert mails.received == 1
    assert (await row_of(database)).state == "unsure"
    assert await alerts(database) == [("letter_unsure", "k1")]
