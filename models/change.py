"""A faster `dataclasses.replace` for the values that a fold over a timeline changes thousands of times."""

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _names(kind: Any) -> frozenset[str]:
    return frozenset(f.name for f in fields(kind))


def replace(value: T, /, **changes: Any) -> T:
    """A copy of a frozen dataclass (without slots and `__post_init__`) with some fields changed.

    About fifteen times as fast as `dataclasses.replace` for a deal's forty fields, as nothing is read one by
    one. Raises TypeError for a field that the dataclass does not have.
    """
    kind: Any = type(value)
    if not changes.keys() <= _names(kind):
        unknown = ", ".join(sorted(changes.keys() - _names(kind)))
        raise TypeError(f"{kind.__name__} has no field {unknown}")
    copy = object.__new__(kind)
    copy.__dict__.update(value.__dict__, **changes)
    result: T = copy
    return result
