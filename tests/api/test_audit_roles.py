"""Every route for every role: auditors read all and change nothing; nobody else sees audit data, nor others' deals.

The routes are those of the application itself, so a new one is tested from its first day; what is not as the rule says
is named here with its reason.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx2 import Response
from sqlalchemy import select

from api.app import create_app
from infra.desk.clocks import wall_clock
from infra.desk.service import DealDesk
from models.instants import DAY, plus
from models.lifecycle.deal_table import DEAL
from models.lifecycle.roles import PERSONS, Role
from models.policy import DEFAULT
from models.tables.base import Base
from models.visibility import scope_of
from tests.api.conftest import Office
from tests.api.desks import another
from tests.api.test_openapi import page
from tests.models.world import paid

READING_IN_DISGUISE = {
    ("POST", "/v1/codec/decode"): "shows payloads of the engine's store in clear, each time with a leaf",
    ("POST", "/v1/codec/session"): "puts the auditor's own key into a cookie of their browser",
    ("DELETE", "/v1/codec/session"): "takes that cookie away",
    ("POST", "/v1/audit/checkpoints"): "signs the head of the log as it is: an auditor may want one at any moment",
    ("POST", "/v1/policies/{version}/try"): "computes what a policy would have changed, and keeps nothing",
}
"""Operations of auditors whose method says that something changes, and why nothing of the business does."""

NOT_THERE = {
    "/v1/approvals/{deal_id}/{number}/approve": "an act of the deal's table, whose rows name no auditor",
    "/v1/approvals/{deal_id}/{number}/decline": "the same",
    "/v1/payments": "the same, on the deal of an invoice",
    "/v1/payments/returns": "the same",
    "/v1/reconciliations/{number}/answer": "reads the statement, which an auditor may, before it asks who answers",
}
"""Operations that say that what is named is not there before they look at who asks, and why that is no way around."""

ADMINS_READ = {
    "/v1/audit/verification": "whoever runs the system must see that its log is sound; it tells of places",
    "/v1/audit/rebuild": "the same of its projections",
    "/v1/audit/checkpoint": "a size and a hash",
    "/v1/audit/checkpoints": "sizes, hashes and signatures, which are handed to outsiders anyway",
    "/v1/audit/checkpoints/latest": "the same",
    "/v1/audit/checkpoints/{number}": "the same",
    "/v1/audit/proofs/inclusion": "hashes",
    "/v1/audit/proofs/consistency": "hashes",
    "/v1/audit/keys": "public keys",
    "/v1/audit/keys/rotate": "keys are an admin's to look after",
    "/v1/audit/duties": "the rules that admins give rights by",
    "/v1/audit/rights": "the rights that admins give",
    "/v1/invoices/verification": "whoever runs the system must see that ledger and deals agree; it tells of places",
}
"""What admins, who see no deals, may read or do of the evidence beside auditors."""

NO_KEY = ("/v1/health",)
"""Routes that ask for no key and tell of nothing but the system."""

KEPT_ASIDE = {
    "audit_leaves": "grows when somebody is refused, or an auditor reads",
    "audit_head": "the same",
    "refusals": "the same",
    "audit_tiles": "computed from leaves",
    "checkpoints": "signed heads of the log",
    "audit_keys": "the first checkpoint makes the key",
}
"""Tables that are evidence of what is asked, and no business."""

BODIES: dict[str, Callable[[], Any]] = {
    "/v1/deals/{deal_id}/actions/{action}": lambda: {"text": "seen"},
    "/v1/deputies": lambda: {"deputy": "u-legal", "until": plus(wall_clock(), 10 * DAY)},
}
QUERIES: dict[str, dict[str, Any]] = {
    "/v1/audit/export": {"customer": "c-1"},
    "/v1/stock/as-of": {"article": "A-1"},
    "/v1/policies/compare": {"from": DEFAULT.version, "to": DEFAULT.version},
}
"""Bodies and queries of routes whose schema alone does not give one that is right."""

OWN_DEALS = {
    "/v1/audit/export": "bundles of the deals that one sees, for who may read histories",
}
"""Evidence that others get, too, of deals that are theirs."""

RAW = {"/v1/bank-statements": (b":20:X", "text/plain"), "/v1/carrier-messages": (b"{}", "application/json")}
"""Bodies of routes that take files as they come."""

NAMES = {"customer_id": "c-1", "product_id": "A-1", "user_id": "u-legal", "action": "note"}
TEXTS = ("some-text", "EUR", "2026-01-05", "2026-01-05T08:00:00Z", "DE", "auditor", "a" * 64, "1")


@dataclass(frozen=True)
class Route:
    """One operation, with everything that a request to it needs."""

    method: str
    path: str
    operation: dict[str, Any]
    schemas: dict[str, Any]

    def url(self, deal_id: str) -> str:
        return re.sub(r"{(\w+)}", lambda name: self._named(name[1], deal_id), self.path)

    def _named(self, name: str, deal_id: str) -> str:
        schema: dict[str, Any] = next((p["schema"] for p in self._parameters("path") if p["name"] == name), {})
        return deal_id if name == "deal_id" else NAMES.get(name) or str(sample(schema, self.schemas))

    @property
    def query(self) -> dict[str, Any]:
        needed = {p["name"]: sample(p["schema"], self.schemas) for p in self._parameters("query") if p["required"]}
        return needed | QUERIES.get(self.path, {})

    @property
    def body(self) -> Any:
        content = self.operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        asked = BODIES.get(self.path)
        return asked() if asked else sample(content.get("schema", {}), self.schemas)

    def _parameters(self, place: str) -> list[dict[str, Any]]:
        return [p for p in self.operation.get("parameters", ()) if p["in"] == place]


def sample(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The smallest value that a schema allows."""
    if ref := schema.get("$ref", ""):
        return sample(schemas[ref.rpartition("/")[2]], schemas)
    for many in ("anyOf", "oneOf", "allOf"):
        if many in schema:
            return sample(schema[many][0], schemas)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            return {name: sample(schema["properties"][name], schemas) for name in needed}
        case "array":
            return [sample(schema["items"], schemas)] * schema.get("minItems", 0)
        case "integer" | "number":
            return max(int(schema.get("minimum", 1)), 1)
        case "boolean":
            return False
        case "string":
            return _text(schema)
    return {}


