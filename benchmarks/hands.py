"""The benchmarks' worker process: the product's own worker and, with the same settings, one for the floors."""

import asyncio
import signal

import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks.floors import FLOOR_QUEUE, FloorWorkflow, touch
from infra.db import open_database
from infra.logging import configure_logging
from infra.settings import Settings, load_settings
from infra.temporal_client import connect_as
from infra.wiring import embedded_ports
from worker import build_worker


def floor_worker(client: Client, settings: Settings) -> Worker:
    """A worker like the product's (see `build_worker`), which hosts nothing but floors."""
    return Worker(
        client,
        task_queue=FLOOR_QUEUE,
        workflows=[FloorWorkflow],
        activities=[touch],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_workflow_tasks=settings.max_concurrent_workflow_tasks,
    )


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    client = await connect_as(settings, settings.temporal_address or "")
    ports = embedded_ports(settings, database, client)
    try:
        deals = build_worker(client, settings, ports)
        async with deals, floor_worker(client, settings):
            await stopped.wait()
    finally:
        await ports.close()
        await database.close()


if __name__ == "__main__":
    configure_logging(level="warning")
    uvloop.run(serve(load_settings()))
