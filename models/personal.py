"""What is personal in what callers say: which fields of payloads, which pieces of a text, and the tokens that stand in
their place. Nothing here knows a secret."""

import hashlib
import re
import typing
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache, lru_cache
from typing import Any

TOKEN = re.compile(r"pv_[0-9a-f]{64}")
"""A token: `pv_` and the commitment to a value that is kept elsewhere, under a key of its person."""

ERASED = "[erased]"
"""What is read where a value was destroyed."""

PERSON_FIELDS = frozenset({"signatory", "given_by"})
"""Fields of payloads that say who at the customer it was: kept apart whole, whatever stands there."""

TEXT_FIELDS = frozenset(
    {"reason", "note", "text", "outcome", "answer", "cause", "what", "decision_process", "our_position"}
    | {"their_position", "resolution", "evidence", "prevention", "special_clauses", "channel"}
)
"""Free text of payloads. Nobody is to write about persons there, but it happens: what tells who somebody is, is kept
apart piece by piece. Not here are the names by which acts find each other (a clause, a hold, a milestone)."""

NAME, EMAIL, PHONE = "name", "email", "phone"

_TITLES = frozenset({"Herr", "Frau", "Mister", "Miss", "Prof", "Dipl", "Ing", "Mrs", "Signor", "Signora", "Domnul"})
_SHORTEST_WORD, _SHORTEST_VALUE, _FEWEST_DIGITS = 3, 2, 6
_ANY_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_ANY_PHONE = re.compile(r"(?<![\w+])\+[1-9](?:[ ()/.-]{0,2}[0-9]){7,14}(?![0-9])")
_BETWEEN_DIGITS = r"[ ()/.\u00a0-]{0,3}"

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """Something by which a person is known: `subject` is whose it is, `kind` is name, email or phone."""

    subject: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of a text that tells who somebody is; `subject` is empty when it is nobody we know."""

    start: int
    end: int
    subject: str
    kind: str
    text: str


def commitment(salt: bytes, value: str) -> str:
    """What stands for a value: SHA-256 over its salt of 32 bytes and its UTF-8, in hex. Who is shown salt and value can
    check it; who is not learns nothing, not even by guessing."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def token(of: str) -> str:
    """The token of a commitment."""
    return f"pv_{of}"


def tokens_in(value: Any) -> set[str]:
    """All tokens anywhere in a plain value."""
    return {found for text in texts_in(value) for found in TOKEN.findall(text)}


def mentions(text: str, known: Iterable[Known]) -> list[Mention]:
    """The pieces of a text that tell who somebody is, in their order and apart from each other.

    Names, addresses and numbers that are known count in any spelling of case and spaces, single words of a name as they
    are written in it; and so does whatever is an e-mail address or an international telephone number.
    """
    folded = text.casefold()
    taken = [found.span() for found in TOKEN.finditer(text)]
    found = [mention for one in known for mention in _mentions_of(one, text, folded)]
    if "@" in text:
        found += [Mention(*hit.span(), "", EMAIL, hit[0]) for hit in _ANY_EMAIL.finditer(text)]
    if "+" in text:
        found += [Mention(*hit.span(), "", PHONE, hit[0]) for hit in _ANY_PHONE.finditer(text)]
    kept: list[Mention] = []
    # the longest first: a surname inside of an address is that address; what is known before what only looks alike
    for mention in sorted(found, key=lambda m: (m.start - m.end, not m.subject, m.start)):
        if all(mention.end <= start or end <= mention.start for start, end in taken):
            taken.append((mention.start, mention.end))
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def without(text: str, pieces: Sequence[Mention], put: Callable[[Mention], str]) -> str:
    """The text with something else in the place of its pieces."""
    parts, at = [], 0
    for piece in pieces:
        parts += [text[at : piece.start], put(piece)]
        at = piece.end
    return "".join([*parts, text[at:]])


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A plain value with all its texts changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: each_text(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [each_text(inner, change) for inner in value]
    return value


def each_personal(kind: type[Any], payload: Plain, person: Callable[[str], str], free: Callable[[str], str]) -> Plain:
    """A payload of a kind with its fields about persons and its free texts changed, however deep they stand."""
    changed = dict(payload)
    shape: dict[str, Any] = _shape(typing.cast(Hashable, kind))
    for name, how in shape.items():
        value = payload.get(name)
        if value in (None, "", [], ()):
            continue
        if how == "person":
            changed[name] = each_text(value, person)
        elif how == "text":
            changed[name] = each_text(value, free)
        elif isinstance(value, list | tuple):
            changed[name] = [each_personal(how, inner, person, free) for inner in value]
        else:
            changed[name] = each_personal(how, value, person, free)
    return changed


def has_personal(kind: type[Any], payload: Plain) -> bool:
    """Whether a payload says anything in a field about persons or in a free text."""
    said: list[str] = []

    def note(text: str) -> str:
        said.append(text)
        return text

    each_personal(kind, payload, note, note)
    return any(said)


@cache
def _shape(kind: Any) -> dict[str, Any]:
    """The fields of a payload that count: `person`, `text`, or the dataclass that stands there."""
    found: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(kind).items():
        inner = next((one for one in (hint, *typing.get_args(hint)) if is_dataclass(one)), None)
        if inner is not None:
            found |= {name: inner} if _shape(typing.cast(Hashable, inner)) else {}
        elif hint in (str, tuple[str, ...]) and name in PERSON_FIELDS | TEXT_FIELDS:
            found[name] = "person" if name in PERSON_FIELDS else "text"
    return found


def texts_in(value: Any) -> Iterable[str]:
    """All texts anywhere in a plain value, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def _mentions_of(one: Known, text: str, folded: str) -> Iterable[Mention]:
    value = one.value.strip()
    if len(value) < _SHORTEST_VALUE:
        return
    for pattern in _patterns(one.kind, value):
        if pattern.needs in folded:
            for hit in pattern.regex.finditer(text):
                yield Mention(*hit.span(), one.subject, one.kind, hit[0])


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`needs` must stand in the folded text, which is quicker to look for than `regex`."""

    regex: re.Pattern[str]
    needs: str


@lru_cache(maxsize=1_000)
def _patterns(kind: str, value: str) -> tuple[_Pattern, ...]:
    forms = dict.fromkeys((value, unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)))
    if kind == PHONE:
        digits = re.findall(r"\d", value)
        if len(digits) < _FEWEST_DIGITS:
            return ()
        return (_Pattern(re.compile(r"(?<!\d)\+?" + _BETWEEN_DIGITS.join(digits) + r"(?!\d)"), ""),)
    found = [_pattern(form.split(), re.IGNORECASE) for form in forms]
    if kind == NAME:
        found += [_pattern([word], 0) for form in forms for word in _words(form)]
    return tuple(found)


def _pattern(words: list[str], flags: int) -> _Pattern:
    spelled = r"\s+".join(map(re.escape, words))
    return _Pattern(re.compile(rf"(?<!\w){spelled}(?!\w)", flags), words[0].casefold())


def _words(name: str) -> Iterable[str]:
    """Words of a name that tell by themselves who it is."""
    words = [word.strip(".,;()") for word in name.split()]
    for word in words if len(words) > 1 else ():
        if len(word) >= _SHORTEST_WORD and word[0].isupper() and word not in _TITLES:
            yield word
