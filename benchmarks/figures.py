"""The figures of a run: each with its target and verdict, as a table for people and as JSON for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Spread


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at most or at least a limit."""

    sense: Literal["at most", "at least"]
    limit: float

    def excess(self, value: float) -> float:
        """By what share the limit is missed; zero or less when it is met."""
        distance = value - self.limit if self.sense == "at most" else self.limit - value
        return distance / self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `why` is the known reason of a miss, `note` what a reader must know in any case."""

    name: str
    value: float
    unit: str = ""
    spread: Spread | None = None
    target: Target | None = None
    why: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """Met, or missed by how much; empty when there is no target."""
        if self.target is None:
            return ""
        excess = self.target.excess(self.value)
        return "met" if excess <= 0 else f"MISSED by {excess:.0%}"


def of_spread(name: str, found: Spread, unit: str = "", target: Target | None = None, **texts: str) -> Figure:
    """A figure whose value is the median of a spread."""
    return Figure(name, found.median, unit, found, target, **texts)


def table(title: str, figures: Iterable[Figure], notes: bool = True) -> str:
    """Lines for people: value, middle half of the batches, target, verdict; reasons and notes below."""
    lines = [title, "-" * len(title)]
    for one in figures:
        lines.append(_line(one))
        lines += [f"      why: {one.why}"] if one.why and one.verdict.startswith("MISSED") else []
        lines += [f"      {one.note}"] if one.note and notes else []
    return "\n".join(lines)


def _line(one: Figure) -> str:
    seen = one.spread
    between = f"[{shown(seen.low)}..{shown(seen.high)}, all {shown(seen.least)}..{shown(seen.most)}]" if seen else ""
    wanted = f"{one.target.sense} {one.target.limit:g}" if one.target else ""
    return f"  {one.name:<52}{shown(one.value):>9} {one.unit:<9}{between:<38}{wanted:<15}{one.verdict}".rstrip()


def shown(value: float) -> str:
    """A number with about three digits that mean something."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 100 else f"{value:.2f}"


def write_json(path: Path, machine: dict[str, Any], figures: Iterable[Figure]) -> None:
    """Write everything that was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(one), "verdict": one.verdict} for one in figures]
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=1) + "\n")
