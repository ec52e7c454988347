"""Refused acts judged again: what suffices is confirmed or convicted, and what does not is named with its reason."""

from dataclasses import replace
from typing import Any

from models import codec
from models.command import Actor, Command
from models.deal import Decision, decide, open_deal
from models.errors import MoveRefused
from models.instants import plus
from models.policy import DEFAULT
from models.rejudging_refusals import RefusalsRejudged, RefusedAct, rejudge_refusals
from models.stages.opening import OpenDeal
from models.timeline import Entry

START = "2026-01-05T08:00:00Z"
MANAGER = Actor("u-account_manager", ("account_manager",))
POLICIES = {DEFAULT.version: DEFAULT}
OPENED = OpenDeal("A deal", "c-1", "g-1", "u-account_manager", "north", "berlin", "EUR")


def contacted(is_test: bool = False) -> list[Decision]:
    """A deal that was opened and, a day later, contacted."""
    first = open_deal("D-1", replace(OPENED, is_test=is_test), MANAGER, "open", DEFAULT, START)
    asked = Command("log_contact", MANAGER, "k", {"channel": "call", "outcome": "interested"})
    return [first, decide(first.deal, asked, DEFAULT, plus(START, 86_400))]


def entries(told: list[Decision]) -> list[Entry]:
    return [decision.entry for decision in told]


def refused(told: Decision, action: str, at: str, **payload: Any) -> RefusedAct:
    """What the records keep of an act that the core refuses."""
    try:
        decide(told.deal, Command(action, MANAGER, "k-2", payload), DEFAULT, at)
    except MoveRefused as problem:
        failing = [codec.encode(verdict) for verdict in problem.refusal.failing]
        detail = {"message": str(problem), "state": problem.refusal.state, "failing": failing, "fields": {}}
        return RefusedAct(7, at, MANAGER.user, action, problem.refusal.code, detail)
    raise AssertionError(f"{action} was not refused")


def judged(act: RefusedAct, told: list[Decision]) -> RefusalsRejudged:
    return rejudge_refusals("D-1", [act], entries(told), POLICIES)


def test_a_refusal_for_what_the_deal_lacked_is_confirmed() -> None:
    told = contacted()
    act = refused(told[1], "qualify", plus(START, 90_000))
    assert act.code == "guard_failed"
    assert judged(act, told) == RefusalsRejudged(judged=1)


def test_a_refusal_that_the_rules_do_not_give_is_convicted() -> None:
    told = contacted()
    act = refused(told[1], "qualify", plus(START, 90_000))
    failing = [{**act.detail["failing"][0], "found": "something else"}]
    for wrong, why in (
        (replace(act, detail={**act.detail, "failing": failing}), "the caller was told 'something else'"),
        (replace(act, detail={**act.detail, "state": "supporting"}), "the deal was not in supporting then"),
        (replace(act, code="wrong_state"), "qualify is possible in contacted"),
        (replace(act, code="unknown_action"), "there is such an action"),
        (replace(act, action="deliver"), "deliver is not possible in contacted at all"),
        (replace(act, action="note"), "note has no guard"),
    ):
        [found] = judged(wrong, told).differences
        assert why in found.why
        assert "refusal 7" in found.why


def test_a_refusal_is_judged_on_the_deal_as_it_was_then() -> None:
    told = contacted()
    early = refused(told[0], "record_needs", plus(START, 60), what="pumps", quantity=1)
    if early.code == "wrong_state":
        assert judged(early, told).differences == []
    late = replace(early, at=plus(START, 40 * 86_400))
    [found] = judged(late, told).differences
    assert "the deal was not in identified then" in found.why


def test_what_was_asked_is_not_kept_so_such_refusals_are_left_out_by_name() -> None:
    told = contacted()
    malformed = refused(told[1], "log_contact", plus(START, 90_000), strange=1)
    assert malformed.code == "malformed"
    done = judged(malformed, told)
    assert (done.judged, done.differences) == (0, [])
    assert list(done.unjudged.values()) == [1]
    assert "is not kept" in next(iter(done.unjudged))


def test_a_refusal_on_a_test_deal_can_be_confirmed_but_not_convicted_by_its_time() -> None:
    told = contacted(is_test=True)
    act = refused(told[1], "qualify", "2031-05-05T05:05:05Z")
    assert judged(act, told).judged == 1
    failing = [{**act.detail["failing"][0], "found": "something else"}]
    done = judged(replace(act, detail={**act.detail, "failing": failing}), told)
    assert (done.judged, len(done.unjudged)) == (0, 1)


def test_a_guard_that_is_not_of_the_table_is_left_out() -> None:
    told = contacted()
    act = refused(told[1], "qualify", plus(START, 90_000))
    done = judged(replace(act, detail={**act.detail, "failing": [{"guard": "duties_are_separate"}]}), told)
    assert "is not one of the deal's table" in next(iter(done.unjudged))
    assert judged(act, told).differences == []
    assert rejudge_refusals("D-1", [], [], {}) == RefusalsRejudged()
