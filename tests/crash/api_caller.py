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
from models.policy import Policy
from models.stages.opening import OpenDeal
from tests.crash.callers import Act, Uncertain

UNCERTAIN = (429, 503)
"""Statuses that ask the client to come again."""


@dataclass
class ApiCaller:
    """One attempt each, with the API key of whoever acts. `odd` are answers that the contract knows not."""

    base: str
    keys: dict[str, str]
    http: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=25))
    odd: list[str] = field(default_factory=list)
    refusals: set[tuple[str, str, str, str]] = field(default_factory=set)

    @classmethod
    async def hire(cls, base: str, database: Database) -> Self:
        """Give one person of every role an API key."""
        people = PeopleStore(database)
        keys = {}
        for role in sorted(PERSONS):
            person = Person(f"u-{role}", str(role).replace("_", " "), (str(role),), "north")
            keys[str(role)] = await people.create(person, "2026-01-01T00:00:00Z")
        return cls(base, keys)

    async def open(self, opened: OpenDeal, deal_id: str, policy: Policy, moves_per_run: int) -> ActResult:
        """Deals are opened with the engine's own caller: the API pins policies and counts by itself."""
        raise NotImplementedError

    async def act(self, act: Act) -> ActResult:
        """One attempt at an act."""
        path = f"/v1/deals/{act.deal_id}/actions/{act.action}"
        headers = {"Authorization": f"Bearer {self.keys[act.role]}", "Idempotency-Key": act.key}
        try:
            answer = await self.http.post(self.base + path, json=act.payload, headers=headers)
            body: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as problem:
            raise Uncertain(type(problem).__name__) from None
        if answer.status_code in UNCERTAIN:
            raise Uncertain(body.get("detail", ""))
        if answer.status_code != 200:
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
