"""The default policy carries the numbers that the domain states (its duties are named in the tests)."""

from models.instants import DAY, HOUR
from models.lifecycle.machines import RECEIVABLES
from models.policy import DEFAULT


def test_discount_authority_and_margin_floor_of_d12():
    assert DEFAULT.discount_authority == {
        "account_manager": 500,
        "key_account_manager": 1_000,
        "head_of_sales": 1_500,
        "commercial_director": 2_500,
    }
    assert DEFAULT.margin_floor == 800


def test_the_collection_ladder_of_d29():
    rungs = [(rung.after // DAY, rung.action, rung.letter) for rung in DEFAULT.ladder]
    assert rungs == [
        (-3, "announce_due", "pre_due_notice"),
        (0, "fall_due", ""),
        (3, "remind_payment", "reminder"),
        (7, "dun_first", "first_dunning"),
        (14, "dun_second", "second_dunning"),
        (30, "involve_head", ""),
        (45, "notice_formally", "formal_notice"),
        (60, "hand_to_legal", "legal_notice"),
    ]
    assert DEFAULT.credit_hold_from == "dun_second"
    assert {rung.action for rung in DEFAULT.ladder} <= set(RECEIVABLES.table.actions)


def test_reliability_classes_of_d8_and_d9():
    rules = DEFAULT.reliability
    assert (rules.z_distress, rules.z_safe) == (1_100, 2_600)
    assert list(rules.limit_by_class) == list(rules.terms_days_by_class) == list("ABCDE")
    assert rules.terms_days_by_class == {"A": 60, "B": 30, "C": 14, "D": 0, "E": 0}
    assert rules.class_a > rules.class_b > rules.class_c > rules.class_d > 0


def test_authority_grows_with_the_role_in_d17_and_d32():
    signing = list(DEFAULT.signing_authority.values())
    assert signing == sorted(signing)
    assert list(DEFAULT.signing_authority) == list(DEFAULT.discount_authority)
    assert DEFAULT.write_off_authority["head_of_sales"] < DEFAULT.write_off_authority["commercial_director"]


def test_reservations_and_answers_are_limited_in_time_as_d20_d21_and_d35_want():
    assert DEFAULT.reservation_validity == 30 * DAY
    assert DEFAULT.shortage_escalation == DAY
    assert DEFAULT.shortage_answer == 2 * DAY
    assert DEFAULT.approval_deadline == DAY
    assert DEFAULT.complaint_deadline == 5 * DAY
    assert DEFAULT.deadlines["offer_approval"].remind == 4 * HOUR
    assert DEFAULT.offer_validity <= DEFAULT.offer_validity_max
    assert DEFAULT.follow_up_after < DEFAULT.support_window
