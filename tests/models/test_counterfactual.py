"""What another policy would have decided: every flip with its money, and no flip where nothing differs."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from models import codec
from models.counterfactual import Past, Period, Tried, _walk, added_up, tried
from models.counterfactual_ladder import climbed
from models.counterfactual_money import _claim, _steps
from models.counterfactual_refusals import READS, RefusedAct
from models.counterfactual_values import Flip, Kind
from models.errors import Refusal
from models.instants import DAY
from models.lifecycle.guards import GUARDS
from models.policy import DEFAULT, GOODS, Policy
from models.stages.accruing import INTEREST, fee_of, interest_of, is_claimed
from tests.models.collecting import late, pay
from tests.models.random_ledger import JUMPS, POLICY, LateDeal, begun
from tests.models.story import AM, HEAD
from tests.models.world import SHARPER, World, offered, paid, qualified, signed

ALWAYS = Period("2000-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
KNOWN = {policy.version: policy for policy in (DEFAULT, GOODS, codec.decode(Policy, SHARPER.body))}


def run(world: World, draft: Policy, *refused: RefusedAct, period: Period = ALWAYS) -> Tried:
    known = KNOWN | {world.policy.version: world.policy}
    return tried(Past(world.entries, known, refused), draft, period)


def flips(world: World, draft: Policy, *refused: RefusedAct, period: Period = ALWAYS) -> list[Flip]:
    return list(run(world, draft, *refused, period=period).flips)


def told(found: Sequence[Flip]) -> list[tuple[str, str, str, int]]:
    return [(flip.kind, flip.action, flip.measure, flip.amount_minor) for flip in found]


def authority(**bps: int) -> Policy:
    return replace(DEFAULT, version="draft", discount_authority=DEFAULT.discount_authority | bps)


def discounted(bps: int) -> World:
    """An offer of ten units at list price 10,000 with a discount, not sent yet."""
    world = qualified(World())
    world.do(AM, "request_check")
    price = 10_000 - bps
    world.do(AM, "draft_offer", lines=[{"article": "A-1", "quantity": 10, "unit_price_minor": price}])
    return world


def approved(bps: int = 1_200) -> World:
    world = discounted(bps)
    world.do(AM, "request_approval", reason="a large order")
    world.do(HEAD, "approve_offer", reason="worth it")
    world.do(AM, "send_offer")
    return world


def random_life(seed: int) -> World:
    """Some months of random acts about late invoices."""
    rng = Random(seed)
    lived = LateDeal(begun(rng, World(POLICY, customer_country="DE")))
    for _ in range(25):
        lived.act(rng)
        if not lived.world.deal.is_closed:
            lived.world.advance(rng.choice(JUMPS))
        if lived.world.deal.is_closed:
            break
    return lived.world


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.counted_cells(3)
def test_whatever_happened_nothing_differs_under_the_same_numbers(seed: int):
    world = random_life(seed)
    found = run(world, replace(POLICY, version="draft"))
    assert found.flips == ()
    assert found.judged > 10


@pytest.mark.parametrize("seed", range(100, 120))
@pytest.mark.counted_cells(3)
def test_the_reckoned_ladder_and_interest_are_those_that_were_recorded(seed: int):
    world = random_life(seed)
    walked = list(_walk(Past(world.entries, {POLICY.version: POLICY}), POLICY))
    for owed in world.deal.receivables:
        climb = climbed(walked, owed.number, world.now, draft=False)
        assert climb is not None
        # legal is asked for on that rung, and handed over when somebody agrees
        sides = [[r for r in each.reached if r.rung != "hand_to_legal"] for each in (owed, climb.owed)]
        assert sides[0] == sides[1]
        if owed.kind == INTEREST:
            continue
        steps = _steps(walked, owed.number)
        day = max(owed.interest_until or owed.due_at[:10], steps.last_on)
        recorded = interest_of(owed, POLICY, day) + fee_of(owed, POLICY) if is_claimed(owed, POLICY) else 0
        assert _claim(steps, climb, owed, POLICY, day) == recorded


def test_a_smaller_authority_would_have_asked_the_head():
    world = discounted(400)
    world.do(AM, "send_offer")
    (flip,) = flips(world, authority(account_manager=300))
    assert (flip.kind, flip.action, flip.sequence) == (Kind.MORE_AUTHORITY, "send_offer", len(world.entries) - 1)
    assert (flip.measure, flip.amount_minor, flip.currency) == ("discount", 4_000, "EUR")
    assert "4.00 % asked, 5.00 % allowed" in flip.recorded
    assert "4.00 % asked, 3.00 % allowed" in flip.tried
    assert flips(world, authority(account_manager=400)) == []


def test_a_larger_authority_would_have_needed_no_approval():
    found = flips(approved(), authority(account_manager=1_500))
    assert told(found) == [("no_approval_needed", "request_approval", "discount", 12_000)]


def test_an_approval_by_somebody_without_the_authority_counts_for_the_next_level():
    found = flips(approved(), authority(head_of_sales=1_000))
    assert told(found) == [("more_authority_needed", "approve_offer", "discount", 12_000)]


def test_what_nobody_could_grant_would_have_been_refused():
    draft = replace(DEFAULT, discount_authority={"commercial_director": 300})
    found = flips(discounted(400), draft)
    assert told(found) == [("refused", "draft_offer", "discount", 4_000)]
    thin = flips(discounted(400), replace(DEFAULT, margin_floor=4_000))
    assert told(thin) == [("refused", "draft_offer", "worth", 114_240)], "10 units at 9,600 with 19 % tax"


def test_credit_limits_change_the_terms_and_refuse_what_exceeds_them():
    world = signed(World())
    limits = DEFAULT.reliability.limit_by_class
    assert world.deal.assessment
    assert world.deal.assessment.grade == "A"
    lower = replace(DEFAULT, reliability=replace(DEFAULT.reliability, limit_by_class=limits | {"A": 100_000}))
    found = flips(world, lower)
    assert told(found) == [
        ("other_terms", "reliability_check", "credit_limit", 100_000 - limits["A"]),
        ("refused", "accept_offer", "worth", 190_400),
    ]
    assert "limit 100000" in found[1].tried
    enough = replace(DEFAULT, reliability=replace(DEFAULT.reliability, limit_by_class=limits | {"A": 190_400}))
    assert [flip.action for flip in flips(world, enough)] == ["reliability_check"]


def test_a_limit_that_somebody_fixed_does_not_follow_the_class():
    world = signed(World(limit=900_000))
    limits = DEFAULT.reliability.limit_by_class | {"A": 100_000}
    lower = replace(DEFAULT, reliability=replace(DEFAULT.reliability, limit_by_class=limits))
    assert [flip.action for flip in flips(world, lower)] == ["reliability_check"]


def test_another_class_is_said_with_its_way():
    world = offered(World())
    strict = replace(DEFAULT, reliability=replace(DEFAULT.reliability, class_a=990, class_b=980, class_c=300))
    flip = flips(world, strict)[0]
    assert (flip.kind, flip.measure) == (Kind.CLASS, "credit_limit")
    assert flip.recorded.startswith("class A, passes: limit 50000000, net 60")
    assert flip.tried.startswith("class C, a person decides: limit 5000000, net 14")
    assert flip.amount_minor == -45_000_000


def test_a_check_that_counts_for_less_time_would_have_been_stale():
    world = offered(World())
    world.advance(20 * DAY)
    world.do(AM, "accept_offer")
    short = replace(DEFAULT, reliability=replace(DEFAULT.reliability, valid_for=10 * DAY))
    assert [(flip.kind, flip.action) for flip in flips(world, short)] == [
        (Kind.TERMS, "reliability_check"),
        (Kind.REFUSED, "accept_offer"),
    ]


def test_a_quicker_ladder_moves_letters_and_holds_and_costs_more_interest():
    world = late(10)
    pay(world, 190_400)
    world.advance(DAY)
    quicker = replace(
        DEFAULT,
        ladder=tuple(replace(rung, after=rung.after // 2 if rung.after > 0 else rung.after) for rung in DEFAULT.ladder),
        interest=replace(DEFAULT.interest, margin_bps=1_600),
    )
    found = {flip.action: flip for flip in flips(world, quicker)}
    assert list(found) == ["dun_first", "dun_second", "charge_interest"], "the reminder stays on the Monday"
    first = found["dun_first"]
    assert (first.kind, first.subject, first.measure) == (Kind.EARLIER, "2026-000001", "to_collect")
    assert (first.recorded, first.tried) == (
        "2026-03-13, letter first_dunning",
        "2026-03-11, letter first_dunning",
    )
    second = found["dun_second"]
    assert (second.kind, second.recorded) == (Kind.ADDED, "not at all")
    assert second.tried == "2026-03-13, letter second_dunning, credit hold"
    assert second.amount_minor == 190_400
    interest = found["charge_interest"]
    # ten days of 190,400 at 10.15 % are 529.47, at 18.15 % 946.79: each is rounded, the lump sum is the same
    assert (interest.kind, interest.measure, interest.amount_minor) == (Kind.INTEREST, "interest", 947 - 529)


def test_a_slower_ladder_would_have_left_letters_out_and_charged_nothing():
    world = late(10)
    pay(world, 190_400)
    world.advance(DAY)
    slower = replace(
        DEFAULT, ladder=tuple(replace(r, after=r.after * 5 if r.after > 0 else r.after) for r in DEFAULT.ladder)
    )
    found = flips(world, slower)
    charged = next(r for r in world.deal.receivables if r.kind == "delivery").charged_minor
    assert charged > 4_000
    assert [(flip.kind, flip.action) for flip in found if flip.kind != Kind.INTEREST] == [
        (Kind.DROPPED, "remind_payment"),
        (Kind.DROPPED, "dun_first"),
    ]
    assert [flip.amount_minor for flip in found if flip.kind == Kind.INTEREST] == [-charged]


def _refused(world: World, refusal: Refusal, user: str = "u-account_manager", **more: object) -> RefusedAct:
    act = RefusedAct(world.now, user, ("account_manager",), refusal.action, refusal.failing, refusal.state)
    return replace(act, **more)  # type: ignore[arg-type]


def real(world: World) -> World:
    """The same life of a deal that is no test deal, whose clock is everybody's."""
    opened = dict(world.entries[0].events[0])
    opened["opened"] = {**opened["opened"], "is_test": False}
    world.entries[0] = replace(world.entries[0], events=[opened, *world.entries[0].events[1:]])
    return world


