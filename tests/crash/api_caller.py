"""A client of the API, over HTTP, as a program outside would be."""

from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from infra.db import Database
from infra.stores.people import PeopleStore, Person
from models import codec
from models.errors import MoveRefused, Refusal
from models.lifecycle.roles import PERSONS
from models.messages.deals import ActResult
from tests.crash.callers import USUAL_RUN, Act, EngineCaller, Opening, Uncertain

UNCERTAIN = (429, 503)
"""Statuses that ask the client to come again."""


@dataclass
class ApiCaller:
    """One attempt each, with the API key of whoever acts. `odd` are answers that the contract knows not."""

    base: str
    keys: dict[str, str]
    engine: EngineCaller
    http: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=25))
    odd: list[str] = field(default_factory=list)
    refusals: set[tuple[str, str, str, str]] = field(default_factory=set)

    @classmethod
    async def hire(cls, base: str, database: Database, engine: EngineCaller) -> Self:
        """Give one person of every role an API key."""
        people = PeopleStore(database)
        keys = {}
        for role in sorted(PERSONS):
            person = Person(f"u-{role}", str(role).replace("_", " "), (str(role),), "north")
            keys[str(role)] = await people.create(person, "2026-01-01T00:00:00Z")
        return cls(base, keys, engine)

    async def open(self, opening: Opening) -> ActResult:
        """One attempt at opening a deal; runs of an unusual length are the engine's own business."""
        if opening.moves_per_run != USUAL_RUN:
            return await self.engine.open(opening)
        o = opening.opened
        body = {"title": o.title, "customer": o.customer, "branch": o.branch, "currency": o.currency}
        return await self._post(Act(opening.deal_id, "account_manager", "open", opening.key, body), "/v1/deals", 201)

    async def act(self, act: Act) -> ActResult:
        """One attempt at an act."""
        return await self._post(act, f"/v1/deals/{act.deal_id}/actions/{act.action}", 200)

    async def _post(self, act: Act, path: str, good: int) -> ActResult:
        headers = {"Authorization": f"Bearer {self.keys[act.role]}", "Idempotency-Key": act.key}
        try:
            answer = await self.http.post(self.base + path, json=act.payload, headers=headers)
            body: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as problem:
            raise Uncertain(type(problem).__name__) from None
        if answer.status_code in UNCERTAIN:
            raise Uncertain(body.get("detail", ""))
        if answer.status_code != good:
            raise self._refused(act, answer.status_code, body)
        body.pop("dry_run", None)
        body["allowed_actions"] = tuple(body["allowed_actions"])
        return codec.decode(ActResult, {**body, "replayed": "Idempotent-Replayed" in answer.headers})

    def _refused(self, act: Act, status: int, body: dict[str, Any]) -> MoveRefused:
        code = body.get("code", "")
        if status not in (403, 409, 412) or code == "key_reused":
            self.odd.append(f"{act}: {status} {body}")
        self.refusals.add((act.deal_id, f"u-{act.role}", act.key, code))
        return MoveRefused(Refusal(code, act.action, "", body.get("detail", "")))
