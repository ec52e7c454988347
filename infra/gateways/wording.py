"""The words of letters and documents in the customers' languages, and how a page is laid out from them.

`templates/<language>.txt` has a section per kind: its title, then its text. `$details` stands for all facts, one a
line; a line that names a fact which isn't given is left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).parent / "templates"
DEFAULT_LANGUAGE = "en"
_DOCUMENT = "document "

_SECTION = re.compile(r"^=== (.+)$", re.MULTILINE)
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]")


class UnknownTemplate(ValueError):
    """There is no text for this kind of paper."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One language: `frame` for what all papers share, `labels` of facts, `values` in words, `texts` per kind."""

    language: str
    frame: Mapping[str, str]
    labels: Mapping[str, str]
    values: Mapping[str, str]
    texts: Mapping[str, str]


def letter_wording(kind: str, language: str) -> Wording:
    """The wording of a letter in the language, or in English when it isn't written in it. Raises UnknownTemplate."""
    if kind not in letter_kinds():
        raise UnknownTemplate(f"there is no letter {kind!r:.60}; known are {', '.join(letter_kinds())}")
    return _spoken(kind, language)


def document_wording(kind: str, language: str) -> Wording:
    """The wording of a document in the language, or in English. Raises UnknownTemplate."""
    if _DOCUMENT + kind not in _languages()[DEFAULT_LANGUAGE].texts:
        raise UnknownTemplate(f"there is no document {kind!r:.60}")
    return _spoken(_DOCUMENT + kind, language)


def letter_kinds(language: str = DEFAULT_LANGUAGE) -> tuple[str, ...]:
    """The letters that are written in a language."""
    return tuple(sorted(kind for kind in _languages()[language].texts if not kind.startswith(_DOCUMENT)))


def _spoken(text: str, language: str) -> Wording:
    known = _languages().get(language.lower()[:2])
    return known if known is not None and text in known.texts else _languages()[DEFAULT_LANGUAGE]


def letter(words: Wording, kind: str, head: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """A letter; `head` are the lines above it by their names in the frame (`date`, `to`, ...)."""
    title, body = _filled(words, kind, facts)
    frame = words.frame
    parts = (_table(words.frame, head), title, frame["greeting"], body, f"{frame['closing']}\n{frame['sender']}")
    return "\n\n".join(parts) + "\n"


def document(words: Wording, kind: str, head: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """A document: its title, the lines of its head, its text."""
    title, body = _filled(words, _DOCUMENT + kind, facts)
    return f"{title}\n{'=' * len(title)}\n\n{_table(words.frame, head)}\n\n{body}\n"


def _filled(words: Wording, kind: str, facts: Mapping[str, str]) -> tuple[str, str]:
    said = {name: words.values.get(value, value) for name, value in facts.items() if value}
    known = {**said, "details": _table(words.labels, said, indent="    ")}
    title, _, body = words.texts[kind].partition("\n")
    # a title is never left out, it goes without the fact instead
    title = re.sub(r"[\s:]*\$\w+", "", title) if _missing(title, known) else title
    lines = [line for line in body.strip().split("\n") if not _missing(line, known)]
    text = Template("\n".join(lines)).substitute(known)
    return _clean(Template(title).substitute(known)).replace("\n", " "), re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")


def _missing(line: str, known: Mapping[str, str]) -> bool:
    return any(not known.get(name) for name in Template(line).get_identifiers())


def _table(labels: Mapping[str, str], rows: Mapping[str, str], indent: str = "") -> str:
    """Rows as aligned lines; a value of several lines stands below its label."""
    named = [(_label(labels, name), _clean(value)) for name, value in rows.items()]
    width = max((len(label) for label, value in named if "\n" not in value), default=0) + 1
    lines = []
    for label, value in named:
        if "\n" in value:
            lines += [f"{indent}{label}:", *(f"{indent}  {line}".rstrip() for line in value.split("\n"))]
        else:
            lines.append(f"{indent}{f'{label}:':<{width}} {value}")
    return "\n".join(lines)


def _label(labels: Mapping[str, str], name: str) -> str:
    """What a fact is called; `line_2` is the second `line`."""
    stem, _, number = name.rpartition("_")
    if name not in labels and stem and number.isdecimal():
        return f"{_label(labels, stem)} {number}"
    return labels.get(name) or _clean(name).replace("\n", " ").replace("_", " ").capitalize()


def _clean(value: str) -> str:
    """Without control characters: nobody forges the lines of a letter through a name."""
    return _UNPRINTABLE.sub(" ", value)


@cache
def _languages() -> dict[str, Wording]:
    return {path.stem: _read(path) for path in sorted(TEMPLATES.glob("*.txt"))}


def _read(path: Path) -> Wording:
    _, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    sections = {name.strip(): text.strip("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}
    frame, labels, values = (_pairs(sections.pop(name)) for name in ("frame", "labels", "values"))
    return Wording(path.stem, frame, labels, values, sections)


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line)
    return {name.strip(): value.strip() for name, _, value in pairs}
