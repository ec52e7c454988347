"""The test clock on a real server: months in seconds, no timer lost, none fired early, nobody else's clock moved."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra import test_clock
from infra.temporal_client import connect
from infra.temporal_server import EmbeddedServer, ServerOptions
from infra.test_clock import (
    DealClosed,
    ForwardStalled,
    NotATestDeal,
    TestClockOff,
    clock_client,
    fast_forward,
    virtual_now,
)

DAY = 86_400
TASK_QUEUE = "clock"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Agenda:
    """Seconds after the start at which something is due; after `renew_after` items the run continues as new."""

    due: tuple[int, ...] = ()
    renew_after: int | None = None
    ends: bool = False  # with the last item
    began: float | None = None
    fired: tuple[float, ...] = field(default=())


@activity.defn
async def record(text: str) -> str:
    return text


@activity.defn
async def fail_twice() -> None:
    if activity.info().attempt < 3:
        raise RuntimeError("the mail server is down")


@workflow.defn
class Deal:
    """The shape of a deal's run: one agenda, one timer, a local activity for each move."""

    def __init__(self) -> None:
        self.dirty = self.closed = False
        self.agenda = Agenda()

    @workflow.run
    async def run(self, agenda: Agenda) -> tuple[float, ...]:
        began = agenda.began if agenda.began is not None else workflow.now().timestamp()
        self.agenda = replace(agenda, began=began)
        while not self.closed:
            await self._wait(began)
            if self.agenda.due and began + self.agenda.due[0] <= workflow.now().timestamp():
                await self._fire(began)
            if agenda.ends and not self.agenda.due:
                break
            if agenda.renew_after is not None and len(self.agenda.fired) - len(agenda.fired) >= agenda.renew_after:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self.agenda)
        return self.agenda.fired

    async def _wait(self, began: float) -> None:
        timeout = began + self.agenda.due[0] - workflow.now().timestamp() if self.agenda.due else None
        if timeout is not None and timeout <= 0:
            return
        try:
            await workflow.wait_condition(lambda: self.dirty, timeout=timeout)
            self.dirty = False
        except TimeoutError:
            pass

    async def _fire(self, began: float) -> None:
        now = workflow.now().timestamp()
        await workflow.execute_local_activity(record, "fired", start_to_close_timeout=timedelta(seconds=5))
        self.agenda = replace(self.agenda, due=self.agenda.due[1:], fired=(*self.agenda.fired, now - began))

    @workflow.query
    def fired(self) -> tuple[float, ...]:
        return self.agenda.fired

    @workflow.update
    async def act(self) -> float:
        await workflow.execute_local_activity(record, "act", start_to_close_timeout=timedelta(seconds=5))
        self.dirty = True
        return workflow.now().timestamp()

    @workflow.update
    async def mail(self) -> None:
        retry = RetryPolicy(initial_interval=timedelta(hours=1), backoff_coefficient=1)
        await workflow.execute_activity(fail_twice, start_to_close_timeout=timedelta(seconds=5), retry_policy=retry)

    @workflow.update
    async def start_abandoned_child(self) -> str:
        child = await workflow.start_child_workflow(
            Deal.run,
            Agenda(),
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        return child.id

    @workflow.signal
    def close(self) -> None:
        self.closed = self.dirty = True


Handle = WorkflowHandle[Deal, tuple[float, ...]]


@asynccontextmanager
async def working(client: Client) -> AsyncIterator[None]:
    async with Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Deal],
        activities=[record, fail_twice],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServer]:
    async with EmbeddedServer(ServerOptions(tmp_path_factory.mktemp("temporal"), test_clock=True)) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idle_client(server: EmbeddedServer) -> Client:
    return await connect(server.address)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(idle_client: Client) -> AsyncIterator[Client]:
    async with working(idle_client):
        yield idle_client


