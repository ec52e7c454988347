"""What people read of plain values: durations, changes, timelines, refusals, bank entries, drafts, funnels."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.bank import _best
from cli.bank import _draw as draw_entry
from cli.counterfactual import _render as draw_trial
from cli.deal_answers import _render_preview
from cli.deal_goods import change
from cli.deal_timeline import render_timeline
from cli.deal_views import said_no
from cli.exits import CommandFailed, ExitCode
from cli.import_bank import _show as draw_statements
from cli.import_opportunities import show_funnel
from cli.imports.driving import Driven
from cli.imports.funnel import funnel_of
from cli.imports.opportunities import Item, Opportunity, Outcome
from cli.invoice_views import _holds, _ladder
from cli.policy_drafts import _draw as draw_draft
from cli.privacy import _show as draw_erasure
from cli.reconcile import _render as draw_statement
from cli.replaying_report import remarks, report
from cli.reports import _time
from cli.session import Options, Session
from infra.control.counterfactual_desk import Outcome as Trial
from infra.desk.errors import Refused
from infra.evidence.replays import Verdict as Replayed
from infra.stores.policy_drafts import Draft
from models.errors import Refusal, Verdict
from models.replaying import FOLD, RULES, Difference

AT = "2026-03-06T08:00:00Z"
Draw = Callable[..., list[str]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Draw:
    """Draws on a pipe, and answers the lines without their padding."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def draw(view: Callable[..., None], *arguments: Any) -> list[str]:
        view(Session(Options()), *arguments)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return draw


def euros(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0 min"),
        (59, "0 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_durations(seconds: int | None, words: str) -> None:
    assert _time(seconds) == words


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("add", {"article": "A-2", "quantity_after": 3}, "add 3 A-2"),
        ("add", {"article": "A-2", "quantity_after": 3, "price_after": euros(995)}, "add 3 A-2 at 9.95 EUR"),
        ("quantity", {"line": 2, "quantity_before": 5, "quantity_after": 3}, "line 2: 5 -> 3 units"),
        ("drop", {"article": "A-2", "quantity_before": 5, "quantity_after": 0}, "A-2: 5 -> 0 units"),
        (
            "price",
            {"line": 1, "price_before": euros(995), "price_after": euros(1_000)},
            "line 1: 9.95 EUR -> 10.00 EUR",
        ),
        ("price", {"line": 1}, "line 1: - -> -"),
        ("delivery_date", {"text_before": "", "text_after": "2026-04-01"}, "order: delivery date none -> 2026-04-01"),
    ],
)
def test_changes_of_an_order(kind: str, values: dict[str, Any], words: str) -> None:
    empty = {"line": 0, "article": "", "text_before": "", "text_after": ""}
    assert change({**empty, "kind": kind, **values}) == words


def entry(**known: Any) -> dict[str, Any]:
    same = {"sequence": 1, "at": AT, "actor": "u", "role": "head_of_sales", "on_behalf_of": "", "action": "note"}
    return {**same, "state_from": "S", "state_to": "S", "events": [], "payload": {}, "hash": "ab" * 32, **known}


def test_a_timeline_names_deputies_and_refusals(drawn: Draw) -> None:
    refused = {"at": AT, "actor": "eve", "action": "ship", "code": "wrong_role", "detail": {"message": "not hers"}}
    written = [entry(on_behalf_of="v"), entry(sequence=2, role="system", state_to="T", payload={"parts": [1, 2]})]
    shown = drawn(render_timeline, written, [refused])
    assert "1 2026-03-06 08:00 u (head) for v note" in shown
    assert "2 2026-03-06 08:00 u note -> T 2 parts" in shown
    assert "2 entries, the chain ends with abababababababab..." in shown
    assert f"{AT} eve ship wrong_role not hers" in shown


def test_a_timeline_from_before_the_deal_ends_with_nothing(drawn: Draw) -> None:
    shown = drawn(render_timeline, [], [])
    assert not [line for line in shown if "chain" in line or "Refused" in line]


