"""A system that lives ahead of the wall clock: its deals begin there, go on from there and stay there."""

import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra.desk import clocks
from infra.settings import SettingsError, load_settings
from infra.temporal_client import connect
from infra.temporal_server import EmbeddedServer, ServerOptions
from infra.test_clock import NotATestDeal, clock_client, fast_forward, virtual_now
from models.instants import parse
from tests import days

AHEAD = timedelta(days=400, hours=5)
QUEUE = "ahead"


@workflow.defn
class Teller:
    """Tells its time when asked; begins anew when it is told to."""

    def __init__(self) -> None:
        self._renewed = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._renewed)
        workflow.continue_as_new()

    @workflow.update
    async def tell(self) -> str:
        return workflow.now().isoformat()

    @workflow.signal
    async def renew(self) -> None:
        self._renewed = True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ahead(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client that starts what it starts ahead of the wall clock, and a worker."""
    async with EmbeddedServer(ServerOptions(tmp_path_factory.mktemp("ahead"), test_clock=True)) as server:
        client = await connect(server.address, ahead=AHEAD)
        async with Worker(client, task_queue=QUEUE, workflows=[Teller], workflow_runner=UnsandboxedWorkflowRunner()):
            yield client


pytestmark = pytest.mark.asyncio(loop_scope="module")


def is_ahead(moment: datetime, by: timedelta = AHEAD) -> bool:
    return abs(moment - datetime.now(UTC) - by) < timedelta(seconds=20)


def operation(name: str) -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        Teller.run, id=name, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )


async def test_a_start_alone_begins_ahead(ahead: Client) -> None:
    handle = await ahead.start_workflow(Teller.run, id=f"alone-{uuid.uuid4()}", task_queue=QUEUE)
    assert is_ahead(datetime.fromisoformat(await handle.execute_update(Teller.tell)))
    with pytest.raises(NotATestDeal):
        await fast_forward(ahead, handle.id, None, timedelta(days=1))


async def test_a_start_with_an_update_begins_ahead_and_a_second_one_joins_it(ahead: Client) -> None:
    name = f"both-{uuid.uuid4()}"
    started, joined = operation(name), operation(name)
    told = await ahead.execute_update_with_start_workflow(Teller.tell, start_workflow_operation=started)
    assert is_ahead(datetime.fromisoformat(told))
    told = await ahead.execute_update_with_start_workflow(Teller.tell, start_workflow_operation=joined, id="once")
    assert is_ahead(datetime.fromisoformat(told))
    assert (await started.workflow_handle()).id == (await joined.workflow_handle()).id == name
    known: WorkflowUpdateHandle[str] = ahead.get_workflow_handle(name).get_update_handle("once", result_type=str)
    assert await known.result() == told, "an update's id means the same as without a day of its own"


async def test_a_test_deal_is_forwarded_from_there_and_stays_there_when_it_begins_anew(ahead: Client) -> None:
    client = clock_client(ahead)
    name = f"test-{uuid.uuid4()}"
    await client.execute_update_with_start_workflow(Teller.tell, start_workflow_operation=operation(name))
    assert is_ahead(await fast_forward(client, name, None, timedelta(days=30)), AHEAD + timedelta(days=30))
    handle = client.get_workflow_handle(name)
    await handle.signal(Teller.renew)
    assert is_ahead(datetime.fromisoformat(await handle.execute_update(Teller.tell)), AHEAD + timedelta(days=30))
    assert is_ahead(await virtual_now(client, name), AHEAD + timedelta(days=30))


@pytest.fixture
def clock_put_back() -> Iterator[None]:
    before = clocks._ahead
    yield
    clocks.live_ahead(round(before.total_seconds()))


@pytest.mark.usefixtures("clock_put_back")
async def test_the_wall_clock_of_the_process_goes_with_it() -> None:
    clocks.live_ahead(round(AHEAD.total_seconds()))
    assert is_ahead(parse(clocks.wall_clock()))
    clocks.live_ahead(0)
    assert is_ahead(parse(clocks.wall_clock()), timedelta())


async def test_who_lives_ahead_needs_the_test_clock(tmp_path: Path) -> None:
    assert load_settings(data_dir=tmp_path, test_clock_ahead=60).test_clock_ahead == 60
    with pytest.raises(SettingsError, match="DEALWRIGHT_TEST_CLOCK_AHEAD: needs DEALWRIGHT_TEST_CLOCK, which is off"):
        load_settings(data_dir=tmp_path, test_clock_ahead=60, test_clock=False)
    with pytest.raises(SettingsError, match=r"DEALWRIGHT_TEST_CLOCK_AHEAD: .*greater than or equal to 0"):
        load_settings(data_dir=tmp_path, test_clock_ahead=-1)


async def test_every_weekday_and_each_special_day_is_among_those_that_are_tried() -> None:
    for today in (date(2026, 12, 1), date(2028, 2, 29), date(2030, 12, 31), date(2031, 1, 1)):
        found = days.special_days(today)
        week = {today + timedelta(days=number) for number in range(1, 8)}
        assert {f"{day:%Y-%m-%d}" for day in week} <= found.keys()
        assert all(day > today.isoformat() for day in found)
        told = " ".join(found.values())
        for special in ("leap day", "Christmas", "Good Friday", "half-year, when", "half-year,", "five years", "month"):
            assert special in told
    assert days.special_days(date(2026, 12, 1))["2027-03-26"] == "Good Friday, a Friday"


async def test_a_run_of_the_tests_has_a_day_of_its_own_that_can_be_named() -> None:
    assert 0 <= days.seconds_ahead("") < days.FARTHEST.total_seconds()
    named = datetime.now(UTC) + timedelta(days=3)
    assert abs(days.seconds_ahead(named.strftime("%Y-%m-%dT%H:%M:%SZ")) - 3 * 86_400) <= 2
    assert abs(days.seconds_ahead(f"{named:%Y-%m-%d}") - 3 * 86_400) <= 2
    with pytest.raises(ValueError, match="is past"):
        days.seconds_ahead("2026-11-22")
