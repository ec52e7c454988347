"""What a lost attempt left behind: acts that were recorded before the engine could write down that they were.

A worker or server that is killed between the commit of a record and the end of its workflow task forgets the act,
while the timeline keeps it. The next attempt would record another entry in its place (its clock shows a later
time, its acts may come in another order), so it takes over what stands instead: nothing recorded is ever lost.
"""

from collections.abc import Iterable

from temporalio.exceptions import ApplicationError, FailureError

from models import codec
from models.deal import fold
from models.deal_state import Deal
from models.messages.deals import ActResult
from models.messages.records import CONFLICT, StandingInput
from models.policy import Policy
from models.stages.adopting import pinned
from models.timeline import GENESIS, Entry, entry_hash
from workflows import calls
from workflows.answers import HandledKeys


class Overtaken(Exception):
    """Other acts stand in the timeline already; the deal is theirs now, and what was asked must be judged again."""


def is_conflict(failed: FailureError) -> bool:
    """Whether a record failed because its place is taken. A local activity's failure comes bare or wrapped."""
    cause = failed if isinstance(failed, ApplicationError) else failed.cause
    return isinstance(cause, ApplicationError) and cause.type == CONFLICT


async def take_over(deal_id: str, deal: Deal | None, policy: Policy, handled: HandledKeys) -> tuple[Deal, Policy]:
    """The deal with everything that stands in its timeline, and the policy that it lives by then; the answers that were
    stored with it are known again.

    Raises ValueError when what stands does not follow from the deal: then the records were tampered with, and no
    act may be built on them.
    """
    found = await calls.read_standing(StandingInput(deal_id, deal.version if deal else 0))
    check_follows(found.entries, deal)
    taken = fold(found.entries, deal)
    for answer in found.answers:
        handled.keep(answer.key, answer.fingerprint, codec.decode(ActResult, answer.body))
    return taken, pinned(found.entries, policy)


def check_follows(entries: Iterable[Entry], deal: Deal | None) -> None:
    """Raise ValueError unless the entries continue the deal's chain."""
    sequence, previous = (deal.version, deal.last_hash) if deal else (0, GENESIS)
    begun = sequence
    for entry in entries:
        if (entry.sequence, entry.previous_hash) != (sequence + 1, previous) or entry_hash(entry) != entry.hash:
            raise ValueError(f"{entry.deal_id}/{entry.sequence} stands in the timeline and does not follow {previous}")
        sequence, previous = entry.sequence, entry.hash
    if sequence == begun:
        raise ValueError(f"the timeline refuses entry {sequence + 1}, and nothing stands there")
