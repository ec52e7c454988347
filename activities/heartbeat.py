"""Heartbeats of work that may take long: the engine notices within a minute when its worker has died."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

BEAT_SECONDS = 10


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tell the engine every ten seconds that this activity goes on."""
    heart = asyncio.create_task(_beat())
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_SECONDS)
