"""Deputies by API: who appoints whom, the window, acting on behalf of somebody, and whose eyes count."""

import asyncio
from typing import Any

import pytest
from httpx2 import Response

from infra.stores.audit import AuditStore
from models.instants import DAY, plus
from tests.api.conftest import Office
from tests.models.story import asking
from tests.models.world import World

Body = dict[str, Any]


def in_days(office: Office, days: int) -> str:
    return plus(office.desk.clock(), days * DAY)


async def appoint(office: Office, role: str, deputy: str, absent: str = "", key: str = "", **more: Any) -> Response:
    body = {"deputy": f"u-{deputy}", "until": in_days(office, 10), **({"absent": f"u-{absent}"} if absent else {})}
    return await office.post(role, "/v1/deputies", body | more, key)


async def as_deputy(office: Office, role: str, absent: str, path: str) -> Response:
    return await office.http.get(path, headers=office.headers(role, X_On_Behalf_Of=f"u-{absent}"))


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_deputy_sees_and_is_named_with_the_rights_of_the_absent_person(office: Office) -> None:
    await office.store(World())
    assert (await office.get("stranger", "/v1/deals/D-1")).status_code == 404
    made = await appoint(office, "account_manager", "stranger", reason="holiday")
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["absent"], row["deputy"], row["appointed_by"]) == (
        "u-account_manager",
        "u-stranger",
        "u-account_manager",
    )
    seen = await as_deputy(office, "stranger", "account_manager", "/v1/deals/D-1")
    assert seen.status_code == 200
    me = (await as_deputy(office, "stranger", "account_manager", "/v1/me")).json()
    assert me == {
        "user": "u-stranger", "roles": ["account_manager"], "department": "north",
        "on_behalf_of": "u-account_manager", "sees": "own",
    }  # fmt: skip
    assert (await office.get("stranger", "/v1/deals/D-1")).status_code == 404, "in their own name it is not theirs"


async def test_outside_of_the_window_nobody_acts_for_anybody(office: Office) -> None:
    assert problem(await as_deputy(office, "stranger", "account_manager", "/v1/me")) == (403, "not_a_deputy")
    later = await appoint(office, "account_manager", "stranger", **{"from": in_days(office, 2)})
    assert later.status_code == 201
    assert problem(await as_deputy(office, "stranger", "account_manager", "/v1/me")) == (403, "not_a_deputy")
    assert problem(await as_deputy(office, "legal", "account_manager", "/v1/me")) == (403, "not_a_deputy")
    assert problem(await as_deputy(office, "stranger", "nobody-at-all", "/v1/me")) == (403, "not_a_deputy")


async def test_what_was_ended_early_gives_no_rights_and_ending_twice_changes_nothing(office: Office) -> None:
    number = (await appoint(office, "account_manager", "stranger")).json()["id"]
    assert (await as_deputy(office, "stranger", "account_manager", "/v1/me")).status_code == 200
    path = f"/v1/deputies/{number}/end"
    assert (await office.post("legal", path)).status_code == 404, "somebody else's business"
    ended = await office.post("stranger", path)
    assert ended.json()["ended_by"] == "u-stranger", "the deputy may give it back"
    assert (await office.post("account_manager", path)).json() == ended.json()
    assert problem(await as_deputy(office, "stranger", "account_manager", "/v1/me")) == (403, "not_a_deputy")
    again = await appoint(office, "account_manager", "stranger")
    assert again.status_code == 201, "a new window is free again"


async def test_who_may_appoint(office: Office) -> None:
    assert (await appoint(office, "head_of_sales", "stranger", "account_manager")).status_code == 201
    assert problem(await appoint(office, "head_of_sales", "account_manager", "stranger")) == (403, "wrong_role")
    assert (await appoint(office, "admin", "account_manager", "legal")).status_code == 201
    assert (await appoint(office, "commercial_director", "account_manager", "risk_officer")).status_code == 201
    assert problem(await appoint(office, "legal", "account_manager", "production")) == (403, "wrong_role")
    assert problem(await appoint(office, "legal", "account_manager", "no-such")) == (403, "wrong_role")
    assert problem(await appoint(office, "auditor", "legal")) == (403, "wrong_role")
    assert problem(await appoint(office, "automation", "legal")) == (403, "wrong_role")


