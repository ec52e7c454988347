"""Plain JSON values to frozen dataclasses and back, strictly: unknown fields, wrong types and NaN are refused.

The core keeps its own small codec because the same values are read in a workflow, in a fold over a
timeline and in an offline verifier, none of which may need more than the standard library.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST = 2**53 - 1
"""Whole numbers up to this survive every JSON reader (RFC 8785 writes no others)."""

Decoder = Callable[[Any, str], Any]


class Malformed(ValueError):
    """A value does not have the declared shape; `where` is the path of the field, `why` says what is wrong."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where or 'body'}: {why}")
        self.where, self.why = where, why


def encode(value: Any) -> Any:
    """Dataclasses, tuples and enums to dicts, lists and strings; plain values pass through."""
    kind: Any = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    form = _plain_form(kind)
    if form is not None:
        names, added = form
        plain = {name: encode(getattr(value, name)) for name in names}
        for name, default in added:
            if (found := getattr(value, name)) != default:
                plain[name] = encode(found)
        return plain
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list, frozenset)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    raise TypeError(f"{kind.__name__} has no plain form")


def decode(kind: type[T], value: Any, where: str = "") -> T:
    """Build a `kind` from plain values. Raises Malformed with the path of the first wrong field."""
    hashable: Any = kind
    result: T = _decoder(hashable)(value, where)
    return result


def revive(kind: type[T], plain: dict[str, Any], beside: str = "") -> T:
    """Rebuild a value that `encode` made, trusting its plain fields: for folds over timelines whose chain is
    verified. `beside` is a key of `plain` that is no field. Raises Malformed when the fields are not those of
    `kind`."""
    hashable: Any = kind
    form = _form(hashable)
    try:
        if len(plain) == form.count + (beside != ""):
            values = form.pick(plain)
            if form.nested:
                values = list(values)
                for place, _, rebuild in form.nested:
                    values[place] = rebuild(values[place])
            return kind(*values)
    except (KeyError, TypeError, AttributeError):
        pass
    return _revive_by_name(kind, {k: v for k, v in plain.items() if k != beside}, form)


def _revive_by_name(kind: type[T], plain: dict[str, Any], form: "_Form") -> T:
    """The same for what older code wrote, where fields with a default may be missing."""
    nested = {name: rebuild for _, name, rebuild in form.nested}
    try:
        return kind(**{k: nested[k](v) if k in nested else v for k, v in plain.items()})
    except (TypeError, AttributeError) as problem:
        raise Malformed(kind.__name__, str(problem)) from None


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """A dataclass's fields: how many, how to take them all from a dict, and which must be rebuilt (place, name)."""

    count: int
    pick: Callable[[dict[str, Any]], Sequence[Any]]
    nested: tuple[tuple[int, str, Callable[[Any], Any]], ...]


@cache
def _form(kind: Any) -> _Form:
    hints = typing.get_type_hints(kind)
    names = tuple(f.name for f in dataclasses.fields(kind))
    nested = ((place, name, _reviver(hints[name])) for place, name in enumerate(names))
    picker: Any = itemgetter(*names) if len(names) > 1 else lambda plain: [plain[name] for name in names]
    return _Form(len(names), picker, tuple((place, name, how) for place, name, how in nested if how is not None))