@pytest.mark.parametrize(
    ("known", "advice"),
    [
        (
            {"roles_allowed": ("auditor",)},
            "--as USER acts as somebody with such a role; `dealwright user list` shows who has it",
        ),
        (
            {"failing": (Verdict("a", False, "1", "2", ("ask", "wait")), Verdict("b", False, "1", "2", ("ask",)))},
            "what helps: ask; wait",
        ),
        ({"allowed_actions": ("note", "close")}, "possible now: note, close"),
        ({}, ""),
    ],
)
def test_a_refusal_says_the_way_out(known: dict[str, Any], advice: str) -> None:
    with pytest.raises(CommandFailed) as failed, said_no():
        raise Refused(Refusal("guard_failed", "ship", "ordering", "not yet", **known))
    told = failed.value
    assert (told.code, told.message, told.advice) == (ExitCode.REFUSED, "not yet", advice)


PART = {"invoice": "2026-000001", "deal_id": "D-1", "excess": None, "charges": None, "discount": euros(20)}
ENTRY = {
    **dict.fromkeys(("account", "booked_on", "valued_on", "party_name", "party_iban", "structured", "end_to_end"), ""),
    **dict.fromkeys(("bank_reference", "return_reason", "rule", "reason", "customer", "decided_by", "decided_at"), ""),
    "id": 7,
    "amount": euros(1_000),
    "left": euros(0),
    "text": "thanks",
    "state": "booked",
}


def test_a_bank_entry_with_what_it_was_booked_on_and_what_it_may_be_for(drawn: Draw) -> None:
    parts = [{**PART, "applied": euros(980), "state": "refused", "reason": "the deal is closed"}]
    guesses = [{"score": 80, "parts": [{**PART, "applied": euros(1_000)}], "why": "same amount"},
               {"score": 40, "parts": [], "why": "same name"}]  # fmt: skip
    shown = drawn(draw_entry, {**ENTRY, "parts": parts, "candidates": guesses})
    assert [line for line in shown if line.startswith("left")] == ["left 0.00 EUR"]
    assert "2026-000001 D-1 9.80 EUR 0.20 EUR refused the deal is closed" in shown
    assert "80 2026-000001 10.00 EUR same amount" in shown
    assert _best({"candidates": guesses}) == "80: 2026-000001 - same amount"
    bare = drawn(draw_entry, {**ENTRY, "parts": [], "candidates": []})
    assert not [line for line in bare if line in ("Parts", "Candidates")]
    assert _best({"candidates": []}) == ""


def test_imported_statements_say_what_still_waits_for_the_engine(drawn: Draw) -> None:
    outcomes = [{"count": 2, "state": "matched", "rule": "by_number"}]
    statement = {"id": 3, "account": "DE1", "closed_on": "2026-03-06", "state": "booked", "entries": 2, "new": 2,
                 "known": 0, "reason": "", "outcomes": outcomes}  # fmt: skip
    shown = drawn(draw_statements, [{"file": "a/b.xml", "statements": [statement], "unanswered": 2}])
    assert "b.xml 3 DE1 2026-03-06 booked 2 2 0 2 matched (by number)" in shown
    assert "2 entries wait for the engine: `dealwright bank retry` tells their deals" in shown
    refused = {"file": "c.sta", "refused": "unknown_format", "reason": "no statement", "statements": []}
    assert drawn(draw_statements, [refused]) == ["refused (unknown_format): no statement"]


def test_a_draft_without_a_note_has_no_empty_line(drawn: Draw) -> None:
    draft = Draft("2027.1", "2026.1", {}, "ab" * 32, "draft", "", "anna", [], AT)
    assert drawn(draw_draft, draft, "") == [
        "policy 2027.1: draft", f"based on 2026.1, drafted by anna, hash {'ab' * 32}",
    ]  # fmt: skip


def test_a_trial_that_changes_nothing_names_what_it_could_not_judge(drawn: Draw) -> None:
    trial = Trial("2027.1", AT, AT, 2, 9, [], [], {"D-2": "its policy is gone"})
    assert drawn(draw_trial, trial, 20) == [
        "policy 2027.1: 9 decisions of 2 deals were judged again; 0 come out otherwise",
        "D-2 could not be judged: its policy is gone",
    ]


def test_an_erasure_that_left_something_says_what_to_do(drawn: Draw) -> None:
    done = {"subject": "C-1-1", "values": 3, "erased_at": AT, "again": False}
    assert drawn(draw_erasure, {**done, "clean": True, "remaining": []}) == [f"C-1-1 was erased: 3 values, at {AT}"]
    assert drawn(draw_erasure, {**done, "clean": False, "remaining": ["an invoice of D-1"]})[1:] == [
        "old pages may still stand in the database's log: erase again when nobody reads",
        "written before the person was known, and can't be changed: an invoice of D-1",
    ]


