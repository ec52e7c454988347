"""RFC 8259 as most readers agree on it: no NaN, no name twice, no endless numbers or nesting."""

import json
from typing import Any

LONGEST_NUMBER = 30


class NotJson(ValueError):
    """These bytes are no JSON that every reader reads alike."""


def strict_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises NotJson."""
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_object
        )
    except json.JSONDecodeError as problem:
        raise NotJson(f"no JSON: {problem.msg} at character {problem.pos}") from None
    except UnicodeDecodeError:
        raise NotJson("no UTF-8") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise NotJson(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise NotJson("a number is too long")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("an object names a field twice")
    return found