async def start(client: Client, *due: int, renew_after: int | None = None, ends: bool = False) -> Handle:
    return await client.start_workflow(
        Deal.run, Agenda(due, renew_after, ends), id=f"deal-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )


async def start_test_deal(client: Client, *due: int, renew_after: int | None = None, ends: bool = False) -> Handle:
    """A test deal whose agenda is set, so that `due` counts from before now."""
    handle = await start(clock_client(client), *due, renew_after=renew_after, ends=ends)
    await handle.execute_update(Deal.act)
    return client.get_workflow_handle_for(Deal.run, handle.id)


def late(fired: tuple[float, ...], due: tuple[int, ...]) -> float:
    """By how many seconds the latest item was late; never negative, because none may be early."""
    assert len(fired) == len(due)
    lateness = [at - expected for at, expected in zip(fired, due, strict=True)]
    assert min(lateness) >= 0
    return max(lateness)


async def offset(client: Client, handle: Handle) -> timedelta:
    return await virtual_now(client, handle.id) - datetime.now(UTC)


async def test_four_months_with_fifteen_timers_pass_at_once(client: Client) -> None:
    due = tuple(8 * DAY * (number + 1) for number in range(15))
    handle = await start_test_deal(client, *due)
    before = await virtual_now(client, handle.id)

    now = await fast_forward(client, handle.id, None, timedelta(days=120))

    assert late(await handle.query(Deal.fired), due) < 60
    assert timedelta(days=120) <= now - before < timedelta(days=120, minutes=1)
    acted_at = datetime.fromtimestamp(await handle.execute_update(Deal.act), UTC)
    assert timedelta() <= acted_at - now < timedelta(minutes=1)


async def test_a_test_deals_time_runs_normally_until_it_is_forwarded(client: Client) -> None:
    handle = await start_test_deal(client, DAY)
    await asyncio.sleep(0.3)
    assert await handle.query(Deal.fired) == ()
    assert abs(await offset(client, handle)) < timedelta(seconds=5)


async def test_what_is_due_exactly_then_has_happened_on_return_and_nothing_later_has(client: Client) -> None:
    for _ in range(10):
        handle = await start_test_deal(client, 14 * DAY, 14 * DAY, 28 * DAY)
        await fast_forward(client, handle.id, None, timedelta(days=14))
        assert late(await handle.query(Deal.fired), (14 * DAY, 14 * DAY)) < 60
        await handle.terminate()


async def test_forwards_add_up_with_acts_in_between(client: Client) -> None:
    due = tuple(3600 * number + 1800 for number in range(40))
    handle = await start_test_deal(client, *due)
    before = await virtual_now(client, handle.id)
    for _ in range(40):
        await fast_forward(client, handle.id, None, timedelta(hours=1))
        await handle.execute_update(Deal.act)
    assert late(await handle.query(Deal.fired), due) < 60
    assert timedelta(hours=40) <= await virtual_now(client, handle.id) - before < timedelta(hours=40, minutes=1)


async def test_acts_arrive_while_the_clock_moves(client: Client) -> None:
    due = tuple(DAY * (number + 1) for number in range(20))
    handle = await start_test_deal(client, *due)
    arrived = asyncio.Event()

    async def keep_acting() -> list[float]:
        seen = []
        while not arrived.is_set():
            seen.append(await handle.execute_update(Deal.act))
            await asyncio.sleep(0.02)
        return seen

    acting = [asyncio.create_task(keep_acting()) for _ in range(2)]
    await fast_forward(client, handle.id, None, timedelta(days=20))
    arrived.set()
    for seen in await asyncio.gather(*acting):
        assert seen == sorted(seen)
    assert late(await handle.query(Deal.fired), due) < 60


async def test_continue_as_new_keeps_the_clock_and_the_mark(client: Client) -> None:
    due = tuple(DAY * (number + 1) for number in range(9))
    handle = await start_test_deal(client, *due, renew_after=2)
    first_run = (await handle.describe()).run_id

    before = await virtual_now(client, handle.id)
    await fast_forward(client, handle.id, first_run, timedelta(days=5))
    now = await fast_forward(client, handle.id, None, timedelta(days=4, minutes=1))

    assert late(await handle.query(Deal.fired), due) < 60
    assert (await handle.describe()).run_id != first_run
    assert timedelta(days=9, minutes=1) <= now - before < timedelta(days=9, minutes=2)
    assert await virtual_now(client, handle.id) - now < timedelta(minutes=1)
    with pytest.raises(DealClosed):
        await fast_forward(client, handle.id, first_run, timedelta(days=1))


async def test_sixteen_deals_at_a_time(client: Client) -> None:
    due = tuple(10 * DAY * (number + 1) for number in range(5))
    handles = [await start_test_deal(client, *due) for _ in range(16)]
    await asyncio.gather(*(fast_forward(client, handle.id, None, timedelta(days=50)) for handle in handles))
    for handle in handles:
        assert late(await handle.query(Deal.fired), due) < 60


@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.2, 5])
async def test_small_steps_are_steps(client: Client, seconds: float) -> None:
    handle = await start_test_deal(client, DAY)
    before = await virtual_now(client, handle.id)
    now = await fast_forward(client, handle.id, None, timedelta(seconds=seconds))
    assert timedelta(seconds=seconds) <= now - before < timedelta(seconds=seconds + 5)
    assert await handle.query(Deal.fired) == ()


