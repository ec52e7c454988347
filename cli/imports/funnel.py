"""The funnel per agent, as the rows tell it and as the engine's deals do: they must be equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cli.imports.driving import Driven
from cli.imports.opportunities import Outcome
from cli.imports.steps import outcome_of

STAGES = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Line:
    """One agent: how many opportunities per outcome, in the rows and in the engine."""

    agent: str
    rows: dict[str, int]
    deals: dict[str, int]

    @property
    def is_equal(self) -> bool:
        """True when both tell the same."""
        return self.rows == self.deals


@dataclass(frozen=True, slots=True)
class Funnel:
    """All agents, and the deals that are not where their row says or did not last as long."""

    lines: list[Line]
    strays: list[Driven]

    @property
    def is_equal(self) -> bool:
        """True when every agent's figures agree and every deal is where it should be, after its own days."""
        return not self.strays and all(line.is_equal for line in self.lines)

    def plain(self) -> dict[str, Any]:
        """The funnel for programs."""
        lines = [
            {"agent": line.agent, "rows": line.rows, "deals": line.deals, "equal": line.is_equal} for line in self.lines
        ]
        strays = [
            {
                "line": stray.row.line,
                "opportunity": stray.row.ref,
                "deal": stray.deal_id,
                "wanted": f"{stray.row.outcome} after {stray.row.days} days",
                "state": stray.state,
                "days": stray.days,
                "problem": stray.problem or "another length",
            }
            for stray in self.strays
        ]
        return {"equal": self.is_equal, "agents": lines, "strays": strays}


def funnel_of(driven: Iterable[Driven]) -> Funnel:
    """Count what the rows say against what became of their deals."""
    rows: dict[str, Counter[str]] = {}
    deals: dict[str, Counter[str]] = {}
    strays = []
    for one in driven:
        rows.setdefault(one.row.owner, Counter())[str(one.row.outcome)] += 1
        engine = deals.setdefault(one.row.owner, Counter())
        if one.state:
            engine[str(outcome_of(one.state) or one.state)] += 1
        if one.problem or (one.row.outcome.is_closed and one.days != one.row.days):
            strays.append(one)
    lines = [Line(agent, dict(rows[agent]), dict(deals[agent])) for agent in sorted(rows)]
    return Funnel(lines, strays)