def _text(schema: dict[str, Any]) -> str:
    pattern, shortest, longest = schema.get("pattern", ""), schema.get("minLength", 1), schema.get("maxLength", 10_000)
    fitting = [text for text in TEXTS if re.search(pattern, text) and shortest <= len(text) <= longest]
    return fitting[0] if fitting else "x" * shortest


def routes() -> list[Route]:
    schemas = page()["components"]["schemas"]
    return [
        Route(method.upper(), path, operation, schemas)
        for path, operations in page()["paths"].items()
        for method, operation in operations.items()
        if not path.startswith(NO_KEY)
    ]


ROUTES = routes()
READS = [route for route in ROUTES if route.method == "GET"]
CHANGES = [route for route in ROUTES if route.method != "GET"]


async def ask(office: Office, role: str, route: Route, deal_id: str = "D-1") -> Response:
    headers = office.headers(role, Idempotency_Key=f"{route.method}-{route.path}-{role}"[:200])
    if route.method != "GET":
        raw, kind = RAW.get(route.path, (b"", ""))
        sent: dict[str, Any] = {"content": raw} if raw else {"json": route.body}
        headers |= {"Content-Type": kind} if raw else {}
        return await office.http.request(route.method, route.url(deal_id), params=route.query, headers=headers, **sent)
    return await office.http.get(route.url(deal_id), params=route.query, headers=headers)