@pytest.mark.parametrize(
    ("role", "deputy", "absent", "field"),
    [
        ("account_manager", "account_manager", "", "deputy"),
        ("account_manager", "auditor", "", "deputy"),
        ("account_manager", "admin", "", "deputy"),
        ("account_manager", "automation", "", "deputy"),
        ("account_manager", "nobody", "", "deputy"),
        ("head_of_sales", "head_of_sales", "account_manager", "deputy"),
        ("admin", "legal", "auditor", "absent"),
        ("admin", "legal", "automation", "absent"),
        ("admin", "legal", "", "absent"),
        ("admin", "legal", "nobody", "absent"),
    ],
)
async def test_who_can_be_no_deputy_and_whose_rights_do_not_pass(
    office: Office, role: str, deputy: str, absent: str, field: str
) -> None:
    answer = await appoint(office, role, deputy, absent)
    assert problem(answer) == (422, "malformed")
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2099-01-01T00:00:00Z"}, "until"),
        ({"until": "soon"}, "until"),
        ({"until": ""}, "until"),
        ({"from": "2020-01-01T00:00:00Z", "until": "2020-01-09T00:00:00Z"}, "from"),
        ({"reason": "\x00"}, "reason"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_a_window_that_cannot_be_is_refused(office: Office, more: Body, field: str) -> None:
    answer = await appoint(office, "account_manager", "stranger", **more)
    assert problem(answer) == (422, "malformed")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_loops_long_chains_and_two_deputies_at_once_are_refused(office: Office) -> None:
    assert (await appoint(office, "account_manager", "stranger")).status_code == 201
    assert problem(await appoint(office, "account_manager", "legal")) == (422, "malformed")
    assert problem(await appoint(office, "stranger", "account_manager")) == (422, "malformed")
    assert (await appoint(office, "stranger", "legal")).status_code == 201
    too_long = await appoint(office, "legal", "risk_officer")
    assert problem(too_long) == (422, "malformed")
    assert "u-account_manager <- u-stranger <- u-legal <- u-risk_officer" in too_long.json()["detail"]
    chained = await as_deputy(office, "legal", "account_manager", "/v1/me")
    assert chained.json()["on_behalf_of"] == "u-account_manager"


async def test_a_deputy_appoints_nobody_in_the_name_of_the_absent(office: Office) -> None:
    await appoint(office, "account_manager", "stranger")
    answer = await office.post(
        "stranger", "/v1/deputies", {"deputy": "u-legal", "until": in_days(office, 1)},
        X_On_Behalf_Of="u-account_manager",
    )  # fmt: skip
    assert problem(answer) == (403, "wrong_role")


async def test_of_two_appointments_at_once_one_stands(office: Office) -> None:
    answers = await asyncio.gather(
        *(appoint(office, "account_manager", deputy) for deputy in ("stranger", "legal", "key_account_manager"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422]
    page = await office.get("account_manager", "/v1/deputies", active=True)
    assert len(page.json()["items"]) == 1
    report = await AuditStore(office.desk.books.database).verify()
    assert report.sound


async def test_the_same_request_twice_appoints_once(office: Office) -> None:
    body = {"deputy": "u-stranger", "until": in_days(office, 10)}
    first = await office.post("account_manager", "/v1/deputies", body, key="d")
    again = await office.post("account_manager", "/v1/deputies", body, key="d")
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")


async def test_lists_show_ones_own_and_all_to_who_reads_them(office: Office) -> None:
    await appoint(office, "account_manager", "stranger")
    await appoint(office, "legal", "risk_officer")
    counts = {}
    for role in ("account_manager", "stranger", "legal", "production", "auditor", "admin", "commercial_director"):
        counts[role] = len((await office.get(role, "/v1/deputies")).json()["items"])
    assert counts == {
        "account_manager": 1, "stranger": 1, "legal": 1, "production": 0, "auditor": 2, "admin": 2,
        "commercial_director": 2,
    }  # fmt: skip
    assert problem(await office.get("production", "/v1/deputies", user="u-legal")) == (403, "wrong_role")
    found = (await office.get("auditor", "/v1/deputies", user="u-legal")).json()["items"]
    assert [row["deputy"] for row in found] == ["u-risk_officer"]


async def test_the_log_keeps_each_step_and_never_the_reason(office: Office) -> None:
    number = (await appoint(office, "account_manager", "stranger", reason="in hospital")).json()["id"]
    await office.post("account_manager", f"/v1/deputies/{number}/end")
    leaves = (await office.get("auditor", "/v1/audit/leaves", kind="deputy")).json()["items"]
    assert [(leaf["body"]["act"], leaf["body"]["by"]) for leaf in leaves] == [
        ("appointed", "u-account_manager"),
        ("ended", "u-account_manager"),
    ]
    assert "hospital" not in str(leaves)


async def test_a_head_who_stands_in_for_the_requester_does_not_approve_in_either_name(office: Office) -> None:
    await office.store(asking(World()))
    asked = "/v1/deals/D-1/actions/approve_offer"
    before = await office.post("head_of_sales", f"{asked}?dry_run=true", {"reason": "fine"})
    assert before.status_code == 200, before.text
    assert (await appoint(office, "account_manager", "head_of_sales")).status_code == 201
    own = await office.post("head_of_sales", f"{asked}?dry_run=true", {"reason": "fine"})
    assert [guard["guard"] for guard in own.json()["blocked"]["failing"]] == ["four_eyes"]
    other = await office.post("commercial_director", f"{asked}?dry_run=true", {"reason": "fine"})
    assert other.status_code == 200


async def test_the_timeline_names_both(works: Office) -> None:
    opened = await works.post(
        "account_manager", "/v1/deals", {"title": "Deputised", "customer": "c-1", "is_test": True}
    )
    deal = opened.json()["deal_id"]
    await appoint(works, "account_manager", "stranger")
    acted = await works.act(
        "stranger", deal, "log_contact", {"channel": "call", "outcome": "fine"}, X_On_Behalf_Of="u-account_manager"
    )
    assert acted.status_code == 200, acted.text
    entries = (await works.get("account_manager", f"/v1/deals/{deal}/timeline")).json()["entries"]
    assert [(entry["actor"], entry["on_behalf_of"]) for entry in entries][-1] == ("u-stranger", "u-account_manager")
    no = await works.act("stranger", deal, "qualify", {}, X_On_Behalf_Of="u-account_manager")
    assert no.status_code == 409
    (refused,) = await works.desk.books.timeline.refusals(deal)
    assert (refused["actor"], refused["detail"]["on_behalf_of"]) == ("u-stranger", "u-account_manager")
    made = await works.post(
        "stranger", "/v1/deals", {"title": "For her", "customer": "c-1", "is_test": True},
        X_On_Behalf_Of="u-account_manager",
    )  # fmt: skip
    assert (await works.get("account_manager", f"/v1/deals/{made.json()['deal_id']}")).json()[
        "owner"
    ] == "u-account_manager"
