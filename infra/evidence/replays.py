"""The replays that need our records alone (fold and rules), and the verdict on a deal to which every replay adds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.evidence.replay_cases import ReplayCase
from models.policy import Policy
from models.rejudging import rejudge
from models.rejudging_refusals import rejudge_refusals
from models.replaying import FOLD, RULES, Difference, fold_problems


@dataclass(slots=True)
class Verdict:
    """One deal: what was replayed of it, in how many seconds each, and everything that came out different.

    `unjudged` are refusals that could not be judged again, by the reason; `unknown` entries after the last that an open
    deal's history knows of.
    """

    deal_id: str
    runs: int = 0
    events: int = 0
    entries: int = 0
    acts: int = 0
    verdicts: int = 0
    refusals: int = 0
    unjudged: dict[str, int] = field(default_factory=dict)
    vouched: int = 0
    unknown: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """True when every replay gave what stands."""
        return not self.differences

    @property
    def problems(self) -> list[str]:
        """The differences as sentences."""
        return [told(each) for each in self.differences]


def told(found: Difference) -> str:
    """A difference as a sentence."""
    place = f"entry {found.sequence}, " if found.sequence else ""
    return f"{place}{found.replay}: {found.why}"


def replay_records(case: ReplayCase, policies: Mapping[str, Policy], kinds: Sequence[str], verdict: Verdict) -> None:
    """The replays that need our records alone: fold and rules."""
    if FOLD in kinds:
        with timed(verdict, FOLD):
            verdict.entries = len(case.entries)
            verdict.differences += fold_problems(case.deal_id, case.entries, case.standing)
        if case.standing is None and case.beside:
            verdict.differences.append(Difference(case.deal_id, 0, FOLD, "there is no deal that stands"))
    if RULES in kinds:
        with timed(verdict, RULES):
            judged = rejudge(case.deal_id, case.entries, policies)
            verdict.acts, verdict.verdicts = judged.acts, judged.verdicts
            verdict.differences += judged.differences
            try:
                refused = rejudge_refusals(case.deal_id, case.refusals, case.entries, policies)
            except Exception:  # the timeline does not fold, which stands among the differences already
                return
            verdict.refusals, verdict.unjudged = refused.judged, refused.unjudged
            verdict.differences += refused.differences


@contextmanager
def timed(verdict: Verdict, kind: str) -> Iterator[None]:
    """Count the seconds of a replay of a deal."""
    began = time.perf_counter()
    yield
    count_seconds(verdict, kind, time.perf_counter() - began)


def count_seconds(verdict: Verdict, kind: str, seconds: float) -> None:
    """Add seconds to those of a replay of a deal."""
    verdict.seconds[kind] = verdict.seconds.get(kind, 0.0) + seconds
