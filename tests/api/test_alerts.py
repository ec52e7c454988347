"""Alerts: raised once per matter, seen by whom they concern, acknowledged by who sees to them."""

from infra.stores.alerts import Alert
from tests.api.conftest import Office

PATH = "/v1/alerts"
AT = "2026-01-01T00:00:00Z"


async def _ring(office: Office, *subjects: str) -> list[bool]:
    return [await office.desk.books.alerts.ring(Alert("dead_letter", subject, "look"), AT) for subject in subjects]


async def _open(office: Office) -> list[str]:
    return [one["subject"] for one in (await office.get("auditor", PATH, open=True)).json()["items"]]


async def test_one_open_alert_per_matter(office: Office) -> None:
    assert await _ring(office, "a", "b", "a") == [True, True, False]
    assert await _open(office) == ["b", "a"]
    number = (await office.get("admin", PATH)).json()["items"][1]["id"]
    seen = (await office.post("admin", f"{PATH}/{number}/acknowledge")).json()
    assert (seen["subject"], seen["acknowledged_by"], seen["acknowledged_at"] > AT) == ("a", "u-admin", True)
    assert await _open(office) == ["b"]
    assert await _ring(office, "a") == [True]
    assert len((await office.get("admin", PATH)).json()["items"]) == 3


async def test_who_was_the_first_stays(office: Office) -> None:
    await _ring(office, "a")
    first = await office.post("head_of_sales", f"{PATH}/1/acknowledge", key="k")
    again = await office.post("head_of_sales", f"{PATH}/1/acknowledge", key="k")
    other = await office.post("admin", f"{PATH}/1/acknowledge")
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json() == again.json() == other.json()
    assert other.json()["acknowledged_by"] == "u-head_of_sales"


async def test_who_may_see_and_acknowledge(office: Office) -> None:
    await _ring(office, "a")
    acknowledgers = {"head_of_sales", "commercial_director", "logistics_manager", "accounts_receivable", "admin"}
    for role in sorted(office.keys):
        seen = await office.get(role, PATH)
        assert seen.status_code == (200 if role in acknowledgers | {"auditor", "automation"} else 403), role
        done = await office.post(role, f"{PATH}/1/acknowledge")
        assert done.status_code == (200 if role in acknowledgers else 403), role
    assert (await office.post("admin", f"{PATH}/99/acknowledge")).status_code == 404
    assert (await office.post("admin", f"{PATH}/0/acknowledge")).status_code == 422
    assert (await office.post("admin", f"{PATH}/{10**30}/acknowledge")).status_code == 422


async def test_pages_join(office: Office) -> None:
    await _ring(office, *"abcde")
    seen, cursor = [], ""
    while True:
        page = (await office.get("admin", PATH, limit=2, cursor=cursor, open=True)).json()
        seen += [one["subject"] for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == list("edcba")


async def test_health_counts_them_and_stays_as_it_is(office: Office) -> None:
    before = (await office.http.get("/v1/health")).json()
    await _ring(office, "a", "b")
    after = (await office.http.get("/v1/health")).json()
    assert (before["alerts"], after["alerts"]) == (0, 2)
    assert after | {"alerts": 0} == before
