"""A faster `dataclasses.replace` for the values that a fold over a timeline changes thousands of times."""

from typing import Any, TypeVar

T = TypeVar("T")

_new, _set = object.__new__, object.__setattr__


def replace(value: T, /, **changes: Any) -> T:
    """A copy of a frozen dataclass (without slots and `__post_init__`) with some fields changed.

    About twenty times as fast as `dataclasses.replace` for a deal's forty fields, as nothing is read one by
    one. Raises TypeError for a field that the dataclass does not have.
    """
    before = value.__dict__
    after = before | changes
    if len(after) != len(before):
        unknown = ", ".join(sorted(changes.keys() - before.keys()))
        raise TypeError(f"{type(value).__name__} has no field {unknown}")
    copy = _new(type(value))
    _set(copy, "__dict__", after)
    return copy
