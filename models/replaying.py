"""Replaying a timeline through the tables: the deal that it folds to, and in what a recorded entry differs from one
that was computed again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from models import codec
from models.deal import fold
from models.deal_state import Deal
from models.timeline import GENESIS, Entry, entry_hash

FOLD, RULES, ENGINE = "fold", "rules", "engine"
KINDS = (FOLD, RULES, ENGINE)
"""The three replays."""
OUT_OF_CHAIN = "it does not follow the entry before it"
_LONGEST = 120
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a replay found other than it is recorded. `sequence` is the entry's, 0 for a deal as a whole."""

    deal_id: str
    sequence: int
    replay: str
    why: str


def fold_problems(
    deal_id: str, entries: Sequence[Entry], standing: Mapping[str, Any] | None = None
) -> tuple[Difference, ...]:
    """Fold a timeline through the tables; `standing` is the deal as it stands elsewhere, in plain form. What the
    entries lead to must be the states that they record, and the deal that stands. The first problem ends the fold."""
    if not entries:
        return (Difference(deal_id, 0, FOLD, "there is no timeline"),)
    previous: Entry | None = None
    for expected, entry in enumerate(entries, start=1):
        if why := _out_of_order(entry, deal_id, expected, previous):
            # what stands before it may not fold either, and came first
            return _unfoldable(deal_id, entries[: expected - 1]) or (Difference(deal_id, expected, FOLD, why),)
        previous = entry
    try:
        deal = fold(entries)
    except Exception:  # events of a forged entry may fail in any way
        return _unfoldable(deal_id, entries)
    return () if standing is None else _compared(deal, standing)


def _unfoldable(deal_id: str, entries: Sequence[Entry]) -> tuple[Difference, ...]:
    """The first entry that does not fold, if there is one."""
    deal: Deal | None = None
    for entry in entries:
        try:
            deal = fold((entry,), deal)
        except Exception as problem:
            why = f"it does not fold: {_spelled(problem)}"
            return (Difference(deal_id, entry.sequence, FOLD, why),)
    return ()


def _out_of_order(entry: Entry, deal_id: str, expected: int, previous: Entry | None) -> str:
    if (entry.deal_id, entry.sequence) != (deal_id, expected):
        return f"{entry.deal_id}/{entry.sequence} stands in its place"
    if entry.previous_hash != (previous.hash if previous else GENESIS):
        return OUT_OF_CHAIN
    if previous and entry.at < previous.at:
        return f"it is dated {entry.at}, before the entry before it"
    before = previous.state_to if previous else ""
    return "" if entry.state_from == before else f"it says it began in {entry.state_from}, the deal was in {before}"


def _compared(deal: Deal, standing: Mapping[str, Any]) -> tuple[Difference, ...]:
    folded = codec.encode(deal)
    if folded == standing:
        return ()
    found = difference(dict(standing), folded)
    return (Difference(deal.id, deal.version, FOLD, f"the deal that stands differs from the folded one in {found}"),)


def entry_difference(recorded: Entry, computed: Entry) -> str:
    """What of a recorded entry is not as it was computed again, in one sentence; empty when nothing is.

    Its content is compared, not only the hash that is written beside it."""
    if recorded.hash == computed.hash == entry_hash(recorded):
        return ""
    for verdict in _verdicts_that_differ(recorded, computed):
        return verdict
    for each in fields(Entry):
        found = getattr(recorded, each.name), getattr(computed, each.name)
        if each.name not in ("hash", "previous_hash") and found[0] != found[1]:
            return f"{each.name}{difference(*found, within=True)}"
    if recorded.previous_hash != computed.previous_hash:
        return OUT_OF_CHAIN
    return "its content does not give its hash"


def _verdicts_that_differ(recorded: Entry, computed: Entry) -> list[str]:
    mine = {str(verdict["guard"]): verdict for verdict in computed.verdicts}
    theirs = {str(verdict.get("guard")): verdict for verdict in recorded.verdicts}
    return [
        f"guard {name}{difference(theirs.get(name, _NOTHING), mine.get(name, _NOTHING), within=True)}"
        for name in {**theirs, **mine}
        if theirs.get(name) != mine.get(name)
    ]


def difference(recorded: Any, computed: Any, *, within: bool = False) -> str:
    """Where two plain values first differ and how; `within` when the path goes on from a name before it."""
    path = ""
    while type(recorded) is type(computed):
        step = _step(recorded, computed)
        if step is None:
            break
        name, recorded, computed = step
        path += name
    path = path if within else path.lstrip(".")
    return f"{path}: recorded {_spelled(recorded)}, computed {_spelled(computed)}"


def _step(recorded: Any, computed: Any) -> tuple[str, Any, Any] | None:
    """One step deeper towards what differs, or None when the values themselves do."""
    if isinstance(recorded, dict):
        name = next((n for n in {**recorded, **computed} if recorded.get(n, _NOTHING) != computed.get(n, _NOTHING)), "")
        return f".{name}", recorded.get(name, _NOTHING), computed.get(name, _NOTHING)
    if isinstance(recorded, list):
        longest = max(len(recorded), len(computed))
        place = next((i for i in range(longest) if recorded[i : i + 1] != computed[i : i + 1]), 0)
        return f"[{place}]", _item(recorded, place), _item(computed, place)
    return None


def _item(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else _NOTHING


def _spelled(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = str(value) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
