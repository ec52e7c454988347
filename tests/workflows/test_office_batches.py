"""The office's workflows with more to do than one run takes, on the real engine with departments that count."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.db import Database
from infra.settings import Settings
from infra.temporal_server import EmbeddedServer
from infra.wiring import Ports, embedded_ports
from models.messages.post import POST_OFFICE, Dispatched
from models.messages.reconciliation import (
    DEADLINES,
    MONTHLY,
    DeadlinesInput,
    Reconcile,
    Reconciled,
    Reminded,
    StatementsInput,
    StatementsWritten,
)
from tests import engine as tests_engine
from tests.engine import Engine, running_engine
from workflows.post_office import BATCH, ROUNDS


class Office:
    """Sends as many letters as it is asked to, of which there are `letters`; writes one statement a customer."""

    def __init__(self, letters: int = 0, customers: int = 0) -> None:
        self.letters, self.customers, self.asked = letters, customers, list[Any]()

    async def run_once(self, now: str, limit: int = 100) -> Dispatched:
        self.asked.append(now)
        sent = min(limit, self.letters)
        self.letters -= sent
        return Dispatched(sent=sent, waiting=self.letters)

    async def write_statements(self, asked: StatementsInput) -> StatementsWritten:
        self.asked.append(asked)
        done = int(asked.after or 0) + asked.limit
        return StatementsWritten(min(asked.limit, self.customers), str(done) if done < self.customers else "")

    async def ring_unanswered(self, asked: DeadlinesInput) -> Reminded:
        return Reminded(3)


Staffed = Callable[[Office], Any]


@pytest.fixture
def staffed(server: EmbeddedServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Staffed:
    """A worker whose post office and reconciler are the given one."""

    @asynccontextmanager
    async def running(office: Office) -> AsyncIterator[Engine]:
        def ports(settings: Settings, opened: Database, client: Any) -> Ports:
            return replace(embedded_ports(settings, opened, client), post_office=office, reconciler=office)

        monkeypatch.setattr(tests_engine, "embedded_ports", ports)
        async with running_engine(server, database, tmp_path) as engine:
            yield engine

    return running


async def run(engine: Engine, name: str, kind: type[Any], *asked: Any) -> Any:
    queue = engine.settings.task_queue
    return await engine.client.execute_workflow(
        name, args=list(asked), id=f"{queue}-{name}", task_queue=queue, result_type=kind
    )


async def test_letters_go_in_batches_until_none_waits(staffed: Staffed) -> None:
    office = Office(letters=2 * BATCH + 1)
    async with staffed(office) as engine:
        assert await run(engine, POST_OFFICE, Dispatched) == Dispatched(sent=2 * BATCH + 1)
    assert len(office.asked) == 3
    assert office.asked == sorted(office.asked)


async def test_a_run_ends_and_leaves_the_rest_to_the_next(staffed: Staffed) -> None:
    office = Office(letters=BATCH * ROUNDS + 5)
    async with staffed(office) as engine:
        assert await run(engine, POST_OFFICE, Dispatched) == Dispatched(sent=BATCH * ROUNDS, waiting=5)


async def test_statements_go_on_in_new_runs(staffed: Staffed) -> None:
    office = Office(customers=170)
    async with staffed(office) as engine:
        done = await run(engine, MONTHLY, Reconciled, Reconcile("2026-03", batches_per_run=1))
        assert done == Reconciled("2026-03", 4 * 50)
        assert await run(engine, DEADLINES, Reminded) == Reminded(3)
    assert [(asked.month, asked.after, asked.limit) for asked in office.asked] == [
        ("2026-03", after, 50) for after in ("", "50", "100", "150")
    ]
