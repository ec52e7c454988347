"""Event logs of other systems: XES and CSV, plain and packed; and what can't be read, with its line."""

import gzip

import pytest

from infra.control.detecting import detect_in_log
from infra.control.event_logs import LogEvent, UnreadableLog, read_log
from infra.control.foreign_duties import UnknownDuty, mapping
from models.conflicts import Finding

XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="name"/></global>
  <trace>
    <string key="concept:name" value="PO-1"/><string key="customer" value="Acme"/>
    <event>
      <string key="concept:name" value="Create Sales Order"/><string key="org:resource" value="bob"/>
      <date key="time:timestamp" value="2026-01-05T09:00:00.000+01:00"/>
    </event>
    <event>
      <string key="concept:name" value="Post Goods Issue"/><string key="org:resource" value="bob"/>
      <date key="time:timestamp" value="2026-01-06T09:00:00Z"/>
    </event>
  </trace>
  <trace>
    <event>
      <date key="time:timestamp" value="2026-01-06T09:00:00Z"/><string key="concept:name" value="Post Goods Issue"/>
    </event>
    <string key="concept:name" value="PO-2"/>
  </trace>
</log>
"""
CSV = """case,activity,resource,time,customer
PO-1,Create Sales Order,bob,2026-01-05T09:00:00+01:00,Acme
PO-1,Post Goods Issue,bob,2026-01-06 09:00:00,Acme
PO-2,Post Goods Issue,,2026-01-06T09:00:00Z,
"""
GZIPPED_XES, GZIPPED_CSV = (gzip.compress(log.encode(), mtime=0) for log in (XES, CSV))
DUTIES = mapping(["Create Sales Order=order_entry", "post goods issue = ship"])


def events(text: str | bytes) -> list[LogEvent]:
    return list(read_log(text if isinstance(text, bytes) else text.encode(), "log"))


def refusal(text: str | bytes) -> UnreadableLog:
    with pytest.raises(UnreadableLog) as caught:
        events(text)
    return caught.value


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(found.rule, found.case, found.link) for found in findings]


@pytest.mark.parametrize("log", [XES, CSV, GZIPPED_XES, GZIPPED_CSV])
def test_the_same_log_in_four_forms_tells_the_same(log: str | bytes):
    first, second, third = events(log)
    assert (first.case, first.activity, first.resource, first.at) == (
        "PO-1", "Create Sales Order", "bob", "2026-01-05T08:00:00Z",
    )  # fmt: skip
    assert (second.at, second.attributes["customer"]) == ("2026-01-06T09:00:00Z", "Acme")
    assert (third.case, third.resource) == ("PO-2", "")
    found = detect_in_log([first, second, third], DUTIES)
    assert told(found.findings) == [("order_entry_and_goods_release", "PO-1", "the same person: bob")]
    assert (found.cases, found.acts, found.nameless, found.unmapped) == (2, 3, 1, {})
    (act, _) = found.findings[0].acts
    assert act.where == f"line {first.line}"
    assert act.activity == "Create Sales Order"


def test_lines_are_those_of_the_file():
    assert [event.line for event in events(CSV)] == [2, 3, 4]
    assert [event.line for event in events(XES)] == [7, 11, 17]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_and_names_of_columns_are_understood(mark: str):
    log = mark.join(("Case ID", "Concept:Name", "Org:Resource", "Time:Timestamp")).replace("Case ID", "case_id")
    log += "\n" + mark.join(("1", "ship", "eve", "2026-01-05T09:00:00Z"))
    (event,) = events("\ufeff" + log)
    assert (event.case, event.activity, event.resource) == ("1", "ship", "eve")


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        ("", "empty", "no events"),
        ("hello\n1\n", "unknown_format", "no column case"),
        ("case,activity,resource,time\n", "empty", "no events"),
        ("case,activity,resource\n1,a,b\n", "unknown_format", "no column time"),
        ("case,activity,time,time\n1,a,b,c\n", "malformed", "two columns are called time"),
        ("case,activity,time\n1,a,2026-01-05T09:00:00Z\n\n1,a\n", "malformed", "line 4: 2 cells instead of 3"),
        ("case,activity,time\n1,,2026-01-05T09:00:00Z\n", "malformed", "line 2: an event without activity"),
        ("case,activity,time\n1,a,yesterday\n", "malformed", "line 2: 'yesterday' is no time"),
        ("case,activity,time\n1,a,0001-01-01T00:00:00+14:00\n", "malformed", "is no time"),
        ('case,activity,time\n1,"a,b\n', "malformed", "line 2"),
        (b"case,activity,time\n1,\xff,2026-01-05T09:00:00Z\n", "odd_encoding", "line 2: the file is no UTF-8"),
        ("<html></html>", "unknown_format", "no XES: it begins with 'html'"),
        (XES.replace("</log>", ""), "malformed", "the XML is broken"),
        (XES.replace("<log ", "<!DOCTYPE log [<!ENTITY a 'b'>]><log ", 1), "hostile_xml", "DOCTYPE"),
        (XES.replace('value="2026-01-06T09:00:00Z"', 'value="soon"'), "malformed", "line 11: 'soon' is no time"),
        (XES.replace('<string key="concept:name" value="PO-2"/>', ""), "malformed", "line 17: an event without case"),
        (GZIPPED_CSV[:-9], "malformed", "the gzip archive is broken"),
        (b"\x1f\x8b nonsense", "malformed", "the gzip archive is broken"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(log: str | bytes, code: str, words: str):
    problem = refusal(log)
    assert problem.code == code
    assert words in str(problem)


def test_a_packed_log_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infra.control.event_logs.MAX_BYTES", 10_000)
    assert refusal(gzip.compress(b"x" * 20_000)).code == "too_large"
    assert refusal(b"x" * 20_000).code == "too_large"


@pytest.mark.parametrize("pair", ["ship", "=ship", "Post=", "Post=none_such", ""])
def test_a_mapping_to_no_duty_is_refused(pair: str):
    with pytest.raises(UnknownDuty):
        mapping([pair])


def test_activities_of_which_nobody_said_what_they_are_get_counted():
    found = detect_in_log(events(CSV), {})
    assert found.findings == []
    assert found.unmapped == {"Post Goods Issue": 2, "Create Sales Order": 1}


def test_our_own_names_need_no_mapping_and_machines_break_no_rules():
    log = "case,activity,resource,time,org:role\n"
    for who, role in (("ann", ""), ("system", ""), ("sap", "automation")):
        log += f"{who},Enter Order,{who},2026-01-05T09:00:00Z,{role}\n{who},ship,{who},2026-01-06T09:00:00Z,{role}\n"
    assert told(detect_in_log(events(log), {}).findings) == [
        ("order_entry_and_goods_release", "ann", "the same person: ann")
    ]


def test_acts_in_the_name_of_somebody_count_for_both():
    log = "case,activity,resource,on_behalf_of,time\n"
    log += "1,enter_order,ann,bob,2026-01-05T09:00:00Z\n1,ship,bob,,2026-01-06T09:00:00Z\n"
    assert told(detect_in_log(events(log), {}).findings) == [
        ("order_entry_and_goods_release", "1", "the same person: bob")
    ]


def test_what_was_done_is_not_what_was_approved():
    log = "case,activity,resource,time,executed_hash,approved_hash\n"
    log += "1,approve_offer,ann,2026-01-05T09:00:00Z,aa,aa bb\n1,approve_offer,ann,2026-01-06T09:00:00Z,cc,aa bb\n"
    (found,) = detect_in_log(events(log), {}).findings
    assert (found.rule, found.about) == ("approval_of_something_else", "subject:cc")


def test_discounts_that_are_split_over_orders_of_a_customer_are_added_up():
    log = "case,activity,resource,time,customer,currency,amount,list,limit\n"
    log += "1,discount,ann,2026-01-05T09:00:00Z,Acme,EUR,40.00,1000,5\n"
    log += "1,goodwill,ann,2026-01-25T09:00:00Z,Acme,EUR,20.00,1000,5\n"
    log += "2,discount,bob,2026-01-05T09:00:00Z,Acme,EUR,40.00,1000,5\n"
    (found,) = detect_in_log(events(log), {}).findings
    assert (found.rule, found.people, found.about) == ("split_discount", ("ann",), "deal:1")
    assert "6.00 % of 5.00 %" in found.why


def test_a_long_log_is_looked_through_case_by_case():
    acts = ("enter_order", "ship", "record_payment", "credit", "look")
    rows = [f"PO-{n // 5},{acts[n % 5]},u-{n % 97},2026-01-{n % 28 + 1:02}T09:00:00Z" for n in range(10_000)]
    rows.append("PO-7,credit,u-35,2026-02-01T09:00:00Z")  # who entered the order of this case, 35 % 97
    found = detect_in_log(read_log("\n".join(["case,activity,resource,time", *rows]).encode()), {})
    assert (found.cases, found.acts, found.unmapped) == (2_000, 10_001, {"look": 2_000})
    assert told(found.findings) == [("order_entry_and_credit_note", "PO-7", "the same person: u-35")]
