"""The reliability score against values computed by hand from the formula and the policy's weights (D8, D9)."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instants import DAY, plus
from models.messages.finance import Financials, ReliabilityFacts
from models.parts.credit import Assessment, altman_z2, assess
from models.policy import DEFAULT, Policy

AT = "2026-01-05T08:00:00Z"
UNKNOWN = ReliabilityFacts(True, "g-1")


def scored(**facts: Any) -> Assessment:
    return assess(replace(UNKNOWN, **facts), DEFAULT, AT)


def component(name: str, **facts: Any) -> tuple[str, int, int]:
    part = next(part for part in scored(**facts).components if part.name == name)
    return part.input, part.points, part.contribution


@pytest.mark.parametrize(
    ("figures", "z"),
    [
        # 6.56*0.4 + 3.26*0.3 + 6.72*0.2 + 1.05*(700/300) = 2.624 + 0.978 + 1.344 + 2.45
        (Financials(400_000, 300_000, 200_000, 700_000, 1_000_000, 300_000), 7_396),
        # 6.56*0.1 + 3.26*0.05 + 6.72*0.02 + 1.05*0.25 = 0.656 + 0.163 + 0.1344 + 0.2625 = 1.2159
        (Financials(100, 50, 20, 200, 1_000, 800), 1_215),
        # a loss: 6.56*-0.2 + 3.26*-0.1 + 6.72*-0.15 + 1.05*-0.1 = -1.312 - 0.326 - 1.008 - 0.105
        (Financials(-200, -100, -150, -100, 1_000, 1_000), -2_751),
        (Financials(0, 0, 0, 0, 1, 1), 0),
    ],
)
def test_altmans_z_is_that_of_the_formula(figures: Financials, z: int):
    assert altman_z2(figures) == z


@pytest.mark.parametrize(("assets", "liabilities"), [(0, 5), (5, 0), (-1, 5)])
def test_without_assets_or_liabilities_there_is_no_z(assets: int, liabilities: int):
    assert altman_z2(Financials(1, 1, 1, 1, assets, liabilities)) is None


@given(st.lists(st.integers(-(10**12), 10**12), min_size=4, max_size=4), st.integers(1, 10**12), st.integers(1, 10**12))
def test_z_equals_the_exact_fraction_cut_to_thousandths(numbers: list[int], assets: int, liabilities: int):
    working, retained, ebit, equity = numbers
    exact = (
        Fraction(656, 100) * Fraction(working, assets)
        + Fraction(326, 100) * Fraction(retained, assets)
        + Fraction(672, 100) * Fraction(ebit, assets)
        + Fraction(105, 100) * Fraction(equity, liabilities)
    )
    assert altman_z2(Financials(working, retained, ebit, equity, assets, liabilities)) == (exact * 1000) // 1


def test_unknown_inputs_are_neutral_never_good():
    assessment = scored()
    assert [(part.name, part.points) for part in assessment.components] == [
        ("identity", 500),
        ("financials", 500),
        ("history", 500),
        ("age", 500),
        ("exposure", 1000),
    ]
    assert (assessment.score, assessment.grade) == (550, "C")


def test_the_weights_add_up_and_contributions_to_the_score():
    rules = DEFAULT.reliability
    weights = (
        rules.weight_identity, rules.weight_financials, rules.weight_history, rules.weight_age, rules.weight_exposure,
    )  # fmt: skip
    assert sum(weights) == 10_000
    assessment = scored(registration_ok=True, founded_on="2000-01-01")
    assert assessment.score == sum(part.contribution for part in assessment.components)
    assert tuple(part.weight_bps for part in assessment.components) == weights


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ("no numbers given", 500, 100)),
        ({"registration_ok": True, "vat_ok": True}, ("registration valid, vat valid", 1000, 200)),
        ({"iban_ok": False, "lei_ok": True, "vat_ok": True}, ("vat valid, iban INVALID, lei valid", 666, 133)),
        ({"iban_ok": False}, ("iban INVALID", 0, 0)),
    ],
)
def test_identity_is_the_share_of_valid_numbers(facts: dict[str, Any], expected: tuple[str, int, int]):
    assert component("identity", **facts) == expected


@pytest.mark.parametrize(
    ("ebit", "expected"),
    [
        (-(10**6), ("Z'' -5.670", 0, 0)),
        (0, ("Z'' 1.050", 0, 0)),  # equity over liabilities is one
        (10**4, ("Z'' 1.117", 11, 3)),
        (10**5, ("Z'' 1.722", 414, 124)),
        (2 * 10**5, ("Z'' 2.394", 862, 258)),
        (3 * 10**5, ("Z'' 3.066", 1000, 300)),
    ],
)
def test_financials_go_from_the_distress_zone_to_the_safe_one(ebit: int, expected: tuple[str, int, int]):
    assert component("financials", financials=Financials(0, 0, ebit, 500_000, 10**6, 500_000)) == expected


def test_statements_without_a_ratio_are_neutral():
    assert component("financials", financials=Financials(0, 0, 0, 0, 0, 0)) == ("no statements", 500, 150)


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        ({"paid_invoices": 10}, 1000),
        ({"paid_invoices": 10, "average_days_late": 4}, 900),
        ({"paid_invoices": 10, "average_days_late": -4}, 1000),
        ({"paid_invoices": 10, "disputed_bps": 1_000}, 900),
        ({"paid_invoices": 10, "broken_promises": 2}, 700),
        ({"broken_promises": 1}, 850),
        ({"paid_invoices": 1, "average_days_late": 60}, 0),
    ],
)
def test_history_falls_with_late_days_disputes_and_broken_promises(facts: dict[str, Any], points: int):
    assert component("history", **facts)[1:] == (points, points * 3 // 10)


@pytest.mark.parametrize(
    ("founded_on", "expected"),
    [
        ("", ("founding date unknown", 500, 50)),
        ("2025-06-01", ("0 years", 0, 0)),
        ("2027-06-01", ("0 years", 0, 0)),
        ("2021-01-05", ("5 years", 500, 50)),
        ("1990-01-01", ("36 years", 1000, 100)),
    ],
)
def test_age_counts_full_years(founded_on: str, expected: tuple[str, int, int]):
    assert component("age", founded_on=founded_on) == expected


@pytest.mark.parametrize(("exposure", "points"), [(0, 1000), (12_500_000, 750), (50_000_000, 0), (90_000_000, 0)])
def test_exposure_is_measured_by_the_highest_limit(exposure: int, points: int):
    assert component("exposure", exposure_minor=exposure)[1] == points


def test_without_a_highest_limit_exposure_is_neutral():
    rules = replace(DEFAULT.reliability, limit_by_class=dict.fromkeys("ABCDE", 0))
    assessment = assess(UNKNOWN, replace(DEFAULT, reliability=rules), AT)
    assert assessment.components[-1].points == 500


@pytest.mark.parametrize(
    ("score", "grade"),
    [
        *((1000, "A"), (800, "A"), (799, "B"), (600, "B"), (599, "C")),
        *((400, "C"), (399, "D"), (200, "D"), (199, "E"), (0, "E")),
    ],
)
def test_classes_begin_at_their_limits(score: int, grade: str):
    only_age = replace(
        DEFAULT.reliability,
        weight_identity=0, weight_financials=0, weight_history=0, weight_age=0, weight_exposure=10_000,
        limit_by_class={"A": 1000, "B": 20, "C": 5, "D": 0, "E": 0},
    )  # fmt: skip
    policy: Policy = replace(DEFAULT, reliability=only_age)
    assessment = assess(replace(UNKNOWN, exposure_minor=1000 - score), policy, AT)
    assert (assessment.score, assessment.grade) == (score, grade)


@pytest.mark.parametrize(
    ("facts", "grade", "limit", "days"),
    [
        ({"paid_invoices": 9, "registration_ok": True, "founded_on": "1990-01-01"}, "A", 50_000_000, 60),
        ({"registration_ok": True, "founded_on": "1990-01-01"}, "B", 20_000_000, 30),
        ({}, "C", 5_000_000, 14),
        ({"paid_invoices": 1, "average_days_late": 40, "iban_ok": False, "founded_on": "2026-01-01"}, "D", 0, 0),
        ({"blocked": True}, "E", 0, 0),
        ({"customer_known": False}, "E", 0, 0),
    ],
)
def test_limit_terms_and_validity_follow_from_the_class(facts: dict[str, Any], grade: str, limit: int, days: int):
    assessment = scored(**facts)
    assert (assessment.grade, assessment.limit_minor, assessment.payment_days) == (grade, limit, days)
    assert assessment.prepaid == (days == 0)
    assert assessment.valid_until == plus(AT, 180 * DAY)