@cache
def _reviver(kind: Any) -> Callable[[Any], Any] | None:
    """How to rebuild a field, or None when its plain form is the value itself."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        inner = _reviver(next(a for a in arguments if a is not type(None)))
        return inner and (lambda value: None if value is None else inner(value))
    if origin is tuple:
        each = _reviver(arguments[0])
        return (lambda value: tuple([each(v) for v in value])) if each else tuple
    if origin is dict:
        item = _reviver(arguments[1])
        return item and (lambda value: {k: item(v) for k, v in value.items()})
    if dataclasses.is_dataclass(kind):
        return lambda value: revive(typing.cast("type[Any]", kind), value)
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else None


@cache
def _plain_form(kind: Any) -> tuple[tuple[str, ...], tuple[tuple[str, Any], ...]] | None:
    """The fields that are always written, and those that are only when they differ from their default."""
    if not dataclasses.is_dataclass(kind):
        return None
    fields = dataclasses.fields(kind)
    added = tuple((f.name, f.default) for f in fields if is_later(f))
    return tuple(f.name for f in fields if not is_later(f)), added


def later(default: Any) -> Any:
    """A dataclass field that came after a release: left out of the plain form while it has its default, so that what
    was hashed before keeps its hash. The default must be immutable, and `dataclasses.field` rules apply."""
    return dataclasses.field(default=default, metadata=_LATER)


def is_later(field: "dataclasses.Field[Any]") -> bool:
    """Whether a field was declared with `later`."""
    return "later" in field.metadata


_LATER = {"later": True}


@cache
def _decoder(kind: Any) -> Decoder:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda value, where: value
    if origin is typing.Annotated:
        return _decoder(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _sequence(arguments)
    if origin is dict:
        return _mapping(arguments[1])
    if dataclasses.is_dataclass(kind):
        return _record(typing.cast(type, kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice(kind)
    if kind is str or kind is int or kind is bool:
        return _plain(kind)
    raise TypeError(f"no decoder for {kind!r}")


def _plain(kind: type) -> Decoder:
    def read(value: Any, where: str) -> Any:
        found: Any = type(value)
        if found is not kind:
            raise Malformed(where, f"expected {kind.__name__}, got {found.__name__}")
        if kind is str:
            _check_text(value, where)
        elif kind is int and abs(value) > LARGEST:
            raise Malformed(where, f"numbers are from -{LARGEST} to {LARGEST}")
        return value

    return read


def _check_text(value: str, where: str) -> None:
    """Refuse what canonical JSON or a database could not keep."""
    if "\x00" in value:
        raise Malformed(where, "NUL characters are not allowed")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Malformed(where, "half of a surrogate pair is no character") from None


def _choice(kind: type[Enum]) -> Decoder:
    def read(value: Any, where: str) -> Any:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise Malformed(where, f"{value!r} is none of: {known}") from None

    return read


def _optional(arguments: tuple[Any, ...]) -> Decoder:
    inner = [a for a in arguments if a is not type(None)]
    if len(inner) != 1:
        raise TypeError(f"only optional unions have a plain form, not {arguments!r}")

    def read(value: Any, where: str) -> Any:
        return None if value is None else _decoder(inner[0])(value, where)

    return read


def _sequence(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) != 2 or arguments[1] is not Ellipsis:
        raise TypeError("tuples are sequences of one kind here: tuple[T, ...]")

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise Malformed(where, f"expected a list, got {type(value).__name__}")
        item = _decoder(arguments[0])
        return tuple(item(v, f"{where}[{i}]") for i, v in enumerate(value))

    return read


def _mapping(item_kind: Any) -> Decoder:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise Malformed(where, f"expected an object, got {type(value).__name__}")
        item = _decoder(item_kind)
        for key in value:
            _check_text(str(key), where)
        return {str(k): item(v, f"{where}.{k}") for k, v in value.items()}

    return read


def _record(kind: type) -> Decoder:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    known = {f.name for f in fields}
    required = {f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    readers: dict[str, Decoder] = {}

    def read(value: Any, where: str) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, dict):
            raise Malformed(where, f"expected an object, got {type(value).__name__}")
        if unknown := sorted(set(value) - known):
            raise Malformed(f"{where}.{unknown[0]}".lstrip("."), "unknown field")
        if missing := sorted(required - set(value)):
            raise Malformed(f"{where}.{missing[0]}".lstrip("."), "required field is missing")
        if not readers:
            readers.update({name: _decoder(hints[name]) for name in known})
        try:
            return kind(**{k: readers[k](v, f"{where}.{k}".lstrip(".")) for k, v in value.items()})
        except Malformed:
            raise
        except ValueError as problem:
            raise Malformed(where, str(problem)) from None

    return read
