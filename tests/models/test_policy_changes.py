"""Changes of a policy in plain form, and what a policy must be before deals may live by it."""

from dataclasses import replace

import pytest

from models import codec
from models.policy import DEFAULT, GOODS, SPINE, Deadline, Policy, Rung
from models.policy_changes import Change, NoSuchPlace, differences, merged, placed
from models.policy_soundness import flaws

BODY = {"a": {"b": 1, "c": [1, 2]}, "ladder": [{"action": "x", "after": 1}, {"action": "y", "after": 2}]}


@pytest.mark.parametrize("policy", [SPINE, GOODS, DEFAULT], ids=lambda policy: policy.version)
def test_released_policies_are_sound(policy: Policy):
    assert flaws(policy) == {}


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({"a": {"b": 2}}, {"a": {"b": 2, "c": [1, 2]}}),
        ({"a": {"b": None}}, {"a": {"c": [1, 2]}}),
        ({"a": None}, {}),
        ({"a": {"c": [3]}}, {"a": {"b": 1, "c": [3]}}),
        ({"a": 7}, {"a": 7}),
        ({"n": {"m": None}}, {"a": {"b": 1, "c": [1, 2]}, "n": {}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7396_says(patch: dict[str, object], changed: dict[str, object]):
    assert merged({"a": BODY["a"]}, patch) == changed


def test_one_value_is_placed_at_its_path():
    assert placed(BODY, "a.b", 5)["a"] == {"b": 5, "c": [1, 2]}
    assert placed(BODY, "a.c[1]", 5)["a"] == {"b": 1, "c": [1, 5]}
    assert placed(BODY, "ladder[y].after", 9)["ladder"][1] == {"action": "y", "after": 9}
    assert placed(BODY, "ladder[x]", None)["ladder"] == [{"action": "y", "after": 2}]
    assert placed(BODY, "a.b", None)["a"] == {"c": [1, 2]}
    assert placed(BODY, "new", 1)["new"] == 1
    assert BODY["a"] == {"b": 1, "c": [1, 2]}


@pytest.mark.parametrize(
    "path",
    ["", "a..b", "a.b.c", "a.x.y", "ladder[z].after", "ladder[9]", "a[0]", "[x]", "a b", "a.c[-1]", "xx["],
)
def test_a_path_that_leads_nowhere_is_refused(path: str):
    with pytest.raises(NoSuchPlace):
        placed(BODY, path, 1)


def test_what_differs_is_named_by_its_path():
    other = {"a": {"b": 1, "c": [1]}, "ladder": [{"action": "y", "after": 3}, {"action": "x", "after": 1}]}
    assert list(differences(BODY, other)) == [
        Change("a.c", [1, 2], [1]),
        Change("ladder[y].after", 2, 3),
        Change("ladder", ["x", "y"], ["y", "x"]),
    ]
    assert list(differences(BODY, BODY)) == []


def test_all_that_differs_placed_on_the_old_gives_the_new():
    newer = replace(
        DEFAULT,
        margin_floor=900,
        deadlines=DEFAULT.deadlines | {"ordering": Deadline(1, 2)},
        ladder=(*DEFAULT.ladder[:-1], Rung("hand_to_legal", 99 * 86_400)),
    )
    old, new = codec.encode(DEFAULT), codec.encode(newer)
    for change in differences(old, new):
        old = placed(old, change.path, change.new)
    assert old == new


@pytest.mark.parametrize(
    ("where", "policy"),
    [
        ("rules", replace(DEFAULT, rules=DEFAULT.rules + 1)),
        ("deadlines.ordering", replace(DEFAULT, deadlines=DEFAULT.deadlines | {"ordering": Deadline(3, 2)})),
        ("deadlines.lost", replace(DEFAULT, deadlines=DEFAULT.deadlines | {"lost": Deadline(1, 2)})),
        ("offer_validity", replace(DEFAULT, offer_validity=DEFAULT.offer_validity_max + 1)),
        ("discount_authority", replace(DEFAULT, discount_authority={})),
        ("ladder[0].action", replace(DEFAULT, ladder=(Rung("pay", 0), *DEFAULT.ladder))),
        ("credit_hold_from", replace(DEFAULT, ladder=DEFAULT.ladder[:4])),
        ("interest.from_rung", replace(DEFAULT, ladder=DEFAULT.ladder[:3], credit_hold_from="fall_due")),
        ("interest.rates[0].bps", replace(DEFAULT, interest=replace(
            DEFAULT.interest, rates=(replace(DEFAULT.interest.rates[0], bps=10**6),)))),
        ("interest.rates[0].since", replace(DEFAULT, interest=replace(
            DEFAULT.interest, rates=(replace(DEFAULT.interest.rates[0], since="2026"),)))),
        ("interest.fee_minor.euro", replace(DEFAULT, interest=replace(DEFAULT.interest, fee_minor={"euro": 1}))),
        ("reliability.weight_identity", replace(DEFAULT, reliability=replace(DEFAULT.reliability, weight_age=0))),
        ("reliability.class_a", replace(DEFAULT, reliability=replace(DEFAULT.reliability, class_b=900))),
        ("shortage.ladder[0].role", replace(DEFAULT, shortage=replace(DEFAULT.shortage, ladder=(
            replace(DEFAULT.shortage.ladder[0], role="auditor"), *DEFAULT.shortage.ladder[1:])))),
        ("shortage.ladder[8].next", replace(DEFAULT, shortage=replace(DEFAULT.shortage, ladder=(
            *DEFAULT.shortage.ladder[:-1], replace(DEFAULT.shortage.ladder[-1], next="cancel"))))),
        ("shortage.ladder[6].next", replace(DEFAULT, shortage=replace(DEFAULT.shortage, ladder=(
            *DEFAULT.shortage.ladder[:-1], replace(DEFAULT.shortage.ladder[-1], next="wait"))))),
        ("shortage.chosen_by_policy", replace(DEFAULT, shortage=replace(
            DEFAULT.shortage, chosen_by_policy=("prayer",)))),
        ("money.letter_gap", replace(DEFAULT, money=replace(DEFAULT.money, letter_gap=-1))),
        ("holidays.DE", replace(DEFAULT, holidays={"DE": "2026-01-01 never"})),
    ],
)  # fmt: skip
def test_a_policy_that_no_deal_could_live_by_is_named_by_path(where: str, policy: Policy):
    assert where in flaws(policy)
