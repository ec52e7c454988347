"""The forms of an event log: OCEL 2.0 as JSON, XES (IEEE 1849-2016) and CSV, written piece by piece.

The same deals give the same text to the last character.
"""

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from xml.sax.saxutils import quoteattr

from models.event_log import EVENT_ATTRIBUTES, DealLog, LoggedEvent, LoggedObject, object_types
from models.event_log_objects import Value

NAMES = ("ocel", "xes", "csv")
WITH_OBJECTS = frozenset({"ocel"})
"""Forms that tell of objects; the others know cases alone, and so have no amounts to tell either."""
MEDIA_TYPES = {"ocel": "application/json", "xes": "application/xml", "csv": "text/csv; charset=utf-8"}
FILES = {"ocel": "jsonocel", "xes": "xes", "csv": "csv"}
"""How the names of files end by which process-mining tools know a form."""
COLUMNS = (
    *("case", "activity", "resource", "time", "role", "on_behalf_of", "sequence"),
    *("state_from", "state_to", "policy_version", "customer"),
)
"""Columns of the CSV form; who reads event logs knows the first four by these names."""

_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of events that wait in memory while the objects are written; more of them wait in a file without a name."""

_CHUNK = 1024 * 1024
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Form(Protocol):
    """A form that is being written: `head` first, then `deals` for all deals in their order, then `tail`."""

    def head(self) -> str:
        """What stands before the first deal."""

    def deals(self, logs: Sequence[DealLog]) -> str:
        """Some deals."""

    def tail(self) -> Iterator[str]:
        """What comes after the last deal, in pieces."""

    def close(self) -> None:
        """Give back what it holds."""


def form_of(name: str, with_amounts: bool, known: frozenset[str]) -> Form:
    """The form of a name; `known` are the ids of all deals of the log. Raises ValueError for an unknown name."""
    if name == "ocel":
        return OcelForm(with_amounts, known)
    if name == "xes":
        return XesForm()
    if name == "csv":
        return CsvForm()
    raise ValueError(f"a form is one of {', '.join(NAMES)}, not {name!r}")


class OcelForm:
    """OCEL 2.0 as JSON. Objects come before events, which wait until all objects are written.

    The published schema wants every value as text; the types that they stand for are declared.
    """

    def __init__(self, with_amounts: bool, known: frozenset[str]) -> None:
        self._types = object_types(with_amounts)
        self._known = {f"deal:{deal_id}" for deal_id in known}
        self._shared: set[str] = set()
        self._activities: set[str] = set()
        self._events = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._first = {"objects": True, "events": True}

    def head(self) -> str:
        """The types of objects."""
        return f'{{"objectTypes":{_json(_declared(self._types))},\n"objects":['

    def deals(self, logs: Sequence[DealLog]) -> str:
        """Their objects; the events are put aside."""
        objects = []
        for log in logs:
            objects += [self._object(found) for found in log.objects if self._is_new(found)]
            self._activities |= {event.activity for event in log.events}
            self._events.write(self._listed("events", [_json(_event(event)) for event in log.events]))
        return self._listed("objects", objects)

    def tail(self) -> Iterator[str]:
        """The events, and the types that they have."""
        yield '\n],\n"events":['
        self._events.seek(0)
        while piece := self._events.read(_CHUNK):
            yield piece
        types = dict.fromkeys(sorted(self._activities), EVENT_ATTRIBUTES)
        yield f'\n],\n"eventTypes":{_json(_declared(types))}}}\n'

    def close(self) -> None:
        """Forget the events."""
        self._events.close()

    def _is_new(self, found: LoggedObject) -> bool:
        """Customers have deals in common; everything else belongs to one."""
        if found.type != "customer":
            return True
        is_new = found.id not in self._shared
        self._shared.add(found.id)
        return is_new

    def _object(self, found: LoggedObject) -> str:
        links = [each for each in found.links if not each.target.startswith("deal:") or each.target in self._known]
        plain = {
            "id": found.id,
            "type": found.type,
            "attributes": [
                {"name": each.name, "value": _text(each.value), "time": each.time} for each in found.changes
            ],
            "relationships": [{"objectId": each.target, "qualifier": each.qualifier} for each in links],
        }
        return _json(plain)

    def _listed(self, name: str, items: Sequence[str]) -> str:
        if not items:
            return ""
        begin = "\n" if self._first[name] else ",\n"
        self._first[name] = False
        return begin + ",\n".join(items)


class XesForm:
    """XES: one trace a deal, with the extensions concept, time, organizational and lifecycle."""

    def head(self) -> str:
        """Extensions, what every trace and event has, and by what events are told apart."""
        extensions = (("Concept", "concept"), ("Time", "time"), ("Organizational", "org"), ("Lifecycle", "lifecycle"))
        named = "".join(
            f'<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>\n'
            for name, prefix in extensions
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">\n'
            f"{named}"
            '<global scope="trace"><string key="concept:name" value=""/></global>\n'
            '<global scope="event"><string key="concept:name" value=""/>'
            '<date key="time:timestamp" value="1970-01-01T00:00:00Z"/><string key="org:resource" value=""/>'
            '<string key="lifecycle:transition" value="complete"/></global>\n'
            '<classifier name="Activity" scope="event" keys="concept:name"/>\n'
            '<string key="concept:name" value="Deals"/>\n'
        )

    def deals(self, logs: Sequence[DealLog]) -> str:
        """Their traces."""
        return "".join(map(_trace, logs))

    def tail(self) -> Iterator[str]:
        """The end."""
        yield "</log>\n"

    def close(self) -> None:
        """Nothing is held."""


class CsvForm:
    """One row an event, as RFC 4180 has it, after a row of names."""

    def head(self) -> str:
        """The names of the columns."""
        return _rows([COLUMNS])

    def deals(self, logs: Sequence[DealLog]) -> str:
        """Their events."""
        return _rows(_row(log, event) for log in logs for event in log.events)

    def tail(self) -> Iterator[str]:
        """Nothing."""
        yield from ()

    def close(self) -> None:
        """Nothing is held."""


def _declared(types: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "attributes": [{"name": each, "type": form} for each, form in attributes.items()]}
        for name, attributes in types.items()
    ]


def _event(event: LoggedEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.activity,
        "time": event.time,
        "attributes": [{"name": name, "value": _text(value)} for name, value in event.attributes.items()],
        "relationships": [{"objectId": each.target, "qualifier": each.qualifier} for each in event.links],
    }


def _trace(log: DealLog) -> str:
    named = _attribute("string", "concept:name", log.deal_id) + _attribute("string", "customer", log.customer)
    return f"<trace>{named}\n{''.join(map(_logged, log.events))}</trace>\n"


def _logged(event: LoggedEvent) -> str:
    told = event.attributes
    parts = [
        _attribute("string", "concept:name", event.activity),
        _attribute("date", "time:timestamp", event.time),
        _attribute("string", "org:resource", told["resource"]),
        _attribute("string", "lifecycle:transition", "complete"),
        _attribute("string", "org:role", told["role"]),
        _attribute("int", "sequence", told["sequence"]),
    ]
    parts += [
        _attribute("string", name, told[name]) for name in ("on_behalf_of", "state_from", "state_to", "policy_version")
    ]
    return f"<event>{''.join(parts)}</event>\n"


def _attribute(kind: str, key: str, value: Value) -> str:
    return f"<{kind} key={quoteattr(key)} value={quoteattr(_NOT_XML.sub('?', _text(value)))}/>"


def _row(log: DealLog, event: LoggedEvent) -> list[Value]:
    known = {"case": log.deal_id, "activity": event.activity, "time": event.time, "customer": log.customer}
    told = event.attributes | known
    return [told[name] for name in COLUMNS]


def _rows(rows: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
