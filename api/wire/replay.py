"""The replay of a deal on the wire."""

from typing import Literal

from api.wire.shared import Told

Kind = Literal["fold", "rules"]


class Difference(Told):
    """Something that came out other than it is recorded; `sequence` is the entry's, 0 for the deal as a whole."""

    sequence: int
    replay: Kind
    why: str


class ReplayVerdict(Told):
    """What two replays of a deal say. `verdicts` are the guards' that were judged again, `refusals` the refused acts;
    `unjudged` counts refusals of which too little is kept to judge them again, by the reason."""

    deal_id: str
    equal: bool
    entries: int
    acts: int
    verdicts: int
    refusals: int
    unjudged: dict[str, int]
    differences: list[Difference]
