"""The test clock: deals that are started as test deals can be forwarded through virtual time, others never.

The server skips time per execution. One fast-forward of its own may overshoot to the next timer when its target passes
while a workflow task is in flight, so we move in single jumps, each to the next timer or the target, and await each.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import TimeSkippingConfig, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    PollWorkflowExecutionTimeSkippingRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from infra.clock_ahead import one_jump

TEST_DEAL_MEMO = "dealwright_test_deal"

# A remainder this short is slept out: a jump whose target passes before the server can make it lands on a later timer.
SHORTEST_JUMP = timedelta(milliseconds=100)
TIMER_LAG_SECONDS = 0.05  # how late the server may fire a timer, with room to spare
LOST_TIMER_SECONDS = 2.0  # a jump that lands on something that leaves no event, such as an activity's retry
RECENT_BATCHES = 20
MOST_JUMPS_NOT_MADE = 5
ENDS_A_JUMP = (
    EventType.EVENT_TYPE_TIMER_FIRED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
)
FIRST_TASK_DONE = 4  # started, scheduled, picked up, completed
FIRST_PAUSE_SECONDS = 0.004
LONGEST_PAUSE_SECONDS = 0.05


class TestClockError(Exception):
    """The clock of this deal can't be moved as asked."""

    __test__ = False  # the name is the business's, not a test class for pytest to collect


class TestClockOff(TestClockError):
    """The server doesn't allow time skipping."""

    def __init__(self) -> None:
        super().__init__("the test clock is off on this server (frontend.WorkflowTimeSkippingEnabled)")


class NotATestDeal(TestClockError):
    """The workflow was not started as a test deal; its time is everybody's time."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(f"{workflow_id} was not started as a test deal, its clock can't be moved")
        self.workflow_id = workflow_id


class DealClosed(TestClockError):
    """The workflow has ended, so it has no clock any more."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(f"{workflow_id} is closed, its clock can't be moved")
        self.workflow_id = workflow_id


class ForwardStalled(TestClockError):
    """Something in flight didn't finish; the clock stays where it is and runs normally again."""

    def __init__(self, workflow_id: str, waits_for: str, reached: datetime) -> None:
        super().__init__(f"{workflow_id} can't be forwarded beyond {reached.isoformat()}: it waits for {waits_for}")
        self.workflow_id = workflow_id
        self.waits_for = waits_for
        self.reached = reached


def clock_client(client: Client) -> Client:
    """A client that starts *test deals*: time runs normally until `fast_forward`; a start may raise `TestClockOff`."""
    config = client.config()
    config["interceptors"] = [*config["interceptors"], _StartsTestDeals()]
    return Client(**config)


async def test_clock_available(client: Client) -> bool:
    """Whether this server allows test deals; asks for the clock of a workflow that doesn't exist."""
    nobody = WorkflowExecution(workflow_id=f"no-such-deal-{uuid.uuid4()}")
    request = PollWorkflowExecutionTimeSkippingRequest(
        namespace=client.namespace, workflow_execution=nobody, fast_forward_id="none"
    )
    try:
        await client.workflow_service.poll_workflow_execution_time_skipping(request)
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return False
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return True


test_clock_available.__test__ = False  # type: ignore[attr-defined]  # not a test, wherever it is imported


async def virtual_now(client: Client, workflow_id: str) -> datetime:
    """The deal's own time, UTC; the wall clock's for a deal that was never forwarded."""
    return (await _Deal(client, workflow_id).look()).now


