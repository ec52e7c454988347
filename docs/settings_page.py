"""docs/settings.md: every setting with its type, default and meaning, read off `infra.settings.Settings`."""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from infra.settings import PREFIX, Settings

_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
    SecretStr: "secret",
}

_INTRODUCTION = f"""\
# Settings

Dealwright is set up by environment variables that begin with `{PREFIX}`. None is required: without any,
`dealwright up` runs everything on this machine. A variable that is set but empty counts as not set. A misspelt one is
refused with the nearest right name, a wrong value with what would be right. The command line's options go before the
environment.

| variable | value | default | meaning |
|---|---|---|---|
"""

_CLOSING = """
## For a cluster

`docker-compose.yml` sets what its services need; the passwords come from the environment or from an `.env` file
(`.env.example` lists them). Keep secrets out of command lines and out of version control.
"""


def settings_page() -> str:
    """The page's text."""
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return _INTRODUCTION + "".join(rows) + _CLOSING


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{PREFIX}{name.upper()}` | {_value(field)} | {_default(field)} | {field.description} |\n"


def _value(field: FieldInfo) -> str:
    kind = next(part for part in _parts(field.annotation) if part is not NoneType)
    if get_origin(kind) is Literal:
        *others, last = (f"`{choice}`" for choice in get_args(kind))
        return f"{', '.join(others)} or {last}"
    low, high = (_bound(field, name) for name in ("ge", "le"))
    if low is not None and high is not None:
        return f"{_NAMES[kind]}, {low:,} to {high:,}"
    return f"{_NAMES[kind]}, at least {low:,}" if low is not None else _NAMES[kind]


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The members of `X | None`, each without its validators."""
    members = get_args(annotation) if NoneType in get_args(annotation) else (annotation,)
    return tuple(get_args(member)[0] if hasattr(member, "__metadata__") else member for member in members)


def _bound(field: FieldInfo, name: str) -> int | None:
    return next((getattr(constraint, name) for constraint in field.metadata if hasattr(constraint, name)), None)


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "shown_default" in extra:
        return str(extra["shown_default"])
    if field.default is None:
        return "not set"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
