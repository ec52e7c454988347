"""What `audit replay` was asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cli.exits import CommandFailed, ExitCode
from cli.replaying import Asked
from cli.replaying_report import kinds_of
from infra.evidence.replay_cases import CaseFilter
from models.lifecycle.states import DealState


def asked_of(
    deals: Sequence[str],
    everything: bool,
    narrowed: tuple[str, str, str, str, str],
    kind: str,
    jobs: int,
    bundle: Path | None,
) -> Asked:
    """The replays that were asked for. Raises CommandFailed for what says nothing, too much, or nonsense."""
    said = [bool(deals), everything, any(narrowed)].count(True)
    if bundle and any(narrowed):
        raise CommandFailed(
            ExitCode.USAGE, "a bundle is replayed whole, or the deals that you name; no filter goes with it"
        )
    if said > 1 or (not said and not bundle):
        raise CommandFailed(ExitCode.USAGE, "name deals, or a filter, or say --all")
    customer, owner, state, first, last = narrowed
    if state and state not in {each.value for each in DealState}:
        raise CommandFailed(ExitCode.USAGE, f"there is no state {state!r}")
    if first and last and last < first:
        raise CommandFailed(ExitCode.USAGE, "--to is before --from")
    try:
        return Asked(tuple(deals), CaseFilter(customer, owner, state, first, last), kinds_of(kind), jobs, bundle)
    except ValueError as problem:
        raise CommandFailed(ExitCode.USAGE, str(problem)) from None
