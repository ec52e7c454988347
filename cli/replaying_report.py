"""What replays found: the verdict on each deal, the sums of each replay, as one line and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from infra.evidence.replays import Verdict
from models.replaying import ENGINE, FOLD, KINDS, RULES, Difference

UNIT = {FOLD: "entries", RULES: "acts", ENGINE: "runs"}
"""What each replay's rate counts."""


def died(deal_id: str) -> Verdict:
    """The verdict on a deal over which the process that replayed it died."""
    why = "the process that replayed this deal died (out of memory, or killed); nothing is known about it"
    return Verdict(deal_id, differences=[Difference(deal_id, 0, "process", why)])


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line about all deals."""
    equal = sum(verdict.equal for verdict in verdicts)
    runs, events = sum(v.runs for v in verdicts), sum(v.events for v in verdicts)
    entries, acts = sum(v.entries for v in verdicts), sum(v.acts for v in verdicts)
    what = (
        f"{len(verdicts)} deals: {runs} engine histories ({events} events) replayed, "
        f"{entries} timeline entries folded, {acts} acts judged again"
    )
    return f"{what}; {equal} equal, {len(verdicts) - equal} different"


def remarks(verdicts: Sequence[Verdict]) -> list[str]:
    """What no replay could look at, in words."""
    found = []
    unjudged: dict[str, int] = {}
    for verdict in verdicts:
        for why, count in verdict.unjudged.items():
            unjudged[why] = unjudged.get(why, 0) + count
    found += [f"{count} refusals could not be judged again: {why}" for why, count in sorted(unjudged.items())]
    if unknown := sum(verdict.unknown for verdict in verdicts if verdict.equal):
        found.append(f"{unknown} entries at the end of open deals are not in the engine's histories (yet)")
    return found


def report(verdicts: Sequence[Verdict], kinds: Sequence[str], seconds: float, jobs: int) -> dict[str, Any]:
    """Everything for programs: each replay's counts, seconds of work, rate and problems; each deal's verdict."""
    return {
        "equal": all(verdict.equal for verdict in verdicts),
        "deals_replayed": len(verdicts),
        "deals_different": sum(not verdict.equal for verdict in verdicts),
        "seconds": round(seconds, 3),
        "jobs": jobs,
        "replays": {kind: _of_kind(kind, verdicts) for kind in kinds},
        "problems": [asdict(found) for verdict in verdicts for found in verdict.differences],
        "remarks": remarks(verdicts),
        "deals": [_row(verdict) for verdict in verdicts],
    }


def _of_kind(kind: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    work = sum(verdict.seconds.get(kind, 0.0) for verdict in verdicts)
    counts = _counts(kind, verdicts)
    return {
        **counts,
        "problems": sum(found.replay == kind for verdict in verdicts for found in verdict.differences),
        "seconds_of_work": round(work, 3),
        f"{UNIT[kind]}_per_second": round(counts[UNIT[kind]] / work, 1) if work else None,
    }


def _counts(kind: str, verdicts: Iterable[Verdict]) -> dict[str, int]:
    names = {
        FOLD: ("entries",),
        RULES: ("acts", "verdicts", "refusals"),
        ENGINE: ("runs", "events", "vouched", "unknown"),
    }[kind]
    sums = dict.fromkeys(names, 0)
    for verdict in verdicts:
        for name in names:
            sums[name] += getattr(verdict, name)
    return sums


def _row(verdict: Verdict) -> dict[str, Any]:
    plain = asdict(verdict)
    plain["seconds"] = {kind: round(taken, 6) for kind, taken in verdict.seconds.items()}
    return {**plain, "problems": verdict.problems, "equal": verdict.equal}


def kinds_of(text: str) -> tuple[str, ...]:
    """The replays that a list such as `fold,rules` names, in their usual order. Raises ValueError."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    if strange := [name for name in asked if name not in KINDS]:
        raise ValueError(f"there is no replay {strange[0]!r}; there are: {', '.join(KINDS)}")
    if not asked:
        raise ValueError(f"name one of the replays: {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in asked)
