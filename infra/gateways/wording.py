"""The words of letters and documents in the customers' languages: the templates, read and checked.

`templates/<language>.txt` has a section `=== kind` for each letter and `=== document kind` for each document: its
title, then its text. Beside them: `frame` (what all papers share), `labels` of facts, `values` in words, `plurals`.

In texts:
- `$name` stands for a fact; a line that names a fact which isn't given is left out, and a title goes without it;
- `{days_late|days}` counts: the form of the noun `days` in section `plurals` that the number asks for. A noun has a
  form for each plural category of its language: `days: one=$n day|other=$n days`;
- in letters `one way. || another way.` takes the first of the alternatives whose facts are all given; a line that
  begins with `||` goes on with the alternatives of the line before;
- `$details` stands for all facts, one a line, `$table` for the table: each is a paragraph of its own in letters;
- lines of a letter's paragraph are joined and broken anew: a sentence that may be left out has a line to itself.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from infra.gateways.letter_formats import LOCALES, formats

TEMPLATES = Path(__file__).parent / "templates"
DEFAULT_LANGUAGE = "en"
BLOCKS = ("details", "table")
"""What stands for a paragraph that is no sentence."""

_DOCUMENT = "document "
_PAIRED = ("frame", "labels", "values", "plurals")
_FRAME = frozenset({"date", "to", "reference", "version", "greeting", "closing", "sender", "page"})

_SECTION = re.compile(r"^=== (.+)$", re.MULTILINE)
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COUNTED = re.compile(r"\{(\w+)\|(\w+)\}")
"""`{fact|noun}`."""


class UnknownTemplate(ValueError):
    """There is no text for this kind of paper."""


class BadTemplate(ValueError):
    """A template file can't be used: what is wrong with it, one problem a line."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One language: `frame` for what all papers share, `labels` of facts, `values` in words, `texts` per kind.

    `plurals` has for each noun that is counted its form per plural category.
    """

    language: str
    frame: Mapping[str, str]
    labels: Mapping[str, str]
    values: Mapping[str, str]
    texts: Mapping[str, str]
    plurals: Mapping[str, Mapping[str, str]]


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


def document(words: Wording, kind: str, head: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """A document: its title, the lines of its head, its text."""
    said = {name: words.values.get(value, value) for name, value in facts.items() if value}
    known = {**said, "details": aligned(labelled(words.labels, said), indent="    ")}
    title, _, body = words.texts[_DOCUMENT + kind].partition("\n")
    title = clean(Template(without_facts(title, known)).substitute(known)).replace("\n", " ")
    lines = [line for line in body.strip().split("\n") if not missing(line, known)]
    text = re.sub(r"\n{4,}", "\n\n\n", Template("\n".join(lines)).substitute(known)).strip("\n")
    return f"{title}\n{'=' * len(title)}\n\n{aligned(labelled(words.frame, head))}\n\n{text}\n"


def without_facts(title: str, known: Mapping[str, str]) -> str:
    """A title is never left out: it goes without the facts instead, when one of them is missing."""
    return re.sub(r"[\s:]*\$\w+", "", title) if missing(title, known) else title


def missing(text: str, known: Mapping[str, str]) -> bool:
    """Whether a text names a fact that isn't given."""
    return any(not known.get(name) for name in Template(text).get_identifiers())


def aligned(rows: Iterable[tuple[str, str]], indent: str = "") -> str:
    """Labels and values as aligned lines; a value of several lines stands below its label."""
    named = list(rows)
    width = max((len(label) for label, value in named if "\n" not in value), default=0) + 1
    lines = []
    for name, value in named:
        if "\n" in value:
            lines += [f"{indent}{name}:", *(f"{indent}  {line}".rstrip() for line in value.split("\n"))]
        else:
            lines.append(f"{indent}{f'{name}:':<{width}} {value}")
    return "\n".join(lines)


def labelled(labels: Mapping[str, str], facts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Facts by what they are called, without control characters."""
    return [(label(labels, name), clean(value)) for name, value in facts.items()]


def label(labels: Mapping[str, str], name: str) -> str:
    """What a fact is called; `line_2` is the second `line`."""
    stem, _, number = name.rpartition("_")
    if name not in labels and stem and number.isdecimal():
        return f"{label(labels, stem)} {number}"
    return labels.get(name) or clean(name).replace("\n", " ").replace("_", " ").capitalize()


def clean(value: str) -> str:
    """Without control characters: nobody forges the lines of a letter through a name, nor turns them around."""
    return _UNPRINTABLE.sub(" ", value)


@cache
def _languages() -> dict[str, Wording]:
    return {path.stem: read_wording(path) for path in sorted(TEMPLATES.glob("*.txt"))}


def read_wording(path: Path) -> Wording:
    """The wording in a file that is named after its language. Raises BadTemplate."""
    _, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    sections = {name.strip(): text.strip("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}
    frame, labels, values, nouns = (_pairs(sections.pop(name, "")) for name in _PAIRED)
    plurals = {noun: _forms(forms) for noun, forms in nouns.items()}
    words = Wording(path.stem, frame, labels, values, sections, plurals)
    problems = list(_problems(words))
    if problems:
        raise BadTemplate("\n".join(f"{path.name}: {problem}" for problem in problems))
    return words


def _problems(words: Wording) -> Iterator[str]:
    if words.language not in LOCALES:
        yield f"there are no formats for the language {words.language}"
        return
    yield from (f"the frame has no {name}" for name in sorted(_FRAME - words.frame.keys()))
    needed = formats(words.language).plurals
    for noun, forms in words.plurals.items():
        if forms.keys() != needed:
            yield f"{noun} has the plural forms {sorted(forms)}, and the language has {sorted(needed)}"
    for kind, text in words.texts.items():
        yield from (f"{kind}: {problem}" for problem in _problems_of(kind, text, words))


def _problems_of(kind: str, text: str, words: Wording) -> Iterator[str]:
    if not Template(text).is_valid():
        yield "a $ that names no fact"
    yield from (
        f"counts in {noun}, which has no forms" for _, noun in COUNTED.findall(text) if noun not in words.plurals
    )
    if "{" in COUNTED.sub("", text):
        yield "a { that counts nothing"
    for paragraph in re.split(r"\n\s*\n", text):
        alone = paragraph.strip() in {f"${block}" for block in BLOCKS}
        if not alone and not kind.startswith(_DOCUMENT) and re.search(r"\$\{?(details|table)\b", paragraph):
            yield "$details and $table are paragraphs of their own"


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _forms(text: str) -> dict[str, str]:
    pairs = (form.partition("=") for form in text.split("|"))
    return {category.strip(): form.strip() for category, _, form in pairs}
