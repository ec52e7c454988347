"""The worker process: `python worker.py` polls the task queue and runs workflows and activities until it is stopped."""

import asyncio
import signal
from datetime import timedelta

import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.registry import Departments, activities_of
from infra.data_folder import see_that_the_keys_are_there
from infra.db import open_database
from infra.desk.clocks import live_ahead, wall_clock
from infra.logging import configure_logging
from infra.own_process import own_process
from infra.privacy.moving_in import put_in_order
from infra.privacy.vault import Vault
from infra.schedules import keep_schedules_patiently
from infra.settings import Settings, load_settings
from infra.temporal_client import connect_as
from infra.wiring import embedded_ports
from workflows.registry import WORKFLOWS

BUILD = "dealwright-0.1"

STRICT = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("models", "activities", "rfc8785", "transitions")
)
"""The runner of tests and CI: it refuses clocks, randomness and I/O in workflows as they happen."""


def build_worker(
    client: Client, settings: Settings, ports: Departments, runner: WorkflowRunner | None = None
) -> Worker:
    """A worker on the settings' task queue. Production runs without the sandbox: ruff's bans stand guard instead."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=list(WORKFLOWS),
        activities=activities_of(ports),
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_workflow_tasks=settings.max_concurrent_workflow_tasks,
        # how long a deal waits for a worker that knew it and died (ten seconds by default)
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=5),
        graceful_shutdown_timeout=timedelta(seconds=10),
        # the default hashes every loaded module at start, and stands in two events of every task
        build_id=BUILD,
    )


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM, then finish what has begun."""
    stopped = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    client = await connect_as(settings, settings.temporal_address or "127.0.0.1:7233")
    await see_that_the_keys_are_there(settings, database)
    await put_in_order(database, Vault(settings.keys_dir), wall_clock())
    ports = embedded_ports(settings, database, client)
    scheduling = asyncio.create_task(keep_schedules_patiently(client, settings))
    try:
        async with build_worker(client, settings, ports):
            await stopped.wait()
    finally:
        scheduling.cancel()
        # after the worker, which finishes what it has begun
        await ports.close()
        await database.close()
        # the SDK's threads need a moment after the worker; a process that ends at once may abort (3 of 24, measured)
        await asyncio.sleep(0.3)


def main() -> None:
    """Read the settings and serve."""
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    live_ahead(settings.test_clock_ahead)
    with own_process():
        uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
