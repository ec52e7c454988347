"""Import reports for people, kept as JSON in the data folder, and the exit code that they lead to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from cli.exits import ExitCode
from cli.imports.report import Report, by_reason, line_numbers
from cli.session import Session

_MOST_NUMBERS = 160  # characters of line numbers on the screen; the kept report has them all
_STYLE = {"refused": "bold red", "repaired": "yellow", "remark": ""}


def show_reports(session: Session, reports: list[Report], kept: Path) -> None:
    """Counts per file, then each reason with its lines."""
    screen = session.screen
    rows = [(Path(r.source).name, r.rows, r.imported, r.repaired, r.refused, r.unchanged) for r in reports]
    columns = ("file", "rows in>", "imported>", "repaired>", "refused>", "unchanged>")
    screen.table("Rows in = imported + repaired + refused", columns, rows)
    for report in reports:
        name = Path(report.source).name
        for note in report.notes:
            screen.line(f"{name}: {note}")
        for (outcome, reason), lines in by_reason(report.findings).items():
            numbers = line_numbers(lines)
            if len(numbers) > _MOST_NUMBERS:
                numbers = f"{numbers[:_MOST_NUMBERS].rpartition(',')[0]}, ... ({len(lines)} rows)"
            screen.line(f"{outcome:>8}  {name} line {numbers}: {reason}", _STYLE[outcome])
    screen.line(f"full report: {kept}")


def keep_report(session: Session, plain: Any) -> Path:
    """Write a report into the data folder and answer where."""
    folder = session.settings.data_dir / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"import-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def end_with(reports: list[Report], allow_refused: bool) -> None:
    """Exit code 5 when rows were refused. Raises typer.Exit."""
    if not allow_refused and any(report.refused for report in reports):
        raise typer.Exit(ExitCode.BAD_DATA)
