"""A letter as it will be printed: the template filled with what the facts say, as text and as PDF show it alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from string import Template

from infra.gateways.letter_facts import Said, Table, say
from infra.gateways.letter_formats import formats
from infra.gateways.wording import COUNTED, Wording, clean, label, missing, without_facts

ALTERNATIVE = " || "
_CONTINUED = re.compile(r"\n\|\| ")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A running text, without line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels with their values; a value may have several lines."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its heads; `numeric` says which columns are set to the right."""

    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Pairs | Grid


@dataclass(frozen=True, slots=True)
class Page:
    """The whole letter. `head` has the names `date`, `to`, `reference` with their labels and values."""

    language: str
    head: Mapping[str, tuple[str, str]]
    title: str
    greeting: str
    blocks: tuple[Block, ...]
    closing: str
    sender: str
    page_of: str


def letter_page(words: Wording, kind: str, head: Mapping[str, str], facts: Mapping[str, str]) -> Page:
    """The letter; `head` are the lines above it by their names in the frame (`date`, `to`, ...). Raises BadFacts."""
    how, frame = formats(words.language), words.frame
    said = say(facts, words.values, how)
    title, _, body = words.texts[kind].partition("\n")
    title = without_facts(_chosen(title, words, said) or _uncounted(title), said.texts)
    above = {name: how.day(date.fromisoformat(value)) if _is_day(value) else value for name, value in head.items()}
    return Page(
        words.language,
        {name: (label(frame, name), _line(value)) for name, value in above.items()},
        _line(Template(title).substitute(said.texts)),
        frame["greeting"],
        tuple(
            block
            for text in re.split(r"\n\s*\n", _CONTINUED.sub(ALTERNATIVE, body.strip()))
            for block in _blocks(text, words, said)
        ),
        frame["closing"],
        frame["sender"],
        frame["page"],
    )


def _blocks(text: str, words: Wording, said: Said) -> list[Block]:
    match text.strip():
        case "$details":
            rows = tuple((label(words.labels, name), clean(value)) for name, value in said.details)
            return [Pairs(rows)] if rows else []
        case "$table":
            return [_grid(said.table, words)] if said.table else []
    lines = (_chosen(line, words, said) for line in text.split("\n"))
    filled = " ".join(_line(Template(line.strip()).substitute(said.texts)) for line in lines if line)
    return [Paragraph(filled)] if filled else []


def _grid(table: Table, words: Wording) -> Grid:
    heads = tuple(label(words.labels, name) for name in table.names)
    return Grid(heads, table.numeric, tuple(tuple(_line(cell) for cell in row) for row in table.rows))


def _chosen(line: str, words: Wording, said: Said) -> str:
    """The first alternative whose facts are given, with its plurals; empty when there is none."""
    for alternative in line.split(ALTERNATIVE):
        counted = COUNTED.findall(alternative)
        if any(name not in said.numbers for name, _ in counted):
            continue
        if not missing(COUNTED.sub("", alternative), said.texts):
            return COUNTED.sub(lambda found: _noun(found, words, said), alternative)
    return ""


def _noun(found: re.Match[str], words: Wording, said: Said) -> str:
    name, noun = found.groups()
    how = formats(words.language)
    form = words.plurals[noun][how.plural(said.numbers[name])]
    return form.replace("$n", f"${{{name}}}")


def _uncounted(title: str) -> str:
    return COUNTED.sub("", title.split(ALTERNATIVE)[-1]).strip()


def _line(value: str) -> str:
    return clean(value).replace("\n", " ")


def _is_day(value: str) -> bool:
    return _ISO_DAY.fullmatch(value) is not None
