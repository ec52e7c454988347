"""The reports about duties as plain values: the rules, what was found, and who could do what."""

from dataclasses import asdict
from typing import Any

from infra.control.detecting import Asked, Detected, Detection, Progress
from infra.control.rights import rights_history
from infra.control.rights_report import powers_on
from infra.db import Database
from models import codec
from models.duties import CONFLICTS, DUTIES, MASTER_ACTS
from models.instants import DAY
from models.lifecycle.deal_table import DEAL

Plain = dict[str, Any]

ACTS = frozenset(DEAL.actions) | frozenset(MASTER_ACTS)
"""Everything that somebody can have the right to do."""


def rules() -> Plain:
    """All duties and conflicts; windows in days."""
    duties = [{"name": duty.name, "words": duty.words, "acts": sorted(duty.acts)} for duty in DUTIES.values()]
    conflicts = [{**codec.encode(rule), "within": rule.within // DAY} for rule in CONFLICTS]
    return {"duties": duties, "conflicts": conflicts}


async def conflicts(database: Database, asked: Asked, progress: Progress = lambda done: None) -> Plain:
    """What was found in our history. Raises ValueError for a period that is none."""
    return shown(await Detection(database).history(asked, progress))


def shown(detected: Detected) -> Plain:
    """What was found."""
    told: Plain = asdict(detected)
    return told


async def rights(database: Database, day: str, user: str = "", act: str = "") -> Plain:
    """Who could do what on a day. Raises ValueError for what is no day."""
    found = powers_on(await rights_history(database), day, user, act)
    return {"on": day, "items": [codec.encode(each) for each in found]}
