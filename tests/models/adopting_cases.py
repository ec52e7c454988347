"""What shows the guards of moving a deal to another policy: the row, the change that makes each fail, what it says."""

from collections.abc import Callable
from dataclasses import replace

from models import codec
from models.messages.control import PolicyResult
from models.parts.shortage import Shortage
from models.policy import DEFAULT, Policy
from tests.models.cases import Case, line
from tests.models.samples import Sample
from tests.models.world import SHARPER

NUMBERS = codec.decode(Policy, SHARPER.body)
NO_PRODUCTION = tuple(
    replace(rung, next="offer_partial") if rung.next == "ask_production" else rung
    for rung in DEFAULT.shortage.ladder
    if rung.name != "ask_production"
)
MISSING = Shortage("2026-01-05T08:00:00Z", "ask_production", "production", "2026-01-09T08:00:00Z")


def told(asked: Sample, answer: PolicyResult) -> Sample:
    return replace(asked, facts=asked.facts.told(answer))


def numbers(**changes: object) -> Callable[[Sample], Sample]:
    """The version holds other numbers."""
    body = codec.encode(replace(NUMBERS, **changes))  # type: ignore[arg-type]
    return lambda asked: told(asked, replace(SHARPER, body=body))


ADOPTING_CASES = [
    Case("policy_is_another", "contacted", "adopt_policy", lambda s: s.asking(version="2026.3"), "2026.3", "nobody"),
    Case("policy_stands", "offer_open", "adopt_policy", lambda s: told(s, PolicyResult("2026.4")), "no such version",
         "admin", also=("policy_is_active", "rules_stay")),
    Case("policy_stands", "fulfilling", "adopt_policy",
         lambda s: told(s, replace(SHARPER, body=SHARPER.body | {"of_the_future": 1})), "not readable", "admin",
         also=("rules_stay",)),
    Case("policy_stands", "supporting", "adopt_policy", numbers(credit_hold_from="never"), "credit_hold_from"),
    Case("policy_stands", "supporting", "adopt_policy", numbers(version="2026.5"), "not readable"),
    Case("policy_is_active", "ordering", "adopt_policy",
         lambda s: told(s, replace(SHARPER, active_from="2099-01-01T00:00:00Z")), "active from 2099", "nobody"),
    Case("rules_stay", "qualified", "adopt_policy", numbers(rules=2), "rules 2, the deal has 3", "nobody"),
    Case("missing_goods_keep_their_rung", "fulfilling", "adopt_policy",
         lambda s: line(numbers(shortage=replace(NUMBERS.shortage, ladder=NO_PRODUCTION))(s), shortage=MISSING),
         "no rung ask_production", "another version"),
]  # fmt: skip
