"""Cuts the text of an MT940 file into messages and their fields, with line numbers.

The library's own cut takes a clock time that wraps to the start of a line (``:20:37``) for a field, and glues header
lines of a bank to the field before.
"""

import re
from dataclasses import dataclass, field

from infra.bank.unreadable import MAX_ENTRIES, too_many

_TAG = re.compile(r":(20|21|25P?|28C?|60[FM]?|61|62[FM]?|64|65|86|NS|13D?|34F|90[CD]):(.*)", re.DOTALL)
_HEADER = re.compile(r"\{2:[IO]([0-9]{3})")
_HEADER_LINE = re.compile(r"(?:-\}|\{[1-5]:)")
_LIKE_A_CLOCK = frozenset({"13", "20", "21", "25", "28"})
_AFTER_20 = ("13", "21", "25", "28", "34", "60", "NS")
_LOOK_AHEAD = 10
_FULL_LINE = 65
_MOST_FIELDS, _MOST_LINES = 4, 16  # for each entry that a file may have
_BREAK = re.compile(r"\r\n|\r|\n")
_TRANSMISSION_MARKS = dict.fromkeys(map(ord, "\x01\x02\x03\x04"))


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it stands in the file: its tag, its line number (from 1), its lines without the tag."""

    tag: str
    line: int
    lines: tuple[str, ...]

    @property
    def where(self) -> str:
        """Where the field is, for a message."""
        return f"line {self.line}, field :{self.tag}:"

    @property
    def first(self) -> str:
        """The first line without blanks around it."""
        return self.lines[0].strip()


@dataclass(slots=True)
class Message:
    """One message: the fields between :20: and the end of its page. `kind` is its number in the header, if any."""

    kind: str = ""
    fields: list[Field] = field(default_factory=list)

    def has(self, *tags: str) -> bool:
        """True when a field has one of these tags, which may be the beginnings of tags."""
        return any(each.tag.startswith(tags) for each in self.fields)


def looks_like_mt940(text: str) -> bool:
    """True when some line begins with a field of a customer statement."""
    return (
        re.search(r"(?:^|[\r\x01]):(?:20|21|25P?|28C?|60[FM]?|61|62[FM]?|64|65|86|34F|90[CD]):", text, re.MULTILINE)
        is not None
    )


def messages(text: str) -> list[Message]:
    """The messages of a file, in its order. Raises UnreadableStatement when there are too many."""
    if text.count("\n") + text.count("\r") > _MOST_LINES * MAX_ENTRIES:
        raise too_many("entries")
    cut = _Cut(_BREAK.split(text.translate(_TRANSMISSION_MARKS)))
    cut.run()
    return cut.found


class _Cut:
    def __init__(self, lines: list[str]) -> None:
        self.found: list[Message] = []
        self._lines = lines
        self._kind = ""
        self._tag, self._line = "", 0
        self._parts: list[str] = []
        self._count = 0
        self._closed = False

    def run(self) -> None:
        at = 0
        while at < len(self._lines):
            line = self._lines[at]
            if line.strip() == ":" and at + 1 < len(self._lines) and _TAG.match(":" + self._lines[at + 1]):
                at += 1  # some banks break the line within the tag
                line = ":" + self._lines[at]
            self._take(at, line)
            at += 1
        self._close()

    def _take(self, at: int, line: str) -> None:
        tag = _TAG.match(line)
        if tag is not None and not self._is_clock(at, tag[1]):
            self._close()
            self._begin(tag[1])
            self._tag, self._line, self._parts = tag[1], at + 1, [tag[2]]
        elif _HEADER_LINE.match(line):
            self._close()
            kind = _HEADER.search(line)
            self._kind = kind[1] if kind else self._kind
        elif line.strip() == "-" and not self._is_cut_text():
            if self._closed:
                self._close()
        elif self._tag:
            self._parts.append(line)

    def _is_clock(self, at: int, tag: str) -> bool:
        """True for a time of day in a text, such as :20:37 where 2026-11-21T16:20:37 wrapped."""
        if self._tag != "86" or tag not in _LIKE_A_CLOCK:
            return False
        if tag != "20":
            return not self._closed
        ahead = (_TAG.match(line) for line in self._lines[at + 1 : at + 1 + _LOOK_AHEAD])
        following = next((found[1] for found in ahead if found), "")
        return not following.startswith(_AFTER_20)

    def _is_cut_text(self) -> bool:
        """True behind a full line of :86:, where a lone hyphen is what did not fit into it."""
        return self._tag == "86" and len(self._parts[-1]) >= _FULL_LINE - (4 if len(self._parts) == 1 else 0)

    def _close(self) -> None:
        if self._tag:
            self.found[-1].fields.append(Field(self._tag, self._line, tuple(self._parts)))
        self._tag, self._parts = "", []

    def _begin(self, tag: str) -> None:
        """Opens a new message where the tag begins one. A page that follows in the same message takes its head over."""
        self._count += 1
        if self._count > _MOST_FIELDS * MAX_ENTRIES:
            raise too_many("entries")
        last = self.found[-1] if self.found else None
        another_page = self._closed and tag.startswith("60")
        another = last is None or tag == "20" or (tag.startswith("25") and self._closed) or another_page
        if another:
            head = (
                [each for each in last.fields if each.tag.startswith(("20", "25", "28"))]
                if last and another_page
                else []
            )
            self.found.append(Message(self._kind or (last.kind if last and another_page else ""), head))
            self._kind, self._closed = "", False
        self._closed = self._closed or tag.startswith("62")
