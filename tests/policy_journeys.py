"""Journeys of deals that are moved to another version of the policy while they are open."""

from dataclasses import replace

from infra.stores.policies import PolicyStore, PolicyVersion
from models import codec
from models.policy import DEFAULT
from tests.engine import Engine
from tests.journeys import BEGINNING, climbed, delivered, pay_with_interest, unpaid_until

QUICKER = replace(
    DEFAULT,
    version="2026.4",
    ladder=tuple(replace(rung, after=rung.after // 2 if rung.after > 0 else rung.after) for rung in DEFAULT.ladder),
)
"""A ladder whose rungs after the due date come in half the time."""


async def moved_to_another_policy(engine: Engine, deal_id: str) -> None:
    """In the midst of collection the deal is moved to a quicker ladder; runs before and after are short."""
    store = PolicyStore(engine.database)
    for policy in (DEFAULT, QUICKER):
        version = PolicyVersion(policy.version, codec.encode(policy), BEGINNING)
        await store.add(version, BEGINNING)
    await delivered(engine, deal_id, moves_per_run=12)
    await unpaid_until(engine, deal_id, "remind_payment", 3)
    await engine.act(deal_id, "head_of_sales", "adopt_policy", version=QUICKER.version, reason="we collect earlier")
    await climbed(engine, deal_id, "dun_first")
    await climbed(engine, deal_id, "dun_second")
    await pay_with_interest(engine, deal_id)


ALL = {moved_to_another_policy.__name__: moved_to_another_policy}
