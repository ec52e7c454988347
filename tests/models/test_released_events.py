"""What was released keeps its fields for ever: the plain form of events and entries is hashed into running chains.

A new field would give a new hash to an old act that is decided again in a replay. Whatever an event lacks goes into a
new event, or into a field that is left out while it has its default (`codec.later`); `released_events.json` lists them
all, per release, with the fields that came `later`.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

import pytest

from models.codec import is_later
from models.command import Facts
from models.errors import Verdict
from models.messages.finance import ReliabilityFacts
from models.messages.logistics import ReserveResult, ShipResult
from models.rules import EVENTS
from models.timeline import Entry

RELEASES: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
    (Path(__file__).parent / "released_events.json").read_text()
)

BESIDE: tuple[type, ...] = (Entry, Verdict, Facts, ReliabilityFacts, ReserveResult, ShipResult)
"""What else is hashed: the entry, its verdicts and facts, and answers that stand in the payloads of reports."""


def released(part: str) -> dict[str, list[str]]:
    """All `events` (by tag) or `nested` values (by class) of all releases. No release names one of another's."""
    found: dict[str, list[str]] = {}
    for release in RELEASES.values():
        assert not set(found) & set(release[part])
        found |= release[part]
    return found


def inside(hint: Any) -> Iterator[type]:
    """The dataclasses that a type names."""
    for argument in get_args(hint):
        yield from inside(argument)
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint


def nested() -> dict[str, type]:
    """All dataclasses that stand in events and entries, at any depth."""
    found: dict[str, type] = {kind.__name__: kind for kind in BESIDE}
    waiting: list[type] = [*EVENTS.values(), *BESIDE]
    while waiting:
        hints = get_type_hints(waiting.pop()).values()
        for kind in (each for hint in hints if get_origin(hint) is not ClassVar for each in inside(hint)):
            assert found.get(kind.__name__, kind) is kind, "two classes of one name"
            if kind.__name__ not in found:
                found[kind.__name__] = kind
                waiting.append(kind)
    return found


def names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if not is_later(field)]


def later_names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if is_later(field)]


@pytest.mark.parametrize("tag", released("events"))
def test_a_released_event_keeps_its_fields(tag: str):
    assert names(EVENTS[tag]) == released("events")[tag]


@pytest.mark.parametrize("name", released("nested"))
def test_a_value_in_released_events_keeps_its_fields(name: str):
    assert names(nested()[name]) == released("nested")[name]


def test_a_new_event_is_written_down_before_it_is_released():
    assert set(EVENTS) == set(released("events"))
    assert set(nested()) == set(released("nested"))


def test_fields_that_came_later_are_written_down_too():
    released_later: dict[str, list[str]] = {}
    for release in RELEASES.values():
        for name, added in release.get("later", {}).items():
            released_later[name] = [*released_later.get(name, []), *added]
    known = {**nested(), **{tag: EVENTS[tag] for tag in EVENTS}}
    declared = {name: later_names(kind) for name, kind in known.items()}
    assert released_later == {name: added for name, added in declared.items() if added}


def test_the_spine_had_its_events():
    assert len(RELEASES["1"]["events"]) == 61
    assert {"order_entered", "lines_shipped", "shortage_escalated"} <= set(RELEASES["1"]["events"])
