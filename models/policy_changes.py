"""Changes of a policy in plain form: one number at its path, a merge patch (RFC 7396), and what differs between two.

A path is written as in `discount_authority.account_manager` or `ladder[dun_first].after`: an item of a list is named by
its action, name or day, or by its place from 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAMES = ("action", "name", "since")
"""The field by which an item of a list is known, the first that all of its items have."""

_STEP = re.compile(r"(?:^|\.)([A-Za-z0-9_]+)|\[([A-Za-z0-9_-]+)\]")
_DEEPEST = 12


class NoSuchPlace(ValueError):
    """A policy has nothing at this path; the message names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What differs at a path; None where one of the two has nothing."""

    path: str
    old: Any
    new: Any


def merged(body: Any, patch: Any) -> Any:
    """The body with a merge patch (RFC 7396): objects are merged, None removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    found = dict(body) if isinstance(body, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def placed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The body with one value at a path; None removes what is there. Raises NoSuchPlace."""
    steps = _steps(path)
    changed = _placed(body, steps, value, path)
    if not isinstance(changed, dict):
        raise NoSuchPlace(path)
    return changed


def differences(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """All paths at which two plain values differ, in their order."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif (before := _named(old)) is not None and (after := _named(new)) is not None:
        for name in dict.fromkeys((*before, *after)):
            yield from differences(before.get(name), after.get(name), f"{path}[{name}]")
        shared = [name for name in before if name in after]
        if shared != [name for name in after if name in before]:
            yield Change(path, list(before), list(after))
    elif old != new:
        yield Change(path, old, new)


def _steps(path: str) -> list[str]:
    steps, end = [], 0
    for found in _STEP.finditer(path):
        if found.start() != end:
            break
        steps.append(found[1] or f"[{found[2]}")
        end = found.end()
    if not steps or end != len(path) or len(steps) > _DEEPEST:
        raise NoSuchPlace(path[:80])
    return steps


def _placed(where: Any, steps: list[str], value: Any, path: str) -> Any:
    step, rest = steps[0], steps[1:]
    if step.startswith("["):
        return _placed_in_list(where, step[1:], rest, value, path)
    if not isinstance(where, dict) or (rest and step not in where):
        raise NoSuchPlace(path)
    if not rest and value is None:
        return {name: each for name, each in where.items() if name != step}
    return {**where, step: _placed(where[step], rest, value, path) if rest else value}


def _placed_in_list(where: Any, name: str, rest: list[str], value: Any, path: str) -> list[Any]:
    if not isinstance(where, list):
        raise NoSuchPlace(path)
    names = list(_named(where) or ())
    place = names.index(name) if name in names else int(name) if name.isdecimal() and len(name) < 6 else len(where)
    if place >= len(where):
        raise NoSuchPlace(path)
    if not rest and value is None:
        return [*where[:place], *where[place + 1 :]]
    changed = _placed(where[place], rest, value, path) if rest else value
    return [*where[:place], changed, *where[place + 1 :]]


def _named(items: Any) -> dict[str, Any] | None:
    """The items of a list by what they are known by; None when that names no item, or one twice."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    for field in NAMES:
        names = [item.get(field) for item in items]
        if items and all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return dict(zip(names, items, strict=True))
    return None