async def test_the_pauses_of_a_failing_activity_pass_as_well(client: Client) -> None:
    handle = await start_test_deal(client)
    mailed = asyncio.create_task(handle.execute_update(Deal.mail))
    await asyncio.sleep(0.2)
    await fast_forward(client, handle.id, None, timedelta(hours=3))
    await mailed


async def test_a_deal_that_ends_on_the_way_ends_the_forward(client: Client) -> None:
    handle = await start_test_deal(client, DAY, 2 * DAY, ends=True)
    await fast_forward(client, handle.id, None, timedelta(days=30))
    assert late(await handle.result(), (DAY, 2 * DAY)) < 60
    with pytest.raises(DealClosed, match="is closed"):
        await fast_forward(client, handle.id, None, timedelta(days=1))


async def test_an_open_child_is_named_and_the_clock_recovers(client: Client) -> None:
    handle = await start_test_deal(client, 10 * DAY)
    child = await handle.execute_update(Deal.start_abandoned_child)
    with pytest.raises(ForwardStalled, match=child):
        await fast_forward(client, handle.id, None, timedelta(days=20), patience=timedelta(seconds=0.5))

    await client.get_workflow_handle(child).signal("close")
    await client.get_workflow_handle(child).result()
    assert abs(await offset(client, handle)) < timedelta(minutes=1)
    await fast_forward(client, handle.id, None, timedelta(days=20))
    assert late(await handle.query(Deal.fired), (10 * DAY,)) < 60


async def test_the_clock_of_an_ordinary_deal_is_refused_and_untouched(client: Client) -> None:
    handle = await start(client, DAY)
    with pytest.raises(NotATestDeal, match=handle.id):
        await fast_forward(client, handle.id, None, timedelta(days=2))
    assert await handle.query(Deal.fired) == ()
    assert abs(await offset(client, handle)) < timedelta(seconds=5)


async def test_a_clock_does_not_go_back(client: Client) -> None:
    handle = await start_test_deal(client)
    with pytest.raises(ValueError, match="forward"):
        await fast_forward(client, handle.id, None, timedelta(0))


async def test_update_with_start_marks_a_test_deal_too(client: Client) -> None:
    operation = WithStartWorkflowOperation(
        Deal.run,
        Agenda((DAY,)),
        id=f"deal-{uuid.uuid4()}",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        memo={"note": "kept"},
    )
    await clock_client(client).execute_update_with_start_workflow(Deal.act, start_workflow_operation=operation)
    handle = await operation.workflow_handle()
    await fast_forward(client, handle.id, None, timedelta(days=1))
    assert late(await handle.query(Deal.fired), (DAY,)) < 60
    assert await (await handle.describe()).memo_value("note") == "kept"


async def test_where_the_clock_is_off_everything_about_it_is_refused(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path)) as server:
        client = await connect(server.address)
        assert not await test_clock.test_clock_available(client)
        with pytest.raises(TestClockOff):
            await start(clock_client(client))
        handle = await start(client)
        with pytest.raises(TestClockOff):
            await fast_forward(client, handle.id, None, timedelta(days=1))


async def test_without_a_worker_it_stalls_and_after_a_crash_the_clock_is_kept(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path, test_clock=True)) as server:
        client = await connect(server.address)
        assert await test_clock.test_clock_available(client)
        async with working(client):
            handle = await start_test_deal(client, 5 * DAY, 15 * DAY)
            await fast_forward(client, handle.id, None, timedelta(days=10))
        with pytest.raises(ForwardStalled, match="worker"):
            await fast_forward(client, handle.id, None, timedelta(days=10), patience=timedelta(seconds=0.5))

        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await server.stop()
        await server.start()
        async with working(client):
            await fast_forward(client, handle.id, None, timedelta(days=10))
            assert len(await handle.query(Deal.fired)) == 2
            assert await offset(client, handle) > timedelta(days=19, hours=23)