def test_a_refused_act_that_the_draft_would_have_allowed():
    world = real(discounted(700))
    refused = _refused(world, world.refusal(AM, "send_offer"))
    (flip,) = flips(world, authority(account_manager=700), refused)
    assert (flip.kind, flip.action, flip.sequence) == (Kind.ALLOWED, "send_offer", 0)
    assert (flip.measure, flip.amount_minor) == ("discount", 7_000)
    assert flip.recorded.startswith("refused, discount_within_authority: 7.00 % asked, 5.00 % allowed")
    assert flips(world, authority(account_manager=600), refused) == []
    assert flips(world, authority(account_manager=700), replace(refused, state="offer_open")) == []
    assert flips(world, authority(account_manager=700), replace(refused, roles=())) == []


def test_a_refusal_that_does_not_keep_what_is_needed_stays_undecided():
    world = real(offered(World()))
    world.do(AM, "counter", wanted_total_minor=1, text="less")
    deep = [{"article": "A-1", "quantity": 1, "unit_price_minor": 7_000}]
    refused = _refused(world, world.refusal(AM, "draft_offer", lines=deep))
    assert [verdict.guard for verdict in refused.failing] == ["discount_is_possible"]
    (flip,) = flips(world, authority(commercial_director=4_000), refused)
    assert (flip.kind, flip.action) == (Kind.UNDECIDED, "draft_offer")
    assert "discount_is_possible" in flip.tried
    assert flips(world, replace(DEFAULT, margin_floor=0), refused) == [], "the draft has nothing to say about it"


