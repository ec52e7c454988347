"""The API in this process: on a furnished database alone (`office`), or with a real engine behind it (`works`)."""

import itertools
from collections.abc import AsyncIterator
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest_asyncio
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.datastructures import State

from api.app import create_app
from infra.db import Database
from infra.desk.service import DealDesk
from infra.settings import load_settings
from infra.stores.people import Person
from infra.stores.recorder import DatabaseRecorder
from infra.temporal_server import EmbeddedServer
from models.lifecycle.roles import PERSONS
from models.messages.records import RecordInput
from models.projection import CHILDREN, project
from tests.engine import running_engine
from tests.journeys import BEGINNING, furnish
from tests.models.world import World

_numbers = itertools.count(1)


@dataclass
class Office:
    """The API with one user per role, each with a key."""

    app: FastAPI
    desk: DealDesk
    http: AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    def headers(self, role: str, **more: str) -> dict[str, str]:
        """Headers of the user with a role; `u-account_manager` and so on."""
        return {"Authorization": f"Bearer {self.keys[role]}", **{name.replace("_", "-"): v for name, v in more.items()}}

    async def get(self, role: str, path: str, /, **params: Any) -> Response:
        return await self.http.get(path, params=params, headers=self.headers(role))

    async def post(self, role: str, path: str, body: Any = None, key: str = "", **headers: str) -> Response:
        sent = self.headers(role, Idempotency_Key=key or f"k-{next(_numbers)}", **headers)
        return await self.http.post(path, json=body, headers=sent)

    async def act(self, role: str, deal: str, action: str, payload: Any = None, key: str = "", **more: str) -> Response:
        return await self.post(role, f"/v1/deals/{deal}/actions/{action}", payload, key, **more)

    async def refusals(self, deal: str) -> list[str]:
        """Codes of the refused acts on a deal, in their order."""
        return [row["code"] for row in await self.desk.books.timeline.refusals(deal)]

    async def store(self, world: World) -> World:
        """Write a deal that was driven through the pure core into the database."""
        await self.desk.books.policies.active(BEGINNING)
        recorder = DatabaseRecorder(self.desk.books.database)
        shown = project(world.deal, world.policy)
        await recorder.record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))
        return world


async def staffed(desk: DealDesk, app: FastAPI) -> dict[str, str]:
    """One user per role, and a second account manager in another department."""
    people = desk.books.people
    keys = {}
    for role in sorted(PERSONS):
        keys[str(role)] = await people.create(Person(f"u-{role}", f"The {role}", (str(role),), "north"), BEGINNING)
    stranger = Person("u-stranger", "Somebody else", ("account_manager",), "south")
    return keys | {"stranger": await people.create(stranger, BEGINNING)}


@cache
def _pattern() -> FastAPI:
    return create_app(cast(DealDesk, None))


def app_of(desk: DealDesk) -> FastAPI:
    """The application around a desk: a copy that shares its routes, as building them takes longer than most tests."""
    app = copy(_pattern())
    app.state = State({"desk": desk})
    return app


def client_of(app: FastAPI) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app=app, raise_app_exceptions=False), base_url="http://desk.test")


@pytest_asyncio.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """The API without an engine."""
    await furnish(database)
    desk = DealDesk(database, None, load_settings(data_dir=tmp_path))
    app = app_of(desk)
    async with client_of(app) as http:
        yield Office(app, desk, http, await staffed(desk, app))


@pytest_asyncio.fixture
async def works(server: EmbeddedServer, database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """The API with an engine and a worker."""
    await furnish(database)
    async with running_engine(server, database, tmp_path) as engine:
        desk = DealDesk(database, engine.client, engine.settings)
        app = app_of(desk)
        async with client_of(app) as http:
            yield Office(app, desk, http, await staffed(desk, app))
