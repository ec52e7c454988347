"""Every no in one place: RFC 9457 problems with a stable type and code, whatever raised them."""

import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from structlog import get_logger

from infra.db import DatabaseBusy
from infra.desk.errors import Busy, DeskError, EngineDown, Invalid, Refused, Unlogged, UnreadableFile, WrongRole
from infra.evidence.tree import LogDamaged
from infra.privacy.installation_key import KeyLost
from infra.stores.archive import HistoryDamaged
from infra.stores.pages import BadCursor
from models.errors import Refusal

MEDIA_TYPE = "application/problem+json"
URN = "urn:dealwright:problem:"
LONGEST = 300

STATUS = {
    "malformed": 422,
    "unknown_action": 404,
    "not_found": 404,
    "wrong_role": 403,
    "not_a_deputy": 403,
    "stale_version": 412,
    "engine_unreachable": 503,
    "read_not_logged": 503,
    "too_many_requests": 429,
    "too_large": 413,
}
"""Code to status; every other code of the desk is a conflict, 409."""

TITLES = {
    400: "The request can't be read",
    401: "Who are you?",
    403: "Your role may not do this",
    404: "There is no such thing",
    405: "This method is not for this address",
    409: "This contradicts what stands",
    412: "The deal has moved on",
    413: "The body is too large",
    415: "The body must be JSON",
    422: "Some fields are wrong",
    429: "Too much at once",
    500: "We made a mistake",
    503: "A part of the system does not answer",
}

log = get_logger()


class FieldProblem(BaseModel):
    """One wrong field: its path, and what is wrong with it."""

    field: str
    message: str


class FailingGuard(BaseModel):
    """A condition that does not hold, the value found, what it should be, and who can lift it."""

    guard: str
    found: str
    needed: str
    lifted_by: list[str]


class BlockedAction(BaseModel):
    """Why a move is blocked, and what is possible instead."""

    action: str
    state: str
    failing: list[FailingGuard]
    roles_allowed: list[str]
    states_allowed: list[str]
    allowed_actions: list[str]


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable and made for programs, `detail` for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] = []
    blocked: BlockedAction | None = None


class RequestRefused(Exception):
    """A request that no rule of the business had to look at."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


def install(app: FastAPI) -> None:
    """Let the application answer with problems."""
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, answer)


def answer_with(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(problem.model_dump(), problem.status, headers, MEDIA_TYPE)


def problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    """A problem of a code; texts are cut and made printable, for what comes in may come back in them."""
    return Problem(
        type=URN + code,
        title=TITLES.get(status, "It did not work"),
        status=status,
        code=code,
        detail=_text(detail),
        **more,
    )


async def _refused_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestRefused)
    return answer_with(problem(error.status, error.code, error.detail), error.headers)


async def _desk_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DeskError)
    status = STATUS.get(error.code, 422 if isinstance(error, UnreadableFile) else 409)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, EngineDown | Busy | Unlogged) else {}
    return answer_with(problem(status, error.code, error.message, **_more(error, status)), headers)


def _more(error: DeskError, status: int) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"errors": fields_of(error.fields)}
    if isinstance(error, Refused):
        blocked = _blocked(error.refusal) if status in (403, 409, 412) else None
        return {"errors": fields_of(error.refusal.field_errors), "blocked": blocked}
    return {"blocked": _not_allowed(error)} if isinstance(error, WrongRole) else {}


def _blocked(refusal: Refusal) -> BlockedAction:
    failing = [
        FailingGuard(guard=v.guard, found=_text(v.found), needed=v.needed, lifted_by=list(v.lifted_by))
        for v in refusal.failing
    ]
    return BlockedAction(
        action=_text(refusal.action),
        state=refusal.state,
        failing=failing,
        roles_allowed=list(refusal.roles_allowed),
        states_allowed=list(refusal.states_allowed),
        allowed_actions=list(refusal.allowed_actions),
    )


def _not_allowed(error: WrongRole) -> BlockedAction:
    return BlockedAction(
        action="", state="", failing=[], roles_allowed=list(error.roles), states_allowed=[], allowed_actions=[]
    )


def fields_of(wrong: dict[str, str]) -> list[FieldProblem]:
    """Field errors as they are shown."""
    return [FieldProblem(field=_text(where) or "body", message=_text(why)) for where, why in wrong.items()]


def wrong_fields(error: RequestValidationError) -> dict[str, str]:
    """Path to message, without the values that were sent."""
    return {_path(one["loc"]): one["msg"] for one in error.errors()}


def _path(loc: Any) -> str:
    where, *names = (str(part) for part in loc)
    return ".".join(names) if where == "body" else f"{where}.{'.'.join(names)}"


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = fields_of(wrong_fields(error))
    detail = "; ".join(f"{one.field}: {one.message}" for one in wrong)
    return answer_with(problem(422, "malformed", detail, errors=wrong))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 400: "malformed_body", 413: "body_too_large"}
    code = codes.get(error.status_code, "http_error")
    return answer_with(problem(error.status_code, code, str(error.detail)), dict(error.headers or {}))


async def _bad_cursor(_: Request, error: Exception) -> JSONResponse:
    return answer_with(problem(400, "bad_cursor", str(error)))


async def _damaged(_: Request, error: Exception) -> JSONResponse:
    return answer_with(problem(503, "history_damaged", str(error)), {"Retry-After": "60"})


async def _damaged_log(_: Request, error: Exception) -> JSONResponse:
    return answer_with(problem(503, "audit_log_damaged", str(error)), {"Retry-After": "60"})


async def _keys(_: Request, error: Exception) -> JSONResponse:
    log.error("personal_data_locked", reason=str(error))
    why = "personal data can't be read now: the key of this installation is missing"
    return answer_with(problem(503, "keys_missing", why), {"Retry-After": "60"})


async def _database(_: Request, error: Exception) -> JSONResponse:
    log.error("database_unavailable", kind=type(error).__name__)
    return answer_with(problem(503, "database_unavailable", "the database does not answer now"), {"Retry-After": "5"})


async def _mistake(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return answer_with(problem(500, "internal", "this is our mistake, not yours; it stands in our log"))


_ANSWERS: dict[type[Exception], Any] = {
    RequestRefused: _refused_request,
    DeskError: _desk_error,
    RequestValidationError: _invalid,
    HTTPException: _http,
    BadCursor: _bad_cursor,
    HistoryDamaged: _damaged,
    LogDamaged: _damaged_log,
    KeyLost: _keys,
    DatabaseBusy: _database,
    OperationalError: _database,
    Exception: _mistake,
}

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _text(told: str) -> str:
    clean = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", told)
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"
