"""What comes with an act: every wrong field at once, limits that keep a deal small, and the schema for callers."""

import dataclasses
import json
import typing
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from models import codec
from models.rules import ACTIONS
from models.timeline import digest

LONGEST_TEXT = 4_000
LARGEST = 128 * 1024
"""Bytes of a payload. It travels in the engine's history and, in part, in the deal's snapshot, whose limit is 2 MiB."""

LARGEST_NUMBER = 2**53 - 1
"""Whole numbers beyond it have no canonical JSON, so no hash could bind them."""

DEEPEST = 20


def check(action: str, payload: Any) -> dict[str, str]:
    """What is wrong with an action's payload, field by field; nothing when it is sound."""
    wrong = unstorable(payload)
    if wrong or action not in ACTIONS:
        return wrong
    kind = ACTIONS[action].payload
    if isinstance(payload, dict):
        wrong = _wrong_fields(kind, payload)
    if wrong:
        return wrong
    try:
        codec.decode(kind, payload)
    except codec.Malformed as problem:
        return {problem.where: problem.why}
    return {}


def _wrong_fields(kind: type[Any], payload: dict[str, Any]) -> dict[str, str]:
    hints = typing.get_type_hints(kind)
    wrong = {name: "unknown field" for name in payload if name not in hints}
    for field in dataclasses.fields(kind):
        if field.name in payload:
            try:
                codec.decode(hints[field.name], payload[field.name], field.name)
            except codec.Malformed as problem:
                wrong[problem.where] = problem.why
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            wrong[field.name] = "required field is missing"
    return wrong


def unstorable(value: Any) -> dict[str, str]:
    """Places in a plain value that neither engine nor database can keep: odd text, huge numbers, too much of it."""
    wrong: dict[str, str] = {}
    size, todo = 0, [("", value, 0)]
    while todo:
        where, item, depth = todo.pop()
        size += 2
        if isinstance(item, dict):
            todo += [(f"{where}.{_shown(key)}".lstrip("."), inner, depth + 1) for key, inner in item.items()]
            todo += [(where, key, depth + 1) for key in item if not isinstance(key, str) or bad_text(key)]
            size += sum(len(str(key)) for key in item)
        elif isinstance(item, (list, tuple)):
            todo += [(f"{where}[{number}]", inner, depth + 1) for number, inner in enumerate(item)]
        elif why := _bad_leaf(item):
            wrong[where] = why
        size += len(item.encode(errors="replace")) if isinstance(item, str) else 0
        if size > LARGEST or depth > DEEPEST:
            return {"": f"more than {LARGEST} bytes" if size > LARGEST else f"nested deeper than {DEEPEST}"}
    return wrong


def too_much(payload: Any) -> dict[str, str]:
    """Whether a sound payload has become larger than the engine should carry."""
    size = len(json.dumps(payload, ensure_ascii=False).encode())
    return {"": f"more than {LARGEST} bytes with what is personal kept apart"} if size > LARGEST else {}


def _shown(key: Any) -> str:
    return str(key).encode(errors="replace").decode().replace("\x00", "?")[:80]


def _bad_leaf(item: Any) -> str:
    if isinstance(item, str):
        return bad_text(item)
    if isinstance(item, int) and abs(item) > LARGEST_NUMBER:
        return "the number is too large"
    return ""


def bad_text(text: str) -> str:
    """What is wrong with a text, or nothing."""
    if len(text) > LONGEST_TEXT:
        return f"more than {LONGEST_TEXT} characters"
    if "\x00" in text:
        return "NUL characters are not allowed"
    return "not valid Unicode" if any("\ud800" <= character <= "\udfff" for character in text) else ""


def fingerprint(action: str, payload: Any, user: str, on_behalf_of: str) -> str:
    """The digest of what was asked. Raises rfc8785's error for a payload that `check` refuses."""
    return digest({"action": action, "payload": payload, "actor": user, "on_behalf_of": on_behalf_of})


@cache
def schema(action: str) -> dict[str, Any]:
    """JSON schema of an action's payload; unknown fields are refused."""
    found: dict[str, Any] = TypeAdapter(ACTIONS[action].payload).json_schema()
    for part in (found, *found.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return found