def test_an_invoice_names_whatever_holds_credit() -> None:
    assert list(_holds({"deal": False, "group": None})) == []
    assert list(_holds({"deal": True, "group": {"group": "g-1", "since": AT}})) == [
        "its deal is on credit hold",
        "the group g-1 is on credit hold since 2026-03-06 08:00",
    ]


def test_a_rung_that_waits_for_somebody_says_so(drawn: Draw) -> None:
    rung = {"rung": "sue", "letter": "", "due_at": ""}

    def last(**ladder: Any) -> str:
        told = {"ladder": {"reached": [], "next": rung, **ladder}}
        return drawn(lambda session: _ladder(session.screen, told))[-2]

    assert last(waits_for="legal_approval") == "next: sue waits for a decision"
    assert last(waits_for="plan") == "next: sue waits for the end of a plan"
    assert last(waits_for="", next={**rung, "letter": "formal_notice", "due_at": AT}) == (
        "next: sue (formal notice) 2026-03-06 08:00"
    )


def test_a_reconciled_statement_lists_its_differences(drawn: Draw) -> None:
    told = {"id": "R-1", "customer": "c-1", "month": "2026-02", "state": "answered", "our_balance": euros(500),
            "their_balance": euros(400), "credit": euros(0), "lines": [], "items": []}  # fmt: skip
    item = {"number": 1, "kind": "amount", "invoice": "2026-000001", "ours": euros(500), "theirs": euros(400),
            "became": "", "outcome": ""}  # fmt: skip
    shown = drawn(draw_statement, {**told, "items": [item]})
    assert "our balance 5.00 EUR, theirs 4.00 EUR, credit 0.00 EUR" in shown
    assert "1 amount 2026-000001 5.00 EUR 4.00 EUR waits" in shown
    equal = drawn(draw_statement, {**told, "their_balance": None})
    assert "our balance 5.00 EUR, theirs -, credit 0.00 EUR" in equal
    assert "Differences" not in equal


def test_a_dry_run_hides_money_from_whoever_must_not_see_it(drawn: Draw) -> None:
    told = {"number": 1, "order_version": 2, "changes": [], "units_added": 3, "units_released": 0}
    shown = drawn(_render_preview, {"events": [], "effects": [], "amendment": told})
    assert "units 3 more to reserve, 0 back to the shelf" in shown
    assert not [line for line in shown if "owes" in line or "It would happen" in line]
    money = {"net": euros(100), "total": euros(119), "headroom_before": euros(900), "headroom_after": euros(781)}
    shown = drawn(_render_preview, {"events": [], "effects": [], "amendment": {**told, **money, "invoices": []}})
    assert "customer owes +1.00 EUR net, +1.19 EUR with tax" in shown
    assert "invoices none now" in shown


def test_a_funnel_that_is_not_equal_names_the_rows(drawn: Draw) -> None:
    row = Opportunity(2, "A1", "A deal", "ada", "c-1", "EUR", (Item("A-1", 1, 10_000),), Outcome.WON, 30)
    funnel = funnel_of(
        [Driven(row, "D-1", "completed", 30), Driven(row, "D-2", "completed", 31), Driven(row, "", "", 0, "busy")]
    )
    assert not funnel.is_equal
    shown = drawn(show_funnel, funnel)
    assert "ada 0 0 0 2 (rows: 3) 100 % NO" in shown
    assert "line 2 (A1): wanted Won after 30 days, is completed after 31 days: another length" in shown
    assert "line 2 (A1): wanted Won after 30 days, is nowhere after 0 days: busy" in shown
    assert funnel_of([Driven(row, "D-1", "completed", 30)]).is_equal


def test_a_replay_remarks_what_it_could_not_look_at() -> None:
    verdicts = [
        Replayed("D-1", unjudged={"the user is gone": 2}, unknown=3),
        Replayed("D-2", unjudged={"the user is gone": 1, "no policy": 1}),
        Replayed("D-3", unknown=5, differences=[Difference("D-3", 1, FOLD, "other")]),
    ]
    assert remarks(verdicts) == [
        "1 refusals could not be judged again: no policy",
        "3 refusals could not be judged again: the user is gone",
        "3 entries at the end of open deals are not in the engine's histories (yet)",
    ]
    told = report(verdicts, (FOLD, RULES), 1.0, 1)
    assert (told["equal"], told["deals_different"], told["replays"][FOLD]["entries_per_second"]) == (False, 1, None)
