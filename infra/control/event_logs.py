"""Reads event logs of any system: XES (IEEE 1849) or CSV, plain or gzipped, with the line of what can't be read."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.bank.unreadable import UnreadableStatement, shown
from infra.bank.xml_events import events as xml_events
from infra.bank.xml_events import looks_like_xml
from models.instants import render

MAX_BYTES = 128 * 1024 * 1024
"""Larger logs are refused, unpacked ones too: export them by period."""
MAX_EVENTS = 2_000_000

NAMES = {
    "case": ("case", "case_id", "case:concept:name", "trace", "caseid"),
    "activity": ("activity", "concept:name", "event", "task"),
    "resource": ("resource", "org:resource", "user", "actor"),
    "time": ("time", "time:timestamp", "timestamp", "at", "completed_at"),
    "on_behalf_of": ("on_behalf_of", "for"),
}
"""What an event says to the names of columns and attributes under which it may stand; the first one there counts."""
NEEDED = ("case", "activity", "time")


class UnreadableLog(ValueError):
    """A file that can't be read as an event log. `code` is stable: too_large, odd_encoding, malformed..."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event: what was done to which case by whom and when (UTC); `line` is where the file says so. `attributes` are
    all others, by their names in small letters; those of a trace stand in each of its events."""

    case: str
    activity: str
    resource: str
    at: str
    line: int
    on_behalf_of: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_log(body: bytes, name: str = "the file") -> Iterator[LogEvent]:
    """The events of a log in the order of the file. `name` is only for messages. Raises UnreadableLog and nothing else,
    at the event that can't be read."""
    data = _unpacked(body, name)
    found = _xes(data, name) if looks_like_xml(data) else _csv(data, name)
    count = 0
    for event in found:
        count += 1
        if count > MAX_EVENTS:
            raise UnreadableLog("too_large", f"{name} has more than {MAX_EVENTS:,} events: split it")
        yield event
    if not count:
        raise UnreadableLog("empty", f"{name} has no events")


def _unpacked(body: bytes, name: str) -> bytes:
    if body.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(body)) as packed:
                body = packed.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as problem:
            raise UnreadableLog("malformed", f"{name}: the gzip archive is broken: {problem}") from None
    if len(body) > MAX_BYTES:
        raise UnreadableLog("too_large", f"{name} has more than {MAX_BYTES:,} bytes: split it")
    return body


def _xes(data: bytes, name: str) -> Iterator[LogEvent]:
    try:
        yield from _traces(data, name)
    except UnreadableStatement as problem:
        why = "it declares a document type (DOCTYPE), so it is not read" if problem.code == "hostile_xml" else problem
        raise UnreadableLog(problem.code, f"{name}: {why}") from None


def _traces(data: bytes, name: str) -> Iterator[LogEvent]:
    """One trace after the other; what was read is taken out of the tree, so that a long log needs little memory."""
    acts: list[tuple[int, dict[str, str]]] = []
    root = True
    element: Any  # of which the stubs know less than lxml
    for what, element in xml_events(data):
        tag = element.tag.rpartition("}")[2]
        if root and what == "start" and tag != "log":
            raise UnreadableLog("unknown_format", f"{name} is XML, but no XES: it begins with {shown(tag)}")
        root = False
        if what == "start":
            continue
        if tag == "event":
            acts.append((element.sourceline or 0, _attributes(element)))
            element.clear()
        elif tag == "trace":
            trace = _attributes(element)
            case = {f"case:{key}": value for key, value in trace.items()}
            around = {**trace, **case}
            around.pop("concept:name", None)
            for line, act in acts:
                yield _event({**around, **act}, line, name)
            acts = []
            element.getparent().remove(element)


def _attributes(element: Any) -> dict[str, str]:
    pairs = ((child.get("key"), child.get("value")) for child in element if child.get("key"))
    return {key.casefold(): value or "" for key, value in pairs}


def _csv(data: bytes, name: str) -> Iterator[LogEvent]:
    rows = csv.reader(io.StringIO(_text(data, name), newline=""), delimiter=_delimiter(data), strict=True)
    heads: list[str] = []
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if not heads:
                heads = _heads(cells, name)
                continue
            if len(cells) != len(heads):
                why = f"{len(cells)} cells instead of {len(heads)}"
                raise UnreadableLog("malformed", f"{name}, line {rows.line_num}: {why}")
            yield _event(dict(zip(heads, map(str.strip, cells), strict=True)), rows.line_num, name)
    except csv.Error as problem:
        raise UnreadableLog("malformed", f"{name}, line {rows.line_num}: {problem}") from None


def _heads(cells: list[str], name: str) -> list[str]:
    heads = [cell.strip().casefold() for cell in cells]
    if twice := sorted({head for head in heads if head and heads.count(head) > 1}):
        raise UnreadableLog("malformed", f"{name}: two columns are called {', '.join(twice)[:80]}")
    for what in NEEDED:
        if not set(heads) & set(NAMES[what]):
            wanted = f"{what} (or {', '.join(NAMES[what][1:])})"
            found = shown(", ".join(heads), 120)
            raise UnreadableLog("unknown_format", f"{name} has no column {wanted}; found: {found}")
    return heads


def _delimiter(data: bytes) -> str:
    first = data[:4_000].split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda mark: first.count(mark.encode()))


def _text(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise UnreadableLog("odd_encoding", f"{name}, line {line}: the file is no UTF-8") from None


def _event(told: Mapping[str, str], line: int, name: str) -> LogEvent:
    found = {what: next((told[key] for key in keys if told.get(key)), "") for what, keys in NAMES.items()}
    if missing := [what for what in NEEDED if not found[what]]:
        raise UnreadableLog("malformed", f"{name}, line {line}: an event without {' and '.join(missing)}")
    try:
        at = _instant(found["time"])
    except (ValueError, OverflowError):
        raise UnreadableLog("malformed", f"{name}, line {line}: {shown(found['time'])} is no time") from None
    return LogEvent(found["case"], found["activity"], found["resource"], at, line, found["on_behalf_of"], told)


def _instant(text: str) -> str:
    """An instant in UTC; a time without a zone is taken as one."""
    moment = datetime.fromisoformat(text)
    return render(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
