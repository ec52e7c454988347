"""What a foreign system is asked under an effect key, kept before it is asked: a repetition is the same question."""

from typing import TypeVar

from infra.db import Database
from infra.gateways.once import once

Q = TypeVar("Q")


async def first_asked(database: Database, effect_key: str, act: str, question: Q) -> Q:
    """The question as it was first asked under this key, which is `question` itself unless it comes again.

    A worker that is killed between a foreign effect and its record lets the deal ask anew, at another moment and maybe
    about fewer lines. The foreign answer belongs to the first question and can be judged by no other.
    Raises EffectKeyReused when the key was used for another act, also for one of our own books: a deal that is under
    way when an address is set must not do the same effect in both.
    """
    return await once(database, effect_key, act, type(question), lambda _: question)
