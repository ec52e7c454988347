"""The OpenAPI page: every route tells all its answers, and problems have their own media type."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, TITLES, Problem

_READS = (400, 401, 403, 404, 422, 503)
_WRITES = (*_READS, 409, 412, 413, 415, 429)
_PUBLIC = "/v1/health"
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `dw_...`"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_HEADERS = {
    "Idempotent-Replayed": "`true` when the answer was given before under this key",
    "ETag": "The deal's version, for `If-Match`",
    "Location": "Where the new deal is",
}
_TAKES_TIME = {"Retry-After": "Seconds after which asking again makes sense"}

Operation = dict[str, Any]


def describe(app: FastAPI) -> None:
    """Give the application a page that is complete."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(page: dict[str, Any]) -> dict[str, Any]:
    parts = page.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    parts["securitySchemes"] = _KEYS
    parts["responses"] = {f"problem_{status}": _problem_answer(status) for status in _WRITES}
    for path, operations in page["paths"].items():
        for method, operation in operations.items():
            _tell_all(path, method, operation)
    return page


def _tell_all(path: str, method: str, operation: Operation) -> None:
    answers = operation["responses"]
    if path.startswith(_PUBLIC):
        return
    operation["security"] = [{name: []} for name in _KEYS]
    for status in _READS if method == "get" else _WRITES:
        answers[str(status)] = {"$ref": f"#/components/responses/problem_{status}"}
    for status, answer in answers.items():
        if status.startswith("2") and method == "post":
            answer["headers"] = {name: _header(text) for name, text in _HEADERS.items()}


def _problem_answer(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        answer["headers"] = {name: _header(text) for name, text in _TAKES_TIME.items()}
    return answer


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}
