"""What people type: slips are refused with their field, whatever the state of the deal; and the registries."""

from dataclasses import dataclass
from typing import Any

import pytest

from models.change import replace
from models.errors import MoveRefused
from models.event import Event, event, from_plain, to_plain
from models.rules import EVENTS
from models.stages.everywhere import Noted
from models.stages.handling import handles
from tests.models.deals import deal_in
from tests.models.samples import sample

HUGE = 10**14 + 1
SLIPS: list[tuple[str, str, dict[str, Any], str]] = [
    ("contacted", "hold", {"hold": "two words"}, "hold must be a short name"),
    ("contacted", "hold", {"hold": "x" * 41}, "hold must be a short name"),
    ("contacted", "reassign", {"owner": "  "}, "owner must not be empty"),
    ("contacted", "record_needs", {"what": " "}, "what must not be empty"),
    ("contacted", "record_needs", {"quantity": 0}, "quantity must be from 1"),
    ("contacted", "record_needs", {"budget_minor": HUGE}, "budget_minor must be from 0"),
    ("contacted", "record_needs", {"wanted_by": "20260601"}, "a day must look like"),
    ("contacted", "record_needs", {"wanted_by": "2026-06-31"}, "day is out of range"),
    ("contacted", "log_contact", {"channel": "telepathy"}, "is none of: call"),
    ("contacted", "lose", {"reason": "bad_luck"}, "is none of: price"),
    ("reliability_review", "approve_reliability", {"credit_limit_minor": -1}, "credit_limit_minor must be from 0"),
    ("reliability_review", "approve_reliability", {"payment_days": 366}, "payment_days must be from 0 to 365"),
    ("reliability_review", "reject", {"reason": "\t"}, "reason must not be empty"),
    ("offer_open", "counter", {"wanted_total_minor": HUGE}, "wanted_total_minor must be from 0"),
    ("offer_open", "counter", {"wanted_total_minor": -1}, "wanted_total_minor must be from 0"),
    ("drafting_contract", "raise_disagreement", {"clause": ""}, "clause must not be empty"),
    ("resolving_disagreements", "settle_disagreement", {"resolution": " "}, "resolution must not be empty"),
    ("awaiting_signatures", "sign", {"side": "both"}, "side must be one of ours, theirs"),
    ("fulfilling", "ship", {"lines": [{"line": 1, "quantity": 0}]}, "quantity must be from 1"),
    ("fulfilling", "ship", {"lines": [{"line": 1, "quantity": 1}] * 2}, "a line is named twice"),
    ("fulfilling", "answer_shortage", {"quantity": -1}, "quantity must be from 0"),
    ("fulfilling", "answer_shortage", {"available_on": "soon"}, "Invalid isoformat"),
    ("fulfilling", "propose_analogue", {"unit_price_minor": -2}, "unit_price_minor must be from 0"),
    ("fulfilling", "accept_analogue", {"given_by": ""}, "by which function consent was given"),
    ("ordering", "record_payment", {"amount_minor": 0}, "amount_minor must be from 1"),
    ("ordering", "credit", {"amount_minor": HUGE}, "amount_minor must be from 1"),
    ("ordering", "settle_dispute", {"credit_minor": -1}, "credit_minor must be from 0"),
    ("ordering", "promise_to_pay", {"until": "2027-01-01T00:00:00+01:00"}, "until must look like"),
    ("ordering", "promise_to_pay", {"until": "0001-01-01T00:00:00+14:00"}, "outside of the years"),
    ("supporting", "record_feedback", {"satisfaction": 6}, "satisfaction must be from 1 to 5"),
    ("supporting", "open_case", {"cause": "weather"}, "is none of: quality"),
    ("supporting", "decide_case", {"decision": "credit"}, "a credit, and nothing else, names an invoice"),
    ("supporting", "decide_case", {"credit_minor": 5, "invoice": "R-1"}, "a credit, and nothing else"),
    ("supporting", "decide_case", {"credit_minor": -5}, "credit_minor must be from 0"),
]


@pytest.mark.parametrize(("state", "action", "slip", "message"), SLIPS)
def test_a_slip_is_malformed_and_says_what_would_be_right(state: str, action: str, slip: dict[str, Any], message: str):
    with pytest.raises(MoveRefused) as caught:
        sample(state, action).asking(**slip).decide()
    refusal = caught.value.refusal
    assert refusal.code == "malformed"
    assert message in refusal.message
    assert len(refusal.field_errors) == 1


def test_an_action_has_one_handler():
    with pytest.raises(ValueError, match="note has two handlers"):
        handles("note")(lambda ctx: [])


@pytest.mark.parametrize("taken", ["noted", ""])
def test_an_event_has_a_tag_of_its_own(taken: str):
    @dataclass(frozen=True)
    class Again(Event):
        tag = taken

    with pytest.raises(ValueError, match="is missing or taken"):
        event(Again)
    assert EVENTS["noted"] is Noted


def test_an_event_that_says_nothing_changes_nothing():
    with pytest.raises(TypeError, match="Event does not say what it changes"):
        Event().apply(deal_in("contacted"), "")
    assert Event().effects(deal_in("contacted"), "") == ()


def test_an_event_in_a_timeline_is_its_tag_and_its_fields():
    assert to_plain(Noted("x")) == {"tag": "noted", "text": "x"}
    assert from_plain({"tag": "noted", "text": "x"}) == Noted("x")


def test_a_changed_copy_has_the_same_fields():
    deal = deal_in("contacted")
    changed = replace(deal, title="another")
    assert (changed.title, changed.id, deal.title) == ("another", deal.id, "A deal")
    with pytest.raises(TypeError, match="Deal has no field colour, size"):
        replace(deal, size=1, colour=2)
