"""How this program connects to Temporal: data converter, retries with a deadline, one clear error."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from infra.clock_ahead import StartsAhead
from infra.payloads import DATA_CONVERTER, converter_of
from infra.settings import Settings

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
ATTEMPT_SECONDS = 5.0


class EngineUnreachable(Exception):
    """Temporal did not answer at `address`, or does not know the namespace, before the deadline."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"Temporal at {address} is unreachable: {reason}")
        self.address = address
        self.reason = reason


async def connect(
    address: str,
    namespace: str = "default",
    *,
    identity: str | None = None,
    runtime: Runtime | None = None,
    deadline: timedelta = timedelta(seconds=10),
    converter: DataConverter = DATA_CONVERTER,
    ahead: timedelta = timedelta(),
) -> Client:
    """Connect and see the namespace, trying again until the deadline; raises `EngineUnreachable`.

    What the client starts begins `ahead` of the wall clock."""
    give_up_at = time.monotonic() + deadline.total_seconds()
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            left = max(give_up_at - time.monotonic(), FIRST_PAUSE_SECONDS)
            async with asyncio.timeout(min(left, ATTEMPT_SECONDS)):
                return await _connect_once(address, namespace, identity, runtime, converter, ahead)
        except (RPCError, RuntimeError, TimeoutError) as error:
            # The bridge reports a refused connection as a bare RuntimeError.
            if time.monotonic() + pause >= give_up_at:
                raise EngineUnreachable(address, _reason(error)) from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def connect_as(settings: Settings, address: str, deadline: timedelta = timedelta(seconds=10)) -> Client:
    """Connect as an installation does: its namespace, its payloads encrypted as it says. Raises EngineUnreachable."""
    return await connect(
        address,
        settings.temporal_namespace,
        deadline=deadline,
        converter=converter_of(settings),
        ahead=timedelta(seconds=settings.test_clock_ahead),
    )


async def _connect_once(
    address: str,
    namespace: str,
    identity: str | None,
    runtime: Runtime | None,
    converter: DataConverter,
    ahead: timedelta,
) -> Client:
    """One attempt: `Client.connect` asks for system info, then the namespace must be described."""
    client = await Client.connect(
        address,
        namespace=namespace,
        identity=identity,
        runtime=runtime,
        data_converter=converter,
        interceptors=[StartsAhead(ahead)] if ahead else [],
    )
    await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    return client


def _reason(error: Exception) -> str:
    """The error's own first line, or that nothing answered in time."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
