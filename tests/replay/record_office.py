"""Records the histories of the office's workflows: `python -m tests.replay.record_office`.

The same rule as for deals: run it when behaviour was released in a new way, never to make a failing replay pass.
"""

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path

from temporalio.api.history.v1 import History

from infra.db import Database, open_database
from infra.desk.clocks import wall_clock
from infra.gateways.mailer import OutboxMailer
from infra.migrate import upgrade
from models.messages.evidence import CHECKPOINT, DELIVERY
from models.messages.post import POST_OFFICE
from models.messages.receivables import LetterInput
from models.messages.reconciliation import DEADLINES, MONTHLY, Reconcile
from tests.engine import Engine, running_engine, running_server
from tests.infra.test_reconciliations import owing
from tests.journeys import furnish
from tests.letters.mail_server import mail_server
from tests.letters.samples import OWED

FOLDER = Path(__file__).parent / "office_histories"
ALL = {POST_OFFICE: (), MONTHLY: (Reconcile("2026-03"),), DEADLINES: (), CHECKPOINT: (), DELIVERY: ()}
"""The office's workflows, with what each is asked."""


async def prepare(engine: Engine, database: Database) -> None:
    """More customers than one batch takes, and more letters."""
    await furnish(database)
    await owing(database, *(f"c-{number:03d}" for number in range(60)))
    mailer = OutboxMailer(database, engine.settings.outbox_dir)
    for number in range(13):
        await mailer.send_letter(LetterInput(f"k{number}", "D-1", "c-1", "second_dunning", OWED, wall_clock()))


async def record() -> None:
    """Play them on a fresh system and keep their histories."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = f"sqlite+aiosqlite:///{folder / 'dealwright.db'}"
        upgrade(url)
        database = open_database(url)
        async with running_server(folder / "temporal") as server, mail_server() as mails:
            smtp = {"smtp_host": "127.0.0.1", "smtp_port": mails.port, "smtp_tls": "none", "smtp_from": "us@n.example"}
            async with running_engine(server, database, folder, **smtp) as engine:  # type: ignore[arg-type]
                await prepare(engine, database)
                for name, asked in ALL.items():
                    await keep(engine, name, list(asked))
        await database.close()


async def keep(engine: Engine, name: str, asked: list[object]) -> None:
    """Run a workflow to its end, and write its history."""
    handle = await engine.client.start_workflow(name, args=asked, id=name, task_queue=engine.settings.task_queue)
    await handle.result()
    history = await handle.fetch_history()
    # no time stamp in the file: the same history gives the same bytes
    plain = gzip.compress(History(events=history.events).SerializeToString(), mtime=0)
    (FOLDER / f"{name}.pb.gz").write_bytes(plain)
    sys.stdout.write(f"{name}: {len(history.events)} events\n")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(record())
