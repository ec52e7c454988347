"""The OpenAPI page: it is what was agreed on, and complete. `python -m tests.api.test_openapi` writes it anew."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from api.app import create_app
from infra.desk.service import DealDesk

HOOKS = {"/v1/carrier-messages", "/v1/codec/decode", "/v1/codec/session", "/v1/policies/{version}/try"}
"""Where others ask in their own way: a carrier's message names itself, Temporal's tools decode as they do,
and trying a policy writes nothing."""

SNAPSHOT = Path(__file__).with_name("openapi.json")


@cache
def page() -> dict[str, Any]:
    desk: Any = DealDesk.__new__(DealDesk)  # the page needs no desk
    return create_app(desk).openapi()


def rendered() -> str:
    return json.dumps(page(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_page_is_the_one_that_was_agreed_on() -> None:
    agreed = SNAPSHOT.read_text(encoding="utf-8")
    assert rendered() == agreed, "the API has changed: if that is meant, run `python -m tests.api.test_openapi`"


def test_every_operation_tells_its_problems() -> None:
    for path, operations in page()["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert operation["summary"], (method, path)
            if path.startswith("/v1/health"):
                continue
            assert {"400", "401", "403", "404", "422", "503"} <= set(answers), (method, path)
            assert answers["422"] == {"$ref": "#/components/responses/problem_422"}, (method, path)


def test_every_post_needs_an_idempotency_key() -> None:
    for path, operations in page()["paths"].items():
        if "post" in operations and path not in HOOKS:
            needed = {p["name"] for p in operations["post"]["parameters"] if p["required"]}
            assert "Idempotency-Key" in needed, path


def test_bodies_refuse_unknown_fields() -> None:
    schemas = page()["components"]["schemas"]
    for path, operations in page()["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if name := body.get("$ref", "").rpartition("/")[2]:
                assert schemas[name]["additionalProperties"] is False, (method, path)


if __name__ == "__main__":
    SNAPSHOT.write_text(rendered(), encoding="utf-8")