async def everything(office: Office) -> dict[str, list[str]]:
    """All rows of all tables but those that grow when somebody is refused, or reads."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in KEPT_ASIDE:
            rows = await office.desk.books.database.rows(select(table))
            found[table.name] = sorted(repr(row) for row in rows if not _is_answer_about_checkpoints(row))
    return found


def _is_answer_about_checkpoints(row: dict[str, Any]) -> bool:
    return str(row.get("scope", "")).startswith("audit-checkpoints:")


@pytest.fixture
async def stored(office: Office) -> Office:
    """The office with one deal, of u-account_manager in north."""
    await office.store(paid(another("D-1")))
    return office


def refused(problem: Response) -> bool:
    return problem.status_code == 403 and problem.json()["code"] == "wrong_role"


def told(route: Route, answer: Response) -> str:
    return f"{route.method} {route.path}: {answer.status_code} {answer.text[:200]}"


async def test_the_auditor_reads_everything(stored: Office) -> None:
    wrong = []
    for route in READS:
        answer = await ask(stored, "auditor", route)
        is_there = "{" not in route.path.replace("{deal_id}", "").replace("{customer_id}", "")
        if answer.status_code not in ((200,) if is_there else (200, 404)):
            wrong.append(told(route, answer))
    assert not wrong, "\n".join(wrong)


async def opened(works: Office) -> str:
    """A deal on the engine."""
    asked = {"title": "Pumps", "customer": "c-1", "is_test": True}
    return str((await works.post("account_manager", "/v1/deals", asked)).json()["deal_id"])


async def test_the_auditor_changes_nothing(works: Office) -> None:
    deal_id = await opened(works)
    deputy = {"deputy": "u-key_account_manager", "until": plus(wall_clock(), DAY)}
    assert (await works.post("account_manager", "/v1/deputies", deputy)).status_code == 201
    before = await everything(works)
    wrong = []
    for route in CHANGES:
        answer = await ask(works, "auditor", route, deal_id)
        in_disguise = (route.method, route.path) in READING_IN_DISGUISE
        absent = answer.status_code == 404 and route.path in NOT_THERE
        fine = answer.status_code < 500 if in_disguise else refused(answer) or absent
        wrong += [] if fine else [told(route, answer)]
    assert not wrong, "\n".join(wrong)
    after = await everything(works)
    assert [name for name, rows in after.items() if rows != before[name]] == []


async def test_no_action_on_a_deal_is_an_auditors(works: Office) -> None:
    assert [row.action for row in DEAL.rows if Role.AUDITOR in row.roles] == []
    deal_id = await opened(works)
    before = await everything(works)
    for action in DEAL.actions:
        for dry_run in ("false", "true"):
            answer = await works.http.post(
                f"/v1/deals/{deal_id}/actions/{action}",
                params={"dry_run": dry_run},
                json={},
                headers=works.headers("auditor", Idempotency_Key=f"audit-{action}"),
            )
            assert answer.status_code in (403, 409, 422), (action, answer.text[:300])
    assert await everything(works) == before
    refusals = await works.refusals(deal_id)
    assert set(refusals) <= {"wrong_role", "wrong_state", "malformed"}
    assert len(refusals) == len(DEAL.actions), "every one is recorded, and dry runs are not"


@pytest.mark.parametrize("role", sorted(str(role) for role in PERSONS if role is not Role.AUDITOR))
async def test_nobody_else_sees_audit_data(stored: Office, role: str) -> None:
    audit = [route for route in ROUTES if route.path.startswith("/v1/audit")]
    assert len(audit) > 10
    wrong = []
    for route in audit:
        if role == "admin" and route.path in ADMINS_READ:
            continue
        answer = await ask(stored, role, route)
        own = route.path in OWN_DEALS and (answer.status_code == 404 or role not in blind())
        wrong += [] if refused(answer) or own else [told(route, answer)]
    assert not wrong, "\n".join(wrong)


def blind() -> Iterator[str]:
    """Roles whose holders see nothing of a deal that is not theirs, nor their department's."""
    for role in sorted(PERSONS):
        if not scope_of((role,), f"u-{role}", "north").covers("u-account_manager", "north"):
            yield str(role)
    yield "stranger"


@pytest.mark.parametrize("role", [role for role in blind() if role != "account_manager"])
async def test_others_deals_look_as_if_they_did_not_exist(stored: Office, role: str) -> None:
    """By every route that names a deal, whatever it does."""
    named = [route for route in ROUTES if "{deal_id}" in route.path and not route.path.startswith("/v1/audit")]
    assert len(named) > 5
    before = await everything(stored)
    wrong = []
    for route in named:
        answer = await ask(stored, role, route)
        hidden = (answer.status_code == 404 or refused(answer)) and not _tells(answer)
        wrong += [] if hidden else [told(route, answer)]
    assert not wrong, "\n".join(wrong)
    assert await everything(stored) == before


@pytest.mark.parametrize("role", [role for role in blind() if role != "account_manager"])
async def test_lists_leave_others_deals_out(stored: Office, role: str) -> None:
    wrong = []
    for route in READS:
        if "{" in route.path or route.path.startswith("/v1/audit") or (role == "admin" and route.path in ADMINS_READ):
            continue
        answer = await ask(stored, role, route)
        if "D-1" in answer.text or answer.status_code >= 500:
            wrong.append(told(route, answer))
    assert not wrong, "\n".join(wrong)


def _tells(answer: Response) -> bool:
    """Whether an answer names the deal's customer or its owner."""
    return "c-1" in answer.text or "u-account_manager" in answer.text


def test_every_route_is_on_the_page() -> None:
    """Else the tests above would not see it."""
    desk: Any = DealDesk.__new__(DealDesk)
    desk.settings = type("Settings", (), {"ui_origins": ""})()
    known = {(route.method, route.path) for route in ROUTES}
    for route in create_app(desk).routes:
        if isinstance(route, APIRoute) and not route.path.startswith(NO_KEY):
            assert {(method, route.path_format) for method in route.methods or ()} <= known, route.path


def test_exceptions_are_about_routes_that_are_there() -> None:
    known = {(route.method, route.path) for route in ROUTES}
    assert set(READING_IN_DISGUISE) <= known
    assert {*NOT_THERE, *BODIES, *QUERIES, *RAW, *OWN_DEALS} <= {path for _, path in known}
    assert set(ADMINS_READ) <= {path for _, path in known}
