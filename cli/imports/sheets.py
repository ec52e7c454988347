"""Reads CSV files as people send them: any usual encoding, separator and column order, with the line of every row.

A line that can't be read costs that line, never the rest of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.exits import CommandFailed, ExitCode
from cli.imports.report import Report

LARGEST_FILE = 200 * 1024 * 1024
LONGEST_CELL = 10_000
_LONGEST_RECORD = 40  # lines of one row, when cells hold line breaks
_SEPARATORS = ",;\t|"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line on which it begins, and its cells by column, trimmed."""

    line: int
    cells: dict[str, str]


@dataclass(slots=True)
class Sheet:
    """The readable rows of a file; unreadable ones stand in the report already."""

    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)


def read_sheet(path: Path, required: Iterable[str], report: Report) -> Sheet:
    """Read a file. Raises CommandFailed when it isn't there, is no CSV, or lacks a required column."""
    text = _decoded(path, report)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise CommandFailed(ExitCode.BAD_DATA, f"{path} is empty", "the first line must name the columns")
    separator = max(_SEPARATORS, key=lines[first].count)
    columns = tuple(column_name(cell) for cell in next(csv.reader([lines[first]], delimiter=separator), []))
    _check_columns(path, columns, tuple(required))
    sheet = Sheet(columns)
    for line, cells, problem in _records(lines, first + 1, separator):
        if cells == [] or (cells is not None and not any(cell.strip() for cell in cells)):
            continue  # blank lines are no rows
        report.rows += 1
        problem = problem or _unfit(cells or [], columns)
        if problem:
            report.refuse(line, "", problem)
        else:
            filled = [cell.strip() for cell in cells or []]
            sheet.rows.append(Row(line, dict(zip(columns, filled, strict=False))))
    return sheet


def column_name(text: str) -> str:
    """A header's cell as a column name: ``Close Value `` is close_value."""
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")


def _decoded(path: Path, report: Report) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CommandFailed(ExitCode.BAD_DATA, f"{path} is larger than {LARGEST_FILE >> 20} MB", "split it")
        content = path.read_bytes()
    except IsADirectoryError:
        raise CommandFailed(ExitCode.NOT_FOUND, f"{path} is a folder, not a CSV file") from None
    except FileNotFoundError:
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no file {path}") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        report.notes.append("the file is not UTF-8; it was read as Windows-1252")
        return content.decode("cp1252", "replace")


def _check_columns(path: Path, columns: tuple[str, ...], required: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        advice = f"its first line names: {', '.join(name for name in columns if name) or 'nothing'}"[:300]
        raise CommandFailed(ExitCode.BAD_DATA, f"{path} has no column {', '.join(missing)}", advice)
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise CommandFailed(ExitCode.BAD_DATA, f"{path} has the column {', '.join(twice)} more than once")


def _records(lines: list[str], start: int, separator: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Line number, cells and problem of each record; after one that can't be read the next line is tried."""
    at = start
    while at < len(lines):
        piece = [f"{line}\n" for line in lines[at : at + _LONGEST_RECORD]]
        reader = csv.reader(piece, delimiter=separator, strict=True)
        try:
            cells = next(reader)
        except csv.Error as problem:
            yield at + 1, None, f"the line is no CSV: {problem}"
            at += 1
        else:
            yield at + 1, cells, ""
            at += reader.line_num


def _unfit(cells: list[str], columns: tuple[str, ...]) -> str:
    if len(cells) < len(columns):
        return f"the row has {len(cells)} cells, the header {len(columns)}"
    if any(cell.strip() for cell in cells[len(columns) :]):
        return f"the row has {len(cells)} cells, the header only {len(columns)}"
    if any(_CONTROL.search(cell) for cell in cells):
        return "the row holds control characters"
    if max(map(len, cells)) > LONGEST_CELL:
        return f"a cell is longer than {LONGEST_CELL} characters"
    return ""
