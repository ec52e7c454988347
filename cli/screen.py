"""What people and programs see: tables or JSON on stdout, notes and progress on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 140
"""Columns of a table that goes into a file or a pipe."""


class Output(StrEnum):
    """Forms of a result."""

    TABLE = "table"
    JSON = "json"


class Screen:
    """Where a command shows its result. Notes and progress never mix with the result on stdout."""

    def __init__(self, output: Output = Output.TABLE, quiet: bool = False, pick: str = "") -> None:
        self.output, self.quiet, self.pick = output, quiet, pick

    @cached_property
    def console(self) -> Console:
        """The terminal, or a pipe that gets wide tables without colours."""
        from rich.console import Console

        piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        return Console(highlight=False, width=PIPED_WIDTH if piped else None)

    @cached_property
    def errors(self) -> Console:
        """The terminal's other stream."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def result(self, plain: Any, render: Callable[[], None]) -> None:
        """Show a result: one field of it, as JSON for programs, or as `render` draws it for people.

        Raises CommandFailed when it has no such field; what the command did is done.
        """
        if self.pick:
            for value in picked(plain, self.pick):
                print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))  # noqa: T201
        elif self.output is Output.JSON:
            self.json(plain)
        else:
            render()

    def json(self, plain: Any) -> None:
        """Plain values as JSON on stdout."""
        print(json.dumps(plain, ensure_ascii=False, indent=2))  # noqa: T201

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table; columns whose name ends with `>` are right-aligned, None is shown as nothing."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title, style="bold") if title else None, title_justify="left", box=box.SIMPLE_HEAD)
        for number, column in enumerate(columns):
            right = column.endswith(">")
            table.add_column(
                column.rstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=number == 0
            )
        for row in rows:
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        self.console.print(table)

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the result for people; nothing when the result is JSON or one field."""
        if self.output is Output.TABLE and not self.pick:
            from rich.text import Text

            self.console.print(Text(text, style=style), soft_wrap=True)

    def note(self, text: str) -> None:
        """A remark on stderr, unless --quiet."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr, on a terminal only; the function takes how many are done."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda done: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.errors, transient=True) as bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.update(task, completed=done)


def picked(plain: Any, path: str) -> list[Any]:
    """What stands at a path such as `offer.total` or `invoices.0.number`, the last at -1; without a number each item's.

    Raises CommandFailed.
    """
    found = [plain]
    for name in path.split("."):
        is_number = name.removeprefix("-").isdecimal()
        nested = [value if isinstance(value, list) and not is_number else [value] for value in found]
        found = [_field(value, name, path) for values in nested for value in values]
    return found


def _field(value: Any, name: str, path: str) -> Any:
    try:
        return value[int(name)] if isinstance(value, list) else value[name]
    except (LookupError, TypeError, ValueError):
        there = ", ".join(value) if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)[:200]
    message = f"the result has no {path}: instead of {name!r} there is {there or 'nothing'}"
    raise CommandFailed(ExitCode.NOT_FOUND, message)


def complain(message: str, advice: str = "") -> None:
    """The one or two lines that an error is worth."""
    print(f"dealwright: {message}", file=sys.stderr)  # noqa: T201
    if advice:
        print(f"  {advice}", file=sys.stderr)  # noqa: T201
