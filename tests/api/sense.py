"""Hooks that make some of schemathesis's inventions make sense, so that more than the API's edge is reached."""

from collections.abc import Callable
from typing import Any

PATHS = {
    "customer_id": ("c-1",),
    "product_id": ("A-1",),
    "action": ("note", "log_contact", "object", "draft_offer", "lose", "accept_offer", "reassign", "hold"),
    "user_id": ("u-nobody",),
}
FIELDS = {
    "customer": "c-1",
    "owner": "",
    "branch": "",
    "linked_deal": "",
    "article": "A-1",
    "warehouse": "central",
    "valid_from": "2026-05-01",
    "expected_on": "2026-05-01",
    "cost": {"amount_minor": 1, "currency": "EUR"},
    "list_price": {"amount_minor": 2, "currency": "EUR"},
}
PAYLOADS: dict[str, dict[str, Any]] = {
    "note": {"text": "seen"},
    "log_contact": {"channel": "call", "outcome": "later"},
    "object": {"cause": "price", "answer": "quality"},
    "draft_offer": {"lines": [{"article": "A-1", "quantity": 1}]},
    "hold": {"hold": "legal", "reason": "checking"},
    "reassign": {"owner": "u-everybody"},
}


def hooks(deals: tuple[str, ...]) -> list[Callable[..., Any]]:
    """The hooks, with names of deals that exist."""
    known = PATHS | {"deal_id": deals}

    def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        """Names that exist, half of the time."""
        for name, invented in list((path_parameters or {}).items()):
            length = len(str(invented))
            if path_parameters and name in known and length % 2:
                path_parameters[name] = known[name][length // 2 % len(known[name])]
        return path_parameters

    return [map_path_parameters, map_query, map_headers, map_case]


def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Mostly no cursor: an invented one is always refused, and hides what comes behind."""
    if query and len(str(query.get("cursor", ""))) % 4:
        query.pop("cursor", None)
    return query


def map_headers(context: Any, headers: Any) -> Any:
    """No keys but the one that is given, and mostly no version."""
    for name in ("X-API-Key", "Authorization", "If-Match"):
        if headers and name in headers and (name != "If-Match" or len(headers[name]) % 4):
            del headers[name]
    return headers


def map_case(context: Any, case: Any) -> Any:
    """Some bodies that make sense."""
    if case.path.endswith("/actions/{action}") and case.body != {}:
        case.body = dict(PAYLOADS.get(case.path_parameters["action"], {}))
    elif isinstance(case.body, dict) and len(str(case.body)) % 3:
        case.body |= {name: value for name, value in FIELDS.items() if name in case.body}
    return case
