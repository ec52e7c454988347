"""Clients of a system that may die at any moment: they ask again with the same key until the answer is certain."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from infra.db import Database
from infra.stores.commands import CommandStore
from models import codec
from models.command import Actor
from models.errors import MoveRefused, Refusal
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
from models.policy import Policy
from models.stages.opening import OpenDeal
from models.timeline import digest

USUAL_RUN = 1_500
"""Moves of a run, when nothing else is asked for."""

ATTEMPT = timedelta(seconds=12)
"""How long one attempt waits; the act may be carried out all the same."""


TASK_TIMEOUT = timedelta(seconds=3)
"""How long the engine waits for a worker that took a task and died; its own default of ten would fill the test."""


class Lost(Exception):
    """No certain answer: the system did not come back in time."""


class Uncertain(Exception):
    """This attempt got no certain answer; ask again with the same key."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person, under its idempotency key."""

    deal_id: str
    role: str
    action: str
    key: str
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return Actor(f"u-{self.role}", (self.role,))

    @property
    def fingerprint(self) -> str:
        """The digest of what is asked."""
        return digest([self.action, self.role, self.payload])


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An act that was answered with a yes: it must never be lost, nor happen twice."""

    deal_id: str
    key: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """A deal to be opened. Its id is a wish; the answer says under which it stands."""

    deal_id: str
    opened: OpenDeal
    policy: Policy
    moves_per_run: int = USUAL_RUN

    @property
    def key(self) -> str:
        """The idempotency key of the opening."""
        return f"open-{self.deal_id}"


class Caller(Protocol):
    """One attempt each. Raises MoveRefused for a certain no and Uncertain for no answer."""

    async def open(self, opening: Opening) -> ActResult: ...

    async def act(self, act: Act) -> ActResult: ...


class EngineCaller:
    """Speaks to the engine, as the desk does; what is closed is looked up among the answers."""

    def __init__(self, client: Client, database: Database, task_queue: str) -> None:
        self._client, self._task_queue = client, task_queue
        self._answers = CommandStore(database)

    async def open(self, opening: Opening) -> ActResult:
        """Open a deal, or join the one that runs."""
        plain = codec.encode(opening.opened)
        start = StartInput(
            opening.deal_id,
            codec.encode(opening.policy),
            Actor(opening.opened.owner, ("account_manager",)),
            opening.key,
            digest(plain),
            plain,
            moves_per_run=opening.moves_per_run,
        )
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            WORKFLOW,
            start,
            id=workflow_id(opening.deal_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            task_timeout=TASK_TIMEOUT,
        )
        return await self._certain(
            opening.deal_id,
            opening.key,
            self._client.execute_update_with_start_workflow(
                UPDATE_OPENED, start_workflow_operation=operation, result_type=ActResult, rpc_timeout=ATTEMPT
            ),
        )

    async def act(self, act: Act) -> ActResult:
        """One attempt at an act."""
        asked = ActInput(act.action, act.actor, act.key, act.fingerprint, act.payload)
        handle = self._client.get_workflow_handle(workflow_id(act.deal_id))
        # the engine keeps a failure under its update id for ever; the key is what makes the act happen once
        update_id = f"{act.key}:{random.getrandbits(64):x}"
        return await self._certain(
            act.deal_id,
            act.key,
            handle.execute_update(UPDATE_ACT, asked, id=update_id, result_type=ActResult, rpc_timeout=ATTEMPT),
        )

    async def _certain(self, deal_id: str, key: str, attempt: Any) -> ActResult:
        try:
            async with asyncio.timeout(ATTEMPT.total_seconds() + 5):
                answer: ActResult = await attempt
        except WorkflowUpdateFailedError as failed:
            return await self._failed(deal_id, key, failed.cause)
        except WorkflowAlreadyStartedError:
            return await self._stored(deal_id, key)
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as problem:
            raise Uncertain(type(problem).__name__) from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return await self._stored(deal_id, key)
            raise Uncertain(f"{error.status.name}: {error.message}") from None
        return answer

    async def _failed(self, deal_id: str, key: str, cause: BaseException | None) -> ActResult:
        if not isinstance(cause, ApplicationError):
            raise Uncertain(repr(cause)) from None
        if cause.type == REFUSED:
            raise MoveRefused(codec.decode(Refusal, cause.details[0])) from None
        if cause.type == "AcceptedUpdateCompletedWorkflow":
            return await self._stored(deal_id, key)
        raise Uncertain(cause.message) from None

    async def _stored(self, deal_id: str, key: str) -> ActResult:
        """The deal is closed (or was never opened): its answers are kept for ever."""
        found = await self._answers.find(deal_id, key)
        if found is None:
            raise MoveRefused(Refusal("wrong_state", "", "closed", "the deal is closed"))
        return codec.decode(ActResult, {**found.body, "replayed": True})


@dataclass
class Certainly:
    """What all players share: the caller, the list of acknowledged acts, and what went wrong on the way."""

    caller: Caller
    patience: float = 120.0
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    asked_again: int = 0
    why_again: Counter[str] = field(default_factory=Counter)
    pace: Counter[int] = field(default_factory=Counter)

    async def act(self, act: Act) -> ActResult | None:
        """Act until the answer is certain; None when it is a no. Raises Lost."""
        answer = await self._until_certain(act, lambda: self.caller.act(act))
        if answer is not None:
            self.acknowledged.append(Acknowledged(act.deal_id, act.key, codec.encode(answer)))
        return answer

    async def open(self, opening: Opening) -> str:
        """Open a deal; answers its id."""
        act = Act(opening.deal_id, "account_manager", "open", opening.key)
        answer = await self._until_certain(act, lambda: self.caller.open(opening))
        assert answer is not None, f"{opening.deal_id} was not opened"
        self.acknowledged.append(Acknowledged(answer.deal_id, opening.key, {}))
        return answer.deal_id

    async def _until_certain(self, act: Act, attempt: Any) -> ActResult | None:
        deadline = asyncio.get_running_loop().time() + self.patience
        pause = 0.05
        while True:
            try:
                result: ActResult = await attempt()
                self.pace[int(asyncio.get_running_loop().time())] += 1
                return result
            except MoveRefused as refused:
                self.refused[refused.refusal.code] = self.refused.get(refused.refusal.code, 0) + 1
                return None
            except Uncertain as why:
                self.asked_again += 1
                self.why_again[str(why)[:60]] += 1
                if asyncio.get_running_loop().time() > deadline:
                    raise Lost(f"{act.deal_id} {act.action} {act.key}: {why}") from None
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 2)
