"""The API as a process: built from the settings, served by uvicorn, stopped gracefully."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import uvicorn
import uvloop
from fastapi import FastAPI
from structlog import get_logger

from api.app import Lifespan, create_app
from infra.data_folder import see_that_the_keys_are_there
from infra.db import open_database
from infra.desk.clocks import live_ahead
from infra.desk.engine import Engine
from infra.desk.service import DealDesk
from infra.logging import configure_logging
from infra.own_process import own_process
from infra.ports import address_of, listen
from infra.privacy.moving_in import put_in_order
from infra.settings import Settings, load_settings
from infra.temporal_client import EngineUnreachable, connect_as

GRACE_SECONDS = 15
_ANYWHERE = "127.0.0.1:7233"

log = get_logger()


class AnnouncingServer(uvicorn.Server):
    """An HTTP server that tells its address as soon as requests are answered there."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then tell."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def server_of(app: FastAPI, settings: Settings, announce: Callable[[], None] = lambda: None) -> AnnouncingServer:
    """The HTTP server for an application; serve it on a socket of `infra.ports.listen`."""
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        log_config=None,  # our own logging is set up already
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return AnnouncingServer(config, announce)


async def serve(settings: Settings, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, also while the engine is away: reads go on, acts are answered with 503."""
    where = settings.temporal_address or _ANYWHERE
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    desk = DealDesk(database, None, settings)
    try:
        await see_that_the_keys_are_there(settings, database)
        await put_in_order(database, desk.books.vault, desk.clock())
        app = create_app(desk, _lifespan(desk.engine, where, settings), settings.ui_origins)
        tell = partial(log.info, "api_ready", address=address_of(listening))
        await server_of(app, settings, tell).serve(sockets=[listening])
    finally:
        listening.close()
        await database.close()


def _lifespan(engine: Engine, where: str, settings: Settings) -> Lifespan:
    """Connect while the application runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        connecting = asyncio.create_task(_connect(engine, where, settings))
        try:
            yield
        finally:
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                await connecting

    return lifespan


async def _connect(engine: Engine, where: str, settings: Settings) -> None:
    """Connect as soon as the engine is there; afterwards the client finds it again by itself."""
    while not engine.is_attached:
        try:
            engine.attach(await connect_as(settings, where, timedelta(seconds=30)))
        except EngineUnreachable as problem:
            log.warning("engine_unreachable", address=where, reason=problem.reason)
    log.info("engine_connected", address=where)


def main(handle: int | None = None) -> None:
    """Read the settings and serve, on the listening socket that whoever started us has opened, else on one of our own.
    Raises CannotListen."""
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    live_ahead(settings.test_clock_ahead)
    with own_process():
        listening = listen(settings) if handle is None else socket.socket(fileno=handle)
        uvloop.run(serve(settings, listening))


if __name__ == "__main__":
    main()