async def fast_forward(
    client: Client,
    workflow_id: str,
    run_id: str | None,
    duration: timedelta,
    *,
    patience: timedelta = timedelta(seconds=30),
) -> datetime:
    """Move a running test deal's clock ahead by `duration`; the answer is its virtual time (UTC) afterwards.

    On return every timer due by then has fired and its workflow tasks are done. Follows continue-as-new; ends early
    with the deal. `patience` is real time for any one thing in flight, not for the whole way.
    """
    if duration <= timedelta():
        raise ValueError("a clock moves forward: the duration must be positive")
    deal = _Deal(client, workflow_id)
    await deal.must_be_a_running_test_deal(run_id)
    view = await deal.settle(patience)
    target = view.now + duration
    try:
        while view.running and view.now < target:
            left = target - view.now
            if left < SHORTEST_JUMP:
                await asyncio.sleep(left.total_seconds() + TIMER_LAG_SECONDS)
            else:
                await deal.jump(left)
            view = await deal.settle(patience)
    finally:
        await deal.withdraw()
    return view.now


class _StartsTestDeals(Interceptor):
    """Marks every workflow started through the client: a memo, which continue-as-new keeps, and a movable clock."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _StartsTestDealsOutbound(next)


class _StartsTestDealsOutbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        _mark(input)
        try:
            return await super().start_workflow(input)
        except RPCError as error:
            _raise_if_clock_off(error)
            raise

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        _mark(input.start_workflow_input)
        try:
            return await super().start_update_with_start_workflow(input)
        except RPCError as error:
            _raise_if_clock_off(error)
            raise


def _mark(start: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> None:
    start.memo = {**(start.memo or {}), TEST_DEAL_MEMO: True}
    # Skips nothing, but makes a server without the clock refuse the start rather than the first forward.
    start.time_skipping_config = start.time_skipping_config or TimeSkippingConfig(enabled=False)


def _raise_if_clock_off(error: RPCError) -> None:
    if error.status is RPCStatusCode.UNIMPLEMENTED:
        raise TestClockOff from error


@dataclass(frozen=True)
class _View:
    """What the server says about a deal at one moment."""

    run_id: str
    now: datetime
    running: bool
    armed: bool  # a jump was asked for and not made yet
    in_flight: str | None  # what keeps the deal busy, for a person
    retrying: bool  # an activity waits for its next attempt
    length: int  # of the history, in events


class _Deal:
    """One workflow chain seen through its clock."""

    def __init__(self, client: Client, workflow_id: str) -> None:
        self._client = client
        self._id = workflow_id
        self._inherited: dict[str, timedelta] = {}
        self._jumps_not_made = 0

    async def must_be_a_running_test_deal(self, run_id: str | None) -> None:
        """Refuse everything else, with the reason."""
        description = await self._client.get_workflow_handle(self._id, run_id=run_id).describe()
        if not await description.memo_value(TEST_DEAL_MEMO, default=False, type_hint=bool):
            raise NotATestDeal(self._id) if await test_clock_available(self._client) else TestClockOff()
        if description.status is not WorkflowExecutionStatus.RUNNING:
            raise DealClosed(self._id)

    async def look(self) -> _View:
        """Describe the current run."""
        execution = WorkflowExecution(workflow_id=self._id)
        answer = await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=execution), retry=True
        )
        info, extended = answer.workflow_execution_info, answer.workflow_extended_info
        armed = extended.time_skipping_info.effective_config.enabled
        return _View(
            run_id=info.execution.run_id,
            now=await self._now(answer),
            running=WorkflowExecutionStatus(info.status) is WorkflowExecutionStatus.RUNNING,
            armed=armed,
            in_flight=_in_flight(answer, armed),
            retrying=bool(answer.pending_activities),
            length=info.history_length,
        )

    async def settle(self, patience: timedelta) -> _View:
        """Wait until nothing is in flight and the timer that the last jump went to has fired."""
        started, pause = time.monotonic(), FIRST_PAUSE_SECONDS
        while True:
            view = await self.look()
            waited = time.monotonic() - started
            waits_for = view.in_flight
            self._jumps_not_made = self._jumps_not_made if view.armed else 0
            if waits_for is None and waited < LOST_TIMER_SECONDS and (view.armed or await self._is_unfinished(view)):
                waits_for = "a timer"
            if self._jumps_not_made > MOST_JUMPS_NOT_MADE:
                raise ForwardStalled(self._id, "work in flight", view.now)
            # Still armed with nothing in flight: a refused update left no transaction for the server to jump in.
            if waits_for is None or not view.running:
                return view
            if waited > patience.total_seconds():
                raise ForwardStalled(self._id, waits_for, view.now)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    async def jump(self, left: timedelta) -> None:
        """Ask for one jump, to the next timer or by `left`; the server makes it as soon as nothing is in flight."""
        self._jumps_not_made += 1
        await self._configure(one_jump(left))

    async def withdraw(self) -> None:
        """Take back a jump that was not made, lest the clock leaps when nobody expects it any more."""
        if self._jumps_not_made:
            with suppress(RPCError):
                await self._configure(TimeSkippingConfig(enabled=False))

    async def _configure(self, config: TimeSkippingConfig) -> None:
        """Replace the skipping configuration of the current run; a run that has just ended is left to `look`."""
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self._id),
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
            update_mask=FieldMask(paths=["time_skipping_config"]),
            identity=self._client.identity,
        )
        try:
            await self._client.workflow_service.update_workflow_execution_options(request, retry=True)
        except RPCError as error:
            _raise_if_clock_off(error)
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _now(self, answer: DescribeWorkflowExecutionResponse) -> datetime:
        """The virtual time: given by the server, or the wall clock plus what a continued run inherited."""
        extended = answer.workflow_extended_info
        if extended.HasField("time_skipping_info"):
            return _utc(extended.time_skipping_info.current_time)
        run_id = answer.workflow_execution_info.execution.run_id
        if run_id not in self._inherited:
            self._inherited = {run_id: await self._inherited_skip(run_id)}
        return datetime.now(UTC) + self._inherited[run_id]

    async def _inherited_skip(self, run_id: str) -> timedelta:
        execution = WorkflowExecution(workflow_id=self._id, run_id=run_id)
        answer = await self._client.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=self._client.namespace, execution=execution, maximum_page_size=1
            ),
            retry=True,
        )
        started = answer.history.events[0].workflow_execution_started_event_attributes
        return started.time_skipping_state_propagation.initial_skipped_duration.ToTimedelta()

    async def _is_unfinished(self, view: _View) -> bool:
        """Whether the last jump landed on a timer that has not fired yet, or the history has grown since the view."""
        execution = WorkflowExecution(workflow_id=self._id, run_id=view.run_id)
        answer = await self._client.workflow_service.get_workflow_execution_history_reverse(
            GetWorkflowExecutionHistoryReverseRequest(
                namespace=self._client.namespace, execution=execution, maximum_page_size=RECENT_BATCHES
            ),
            retry=True,
        )
        newest_first = answer.history.events
        if newest_first[0].event_id != view.length:
            return True
        for event in newest_first:
            if event.event_type in ENDS_A_JUMP:
                return False
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED:
                jumped = event.workflow_execution_time_skipping_transitioned_event_attributes
                return not (jumped.disabled_after_fast_forward or view.retrying)
        return False


def _in_flight(answer: DescribeWorkflowExecutionResponse, armed: bool) -> str | None:
    """What the workflow is busy with, in words; None when it only waits for time or for people."""
    if answer.HasField("pending_workflow_task"):
        return "a workflow task (does a worker run?)"
    if answer.workflow_execution_info.history_length < FIRST_TASK_DONE:
        return "its first workflow task"
    for activity in answer.pending_activities:
        if not activity.HasField("next_attempt_schedule_time"):
            return f"activity {activity.activity_type.name}, attempt {activity.attempt}"
    if armed and answer.pending_children:
        return f"child workflow {answer.pending_children[0].workflow_id}, which must end first"
    return None


def _utc(moment: Timestamp) -> datetime:
    return moment.ToDatetime(tzinfo=UTC)
