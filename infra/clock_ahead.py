"""A system that lives ahead of the wall clock: each workflow that it starts begins so much later, on the real engine.

The server begins a workflow after a delay, and a movable clock jumps over it: its first task is done at once, at a time
of its own that stays ahead (20 ms, measured with server 1.32). Schedules are the server's, they keep the wall clock.
"""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionResponse
from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)


class StartsAhead(Interceptor):
    """Starts what a client starts `ahead` of the wall clock. The server must have the test clock."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _StartsAheadOutbound(next, self._ahead)


class _StartsAheadOutbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, ahead: timedelta) -> None:
        super().__init__(next)
        self._ahead = ahead

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.start_delay = self._ahead
        input.time_skipping_config = one_jump(self._ahead)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """First the start, then the update: the server takes no delay where both are one call."""
        handle = await self.start_workflow(_start_of(input))
        # what the SDK's own call does, lest the operation's handle is waited for in vain
        input._on_start(StartWorkflowExecutionResponse(run_id=handle.first_execution_run_id or ""))
        return await super().start_workflow_update(_update_of(input, handle.id))


def one_jump(by: timedelta) -> TimeSkippingConfig:
    """A clock that jumps once, to the next timer or by so much, as soon as nothing is in flight; then it runs again."""
    config = TimeSkippingConfig(enabled=True, max_session_skip_count=1)
    config.fast_forward_config.id = str(uuid.uuid4())
    config.fast_forward_config.duration.FromTimedelta(by)
    return config


def _start_of(both: StartWorkflowUpdateWithStartInput) -> StartWorkflowInput:
    asked = both.start_workflow_input
    return StartWorkflowInput(
        **{field.name: getattr(asked, field.name) for field in fields(UpdateWithStartStartWorkflowInput)},
        start_signal=None,
        start_signal_args=(),
        request_eager_start=False,
        rpc_metadata=both.rpc_metadata,
        rpc_timeout=both.rpc_timeout,
    )


def _update_of(both: StartWorkflowUpdateWithStartInput, workflow_id: str) -> StartWorkflowUpdateInput:
    asked = both.update_workflow_input
    return StartWorkflowUpdateInput(
        **{field.name: getattr(asked, field.name) for field in fields(UpdateWithStartUpdateWorkflowInput)},
        id=workflow_id,
        run_id=None,
        first_execution_run_id=None,
        rpc_metadata=both.rpc_metadata,
        rpc_timeout=both.rpc_timeout,
    )