def test_decisions_outside_of_the_period_do_not_count():
    world = approved()
    draft = authority(account_manager=1_500)
    before = Period("2000-01-01T00:00:00Z", world.entries[0].at, world.now)
    assert run(world, draft, period=before).judged == 0
    assert flips(world, draft, period=before) == []


def test_each_decision_is_judged_by_the_policy_that_the_deal_lived_by_then():
    world = World()
    world.do(HEAD, "adopt_policy", version=SHARPER.version, reason="the new numbers")
    qualified(world).do(AM, "request_check")
    lines = [{"article": "A-1", "quantity": 10, "unit_price_minor": 9_750}]
    world.do(AM, "draft_offer", lines=lines)
    world.do(AM, "send_offer")
    assert world.entries[-1].policy_version == SHARPER.version
    assert flips(world, codec.decode(Policy, SHARPER.body)) == []
    assert told(flips(world, authority(account_manager=200))) == [
        ("more_authority_needed", "send_offer", "discount", 2_500)
    ]


def test_deals_of_older_rules_are_tried_under_their_rules():
    world = paid(World(GOODS))
    assert all(entry.receipt is None for entry in world.entries)
    assert flips(world, replace(DEFAULT, ladder=GOODS.ladder, interest=DEFAULT.interest)) == []
    assert run(world, DEFAULT).judged > 10


def test_totals_add_up_by_kind_measure_and_currency():
    deals = [run(discounted(400), replace(DEFAULT, margin_floor=4_000)) for _ in range(3)]
    assert run(approved(), DEFAULT).totals == ()
    (total,) = added_up(flip for deal in deals for flip in deal.flips)
    assert deals[0].totals == (replace(total, count=1, amount_minor=114_240),)
    assert (total.kind, total.measure, total.currency) == (Kind.REFUSED, "worth", "EUR")
    assert (total.count, total.amount_minor) == (3, 3 * 114_240)


def test_guards_that_look_at_the_policy_are_named_with_guards_that_exist():
    assert set(READS) <= set(GUARDS)
    assert {field for fields in READS.values() for field in fields} <= set(Policy.__slots__)
