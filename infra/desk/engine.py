"""The desk's telephone to the engine: opens deals and acts on them, and turns every failure into one of the desk's."""

import asyncio
import uuid
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from infra.desk.errors import Conflict, EngineDown, Refused
from infra.desk.in_flight import Lanes
from infra.test_clock import TestClockOff, clock_client, virtual_now
from models import codec
from models.errors import Refusal
from models.instants import render
from models.messages.deals import (
    REFUSED,
    UPDATE_ACT,
    UPDATE_OPENED,
    WORKFLOW,
    ActInput,
    ActResult,
    StartInput,
    workflow_id,
)

PATIENCE = timedelta(seconds=20)
"""How long a caller waits for an answer; an act that takes longer goes on, and its key finds the answer later."""

LOOK_SECONDS = 3.0
"""How long a read waits for the engine; then it does without."""


class WorkflowGone(Exception):
    """The deal's workflow is closed or was never started."""


class Unanswered(Exception):
    """A department did not answer the workflow; nothing changed."""


class Engine:
    """A connection that may come late: without one, acts are answered with EngineDown and reads go on."""

    def __init__(self, client: Client | None, task_queue: str, in_flight: int) -> None:
        self._client = client
        self._task_queue = task_queue
        self._lanes = Lanes(in_flight)

    def attach(self, client: Client) -> None:
        """Use this connection from now on."""
        self._client = client

    @property
    def is_attached(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    @property
    def client(self) -> Client:
        """The connection. Raises EngineDown when there is none."""
        if self._client is None:
            raise EngineDown("there is no connection yet")
        return self._client

    async def act(self, deal_id: str, asked: ActInput) -> ActResult:
        """Carry out one act. Raises Refused, WorkflowGone, Busy or EngineDown."""
        # The fingerprint makes two different requests under one key two updates, so that the deal sees the second
        # and refuses it, while a repeat in flight joins the first.
        update_id = f"{asked.key}:{asked.fingerprint[:16]}"
        async with self._lanes.turn(deal_id):
            try:
                return await self._act(deal_id, asked, update_id)
            except Unanswered:
                pass  # the engine keeps this failure under its id for ever, so a new try needs a new one
            try:
                return await self._act(deal_id, asked, f"{update_id}:{uuid.uuid4()}")
            except Unanswered as problem:
                raise EngineDown(str(problem)) from None

    async def _act(self, deal_id: str, asked: ActInput, update_id: str) -> ActResult:
        handle = self.client.get_workflow_handle(workflow_id(deal_id))
        return await _answer(
            handle.execute_update(UPDATE_ACT, asked, id=update_id, result_type=ActResult, rpc_timeout=PATIENCE)
        )

    async def open(self, start: StartInput, is_test: bool) -> ActResult:
        """Start a deal's workflow, or join the one that runs. Raises WorkflowGone for a deal that has ended already."""
        client = clock_client(self.client) if is_test else self.client
        operation: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            WORKFLOW,
            start,
            id=workflow_id(start.deal_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        try:
            return await _answer(
                client.execute_update_with_start_workflow(
                    UPDATE_OPENED,
                    start_workflow_operation=operation,
                    id=f"opened:{start.fingerprint[:16]}",
                    result_type=ActResult,
                    rpc_timeout=PATIENCE,
                )
            )
        except WorkflowAlreadyStartedError:
            raise WorkflowGone(start.deal_id) from None
        except TestClockOff as off:
            raise Conflict("clock_off", str(off)) from None

    async def now(self, deal_id: str) -> str | None:
        """The deal's own time; None when the engine does not say."""
        if self._client is None:
            return None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return render(await virtual_now(self._client, workflow_id(deal_id)))
        except (RPCError, TimeoutError):
            return None


async def _answer(asked: Awaitable[ActResult]) -> ActResult:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            answer = await asked
    except WorkflowUpdateFailedError as failed:
        raise _failure(failed) from None
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        raise EngineDown(f"no answer within {PATIENCE.seconds} seconds") from None
    except RPCError as error:
        raise _unreachable(error) from None
    return replace(answer, allowed_actions=tuple(answer.allowed_actions))


def _failure(failed: WorkflowUpdateFailedError) -> Exception:
    cause = failed.cause
    if not isinstance(cause, ApplicationError):
        return EngineDown(type(cause).__name__)
    if cause.type == REFUSED:
        return Refused(codec.decode(Refusal, cause.details[0]))
    if cause.type == "AcceptedUpdateCompletedWorkflow":
        return WorkflowGone()
    return Unanswered(cause.message)


def _unreachable(error: RPCError) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return WorkflowGone()
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return Conflict("engine_refused", error.message)
    return EngineDown(error.status.name.lower().replace("_", " "))
