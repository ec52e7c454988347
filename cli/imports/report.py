"""What became of an import's rows: every row is imported, repaired or refused, and the last two say line and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["repaired", "refused", "remark"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that was not taken as it stood; a `remark` is about a row that was."""

    line: int
    outcome: Outcome
    ref: str
    reason: str


@dataclass(slots=True)
class Report:
    """One file: rows in = imported + repaired + refused. `unchanged` of the good rows stood already, word for word."""

    source: str
    rows: int = 0
    unchanged: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, ref: str, reason: str) -> None:
        """This row is not imported."""
        self.findings.append(Finding(line, "refused", ref, reason))

    def repair(self, line: int, ref: str, reasons: Iterable[str]) -> None:
        """This row is imported otherwise than it stands."""
        self.findings += [Finding(line, "repaired", ref, reason) for reason in reasons]

    def remark(self, line: int, ref: str, reason: str) -> None:
        """Something to know about a row that is imported."""
        self.findings.append(Finding(line, "remark", ref, reason))

    @property
    def refused(self) -> int:
        """Rows that were not imported."""
        return len(self._lines("refused"))

    @property
    def repaired(self) -> int:
        """Rows that were imported with a change."""
        return len(self._lines("repaired") - self._lines("refused"))

    @property
    def imported(self) -> int:
        """Rows that were imported as they stand."""
        return self.rows - self.refused - self.repaired

    def plain(self) -> dict[str, Any]:
        """The report for programs."""
        counts = {"rows": self.rows, "imported": self.imported, "repaired": self.repaired, "refused": self.refused}
        findings = sorted((asdict(found) for found in self.findings), key=lambda found: int(found["line"]))
        return {
            "source": self.source,
            **counts,
            "unchanged": self.unchanged,
            "notes": self.notes,
            "findings": findings,
        }

    def _lines(self, outcome: Outcome) -> set[int]:
        return {found.line for found in self.findings if found.outcome == outcome}


def by_reason(findings: Iterable[Finding]) -> dict[tuple[Outcome, str], list[int]]:
    """The lines of each (outcome, reason), refusals first, in the order in which they were found."""
    grouped: dict[tuple[Outcome, str], list[int]] = {}
    for outcome in ("refused", "repaired", "remark"):
        for found in findings if isinstance(findings, list) else list(findings):
            if found.outcome == outcome:
                grouped.setdefault((found.outcome, found.reason), []).append(found.line)
    return grouped


def line_numbers(lines: Iterable[int]) -> str:
    """Line numbers for people, neighbours joined: ``2-5, 9``."""
    parts: list[list[int]] = []
    for line in sorted(set(lines)):
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
