"""The carriers' hook: whatever comes is kept once and told once, and what can't be used is never silent."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import Connection, insert, update

from infra.db import table_of
from infra.desk.acts import Ask
from infra.desk.carrier_inbox import ACTION, CarrierInbox, key_of
from infra.desk.clocks import wall_clock
from infra.desk.errors import Busy, EngineDown, Refused, key_reused
from infra.stores.carrier_messages import DIGEST_ID
from models.errors import Refusal
from models.event import to_plain
from models.instants import DAY, plus
from models.messages.deals import ActResult
from models.stages.shipping import CarrierTold
from models.tables.projection import DealRow, DealShipmentRow
from models.tables.records import TimelineRow
from tests.api.conftest import Office
from tests.models.world import World, offered

PATH = "/v1/carrier-messages"
NEWS = {
    "carrier": "swift",
    "message_id": "m-1",
    "shipment": "D-1-S1",
    "kind": "delivered",
    "occurred_at": "2026-01-05T08:00:00Z",
    "note": "left at the gate",
}


@dataclass
class FakeDeal:
    """A deal that takes every message and writes it into its timeline, or says no as it is told to."""

    office: Office
    no: Exception | None = None
    knows_better: bool = False
    answers: bool = True
    time: str | None = None
    told: list[Ask] = field(default_factory=list)

    async def act(self, ask: Ask) -> ActResult:
        if self.no:
            raise self.no
        self.told.append(ask)
        told = ask.payload
        number, message, kind, at = (told[name] for name in ("shipment", "message_id", "kind", "occurred_at"))
        entry = {column.name: "" for column in table_of(TimelineRow).columns} | {
            "deal_id": ask.deal_id, "sequence": 1_000 + len(self.told), "at": wall_clock(), "actor": ask.caller.user,
            "action": ask.action, "key": ask.key, "payload": ask.payload, "facts": {}, "verdicts": [],
            "events": [to_plain(CarrierTold(number, message, kind, at, not self.knows_better))],
        }  # fmt: skip
        await self.write(lambda connection: connection.execute(insert(table_of(TimelineRow)), entry))
        if not self.answers:
            raise EngineDown("the line broke")
        return ActResult(ask.deal_id, 7, "fulfilling", "fulfilment", {}, 7, ())

    async def now(self, deal_id: str) -> str | None:
        return self.time

    async def change(self, **columns: Any) -> None:
        deals = table_of(DealRow)
        await self.write(lambda connection: connection.execute(update(deals).values(columns)))

    async def write(self, work: Any) -> None:
        await self.office.desk.books.database.write(work)


@pytest.fixture
async def deal(office: Office) -> FakeDeal:
    """A deal D-1 with the shipment D-1-S1, and a fake in the engine's place."""
    await office.store(offered(World()))

    def ship(connection: Connection) -> None:
        row = {"deal_id": "D-1", "number": "D-1-S1", "state": "booked", "carrier": "swift", "reference": "SW-1"}
        row |= {"shipped_at": "2026-01-04T08:00:00Z", "told_at": ""}
        connection.execute(insert(table_of(DealShipmentRow)), row | {"lines": []})

    fake = FakeDeal(office)
    await fake.write(ship)
    await fake.change(is_test=False)
    office.desk.carrier_inbox = CarrierInbox(office.desk.books, fake, fake, wall_clock)
    return fake


async def send(office: Office, body: Any = None, role: str = "automation", **changes: Any) -> Response:
    content = body if isinstance(body, bytes) else json.dumps((body or NEWS) | changes).encode()
    headers = office.headers(role, Content_Type="application/json")
    return await office.http.post(PATH, content=content, headers=headers)


async def letters(office: Office, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await office.get("auditor", PATH, **asked)).json()["items"]
    return found


async def alerts(office: Office) -> list[str]:
    """Subjects of the open alerts, the newest first."""
    return [one["subject"] for one in (await office.get("auditor", "/v1/alerts", open=True)).json()["items"]]


async def test_a_message_is_told_to_its_deal(office: Office, deal: FakeDeal) -> None:
    answer = await send(office, occurred_at="2026-01-05T09:00:00+01:00")
    assert answer.status_code == 202
    assert (answer.json()["outcome"], answer.json()["reason"]) == ("booked", "")
    (ask,) = deal.told
    assert (ask.deal_id, ask.action, ask.key) == ("D-1", ACTION, "carrier:swift:m-1")
    assert ask.caller.user == "u-automation"
    assert ask.payload == {name: value for name, value in NEWS.items() if name != "carrier"}
    (kept,) = await letters(office)
    assert (kept["deal_id"], kept["shipment"], kept["tries"]) == ("D-1", "D-1-S1", 1)
    assert kept["settled_at"] >= kept["received_at"] > ""
    assert await alerts(office) == []


async def test_the_same_message_again(office: Office, deal: FakeDeal) -> None:
    first = await send(office)
    spaced = json.dumps(dict(reversed(NEWS.items())), indent=3).encode()
    for body in (None, spaced):
        again = await send(office, body)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(deal.told) == len(await letters(office)) == 1


async def test_twins_at_the_same_moment(office: Office, deal: FakeDeal) -> None:
    answers = await asyncio.gather(*(send(office) for _ in range(6)))
    assert {(answer.status_code, answer.json()["outcome"]) for answer in answers} == {(202, "booked")}
    assert len(deal.told) == len(await letters(office)) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_an_id_that_is_used_for_another_message(office: Office, deal: FakeDeal) -> None:
    await send(office)
    other = (await send(office, kind="failed")).json()
    assert (other["outcome"], other["reason"]) == ("dead", "the id was used for another message")
    assert other["message_id"].startswith(DIGEST_ID)
    again = await send(office, kind="failed")
    assert (again.json(), again.headers["idempotent-replayed"]) == (other, "true")
    assert (await send(office)).json()["outcome"] == "booked"
    assert [one["outcome"] for one in await letters(office)] == ["booked", "dead"]
    assert await alerts(office) == [f"swift/{other['message_id']}"]
    assert len(deal.told) == 1
    # somebody has found out that it really is another message
    retried = await office.post("logistics_manager", f"{PATH}/{other['id']}/retry")
    assert (retried.json()["outcome"], len(deal.told)) == ("booked", 2)
    assert deal.told[1].payload["message_id"] == other["message_id"]


DEAD: list[tuple[bytes, str]] = [
    (b"", "can't be read"),
    (b"hello", "can't be read"),
    (b"\xff\xfe", "no UTF-8"),
    (b"a\x00b", "can't be read"),
    (b'{"carrier": NaN}', "NaN"),
    (b"[" * 50_000, "nested too deeply"),
    (b'{"carrier":"a","carrier":"b"}', "names a field twice"),
    (b"[1]", "no JSON object"),
    (b"null", "no JSON object"),
    (b"{}", "carrier"),
    (b'{"note": 1e999}', "note"),
    (b'{"note": 12345678901234567890}', "note"),
    (b'{"note": "\\ud800"}', "note"),
    (b'{"note": "a\\u0000b"}', "note"),
]


@pytest.mark.parametrize(("body", "reason"), DEAD, ids=range(len(DEAD)))
async def test_what_is_no_message_is_kept(office: Office, deal: FakeDeal, body: bytes, reason: str) -> None:
    for replayed in (None, "true"):
        answer = await send(office, body)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "dead")
        assert reason in answer.json()["reason"]
        assert answer.headers.get("idempotent-replayed") == replayed
    (kept,) = await letters(office, outcome="dead")
    assert (kept["carrier"], kept["message_id"][:7], kept["tries"]) == ("unknown", DIGEST_ID, 1)
    assert await alerts(office) == [f"unknown/{kept['message_id']}"]
    whole = (await office.get("logistics_manager", f"{PATH}/{kept['id']}")).json()
    assert whole["body"].startswith("base64:") or whole["body"].encode() == body


FIELDS: list[tuple[str, Any]] = [
    *(("carrier", value) for value in (None, "", 7, "x" * 41, "two words", "a\x00", "\ud800")),
    *(("message_id", value) for value in (None, "", 7, "x" * 201, "two words", "a\nb", "sha256:00")),
    *(("shipment", value) for value in (None, "", 7, "D-1", "D-1-S0", "D-1-S01", "D-1-S१", "-S1", "x" * 90 + "-S1")),
    *(("kind", value) for value in (None, "", 7, "prepared", "lost", "DELIVERED", ["delivered"])),
    *(("occurred_at", value) for value in (None, "", 7, "yesterday", "2026-01-05", "2026-01-05T08:00:00")),
    *(("occurred_at", value) for value in ("2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0500-01-01T00:00Z")),
    *(("note", value) for value in (None, 7, "x" * 2_001, "bell\x07")),
    ("surprise", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FIELDS, ids=range(len(FIELDS)))
async def test_wrong_fields_are_named(office: Office, deal: FakeDeal, name: str, value: Any) -> None:
    answer = await send(office, **{name: value})
    assert (answer.status_code, answer.json()["outcome"]) == (202, "dead"), answer.text
    assert name in answer.json()["reason"]
    assert len(await alerts(office)) == 1
    assert deal.told == []


async def test_everything_wrong_is_named_at_once(office: Office, deal: FakeDeal) -> None:
    reason = (await send(office, kind="lost", occurred_at="", shipment="D-1")).json()["reason"]
    assert all(name in reason for name in ("kind", "occurred_at", "shipment"))
    assert "carrier:" not in reason


@pytest.mark.parametrize("shipment", ["D-1-S2", "D-2-S1", "D-1-S1-S1"])
async def test_shipments_that_we_do_not_know(office: Office, deal: FakeDeal, shipment: str) -> None:
    answer = (await send(office, shipment=shipment)).json()
    assert (answer["outcome"], answer["reason"]) == ("dead", f"there is no shipment {shipment}")
    assert await alerts(office) == ["swift/m-1"]


async def test_news_from_the_future(office: Office, deal: FakeDeal) -> None:
    now = wall_clock()
    soon = await send(office, message_id="m-1", occurred_at=plus(now, DAY - 60))
    late = await send(office, message_id="m-2", occurred_at=plus(now, DAY + 60))
    assert (soon.json()["outcome"], late.json()["outcome"]) == ("booked", "dead")
    assert "a day ahead" in late.json()["reason"]


async def test_test_deals_have_a_time_of_their_own(office: Office, deal: FakeDeal) -> None:
    await deal.change(is_test=True)
    ahead = plus(wall_clock(), 100 * DAY)
    unknown = await send(office, occurred_at=ahead)
    assert (unknown.status_code, (await letters(office))[0]["outcome"]) == (503, "received")
    deal.time = plus(ahead, -DAY)
    assert (await send(office, occurred_at=ahead)).json()["outcome"] == "booked"
    assert (await send(office, message_id="m-2", occurred_at=plus(ahead, 1))).json()["outcome"] == "dead"


async def test_old_news_changes_nothing(office: Office, deal: FakeDeal) -> None:
    deal.knows_better = True
    assert (await send(office)).json()["outcome"] == "unchanged"
    assert await alerts(office) == []


async def test_news_of_a_closed_deal(office: Office, deal: FakeDeal) -> None:
    await deal.change(closed_at="2026-03-01T00:00:00Z")
    answer = (await send(office)).json()
    assert (answer["outcome"], answer["reason"]) == ("unchanged", "the deal is closed")
    assert (deal.told, await alerts(office)) == ([], [])


async def test_a_deal_that_says_no(office: Office, deal: FakeDeal) -> None:
    deal.no = Refused(Refusal("guard_failed", ACTION, "fulfilling", "these units have arrived already"))
    answer = (await send(office)).json()
    assert (answer["outcome"], answer["reason"]) == ("dead", "these units have arrived already")
    assert await alerts(office) == ["swift/m-1"]
    number = answer["id"]
    still = await office.post("logistics_manager", f"{PATH}/{number}/retry", key="one")
    assert (still.json()["outcome"], still.json()["tries"]) == ("dead", 2)
    assert await alerts(office) == ["swift/m-1"]
    deal.no = None
    same_key = await office.post("logistics_manager", f"{PATH}/{number}/retry", key="one")
    assert (same_key.json(), same_key.headers["idempotent-replayed"]) == (still.json(), "true")
    done = await office.post("admin", f"{PATH}/{number}/retry", key="two")
    assert (done.json()["outcome"], done.json()["reason"], done.json()["tries"]) == ("booked", "", 3)
    assert await alerts(office) == []
    assert (deal.told[0].caller.user, "automation" in deal.told[0].caller.roles) == ("u-admin", True)
    settled = (await office.get("auditor", "/v1/alerts")).json()["items"]
    assert [one["acknowledged_by"] for one in settled] == ["u-admin"]
    again = await office.post("admin", f"{PATH}/{number}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "already_told")


@pytest.mark.parametrize(("no", "status"), [(EngineDown("silence"), 503), (Busy("too much"), 429)])
async def test_an_engine_that_does_not_answer(office: Office, deal: FakeDeal, no: Exception, status: int) -> None:
    deal.no = no
    for _ in range(2):
        answer = await send(office)
        assert answer.status_code == status
        assert int(answer.headers["retry-after"]) >= 1
    (waiting,) = await letters(office, outcome="received")
    assert (waiting["tries"], waiting["settled_at"]) == (2, "")
    deal.no = None
    answer = await send(office)
    assert (answer.json()["outcome"], answer.headers["idempotent-replayed"]) == ("booked", "true")
    assert len(await letters(office)) == 1


async def test_a_retry_finishes_what_waits(office: Office, deal: FakeDeal) -> None:
    deal.no = EngineDown("silence")
    await send(office)
    number = (await letters(office))[0]["id"]
    assert (await office.post("admin", f"{PATH}/{number}/retry")).status_code == 503
    deal.no = None
    assert (await office.post("admin", f"{PATH}/{number}/retry")).json()["outcome"] == "booked"


@pytest.mark.parametrize("closed", [False, True])
async def test_an_answer_that_was_lost(office: Office, deal: FakeDeal, closed: bool) -> None:
    """The deal took it, its answer got lost, and somebody else asks again: the timeline knows, whoever asks."""
    deal.answers = False
    assert (await send(office)).status_code == 503
    if closed:
        await deal.change(closed_at="2026-03-01T00:00:00Z")
    deal.no = key_reused("carrier:swift:m-1")
    assert (await send(office, role="logistics_manager")).json()["outcome"] == "booked"
    assert len(deal.told) == 1


async def test_a_deal_that_closes_at_that_moment(office: Office, deal: FakeDeal) -> None:
    class ClosingDeal(FakeDeal):
        async def act(self, ask: Ask) -> ActResult:
            await self.change(closed_at="2026-03-01T00:00:00Z")
            raise Refused(Refusal("wrong_state", ACTION, "completed", "not in this state"))

    closing = ClosingDeal(office)
    office.desk.carrier_inbox = CarrierInbox(office.desk.books, closing, closing, wall_clock)
    answer = (await send(office)).json()
    assert (answer["outcome"], answer["reason"]) == ("unchanged", "the deal is closed")


async def test_who_may_do_what(office: Office, deal: FakeDeal) -> None:
    number = (await send(office, message_id="first")).json()["id"]
    for role in sorted(office.keys):
        sent = await send(office, role=role, message_id=f"by-{role}")
        assert sent.status_code == (202 if role in ("automation", "logistics_manager") else 403), role
        read = await office.get(role, PATH)
        readers = ("automation", "logistics_manager", "head_of_sales", "commercial_director", "admin", "auditor")
        assert read.status_code == (200 if role in readers else 403), role
        assert (await office.get(role, f"{PATH}/{number}")).status_code == read.status_code
        retried = await office.post(role, f"{PATH}/999/retry")
        assert retried.status_code == (404 if role in ("logistics_manager", "admin") else 403), role
    nobody = await office.http.post(PATH, json=NEWS, headers={"Authorization": "Bearer dw_1_2"})
    assert nobody.status_code == 401
    assert {one["message_id"] for one in await letters(office)} == {"first", "by-automation", "by-logistics_manager"}


async def test_the_size_of_a_message_is_limited(office: Office, deal: FakeDeal) -> None:
    answer = await send(office, b" " * 1_500_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert (await send(office, b'{"note": "' + b"x" * 900_000 + b'"}')).json()["outcome"] == "dead"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_carriers_may_name_any_media_type(office: Office, deal: FakeDeal, kind: str) -> None:
    headers = office.headers("automation", Content_Type=kind)
    answer = await office.http.post(PATH, content=json.dumps(NEWS).encode(), headers=headers)
    assert answer.json()["outcome"] == "booked"


async def test_pages_and_filters(office: Office, deal: FakeDeal) -> None:
    for number in range(5):
        await send(office, message_id=f"m-{number}", kind="delivered" if number % 2 else "lost")
    seen, cursor = [], ""
    while True:
        page = (await office.get("admin", PATH, limit=2, cursor=cursor)).json()
        seen += [one["message_id"] for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == [f"m-{number}" for number in range(5)]
    assert [one["message_id"] for one in await letters(office, outcome="booked")] == ["m-1", "m-3"]
    assert len(await letters(office, shipment="D-1-S1")) == 5
    assert await letters(office, shipment="D-1-S2") == []
    for asked in ({"outcome": "lost"}, {"cursor": "x"}, {"shipment": "\x00"}, {"limit": 0}):
        assert (await office.get("admin", PATH, **asked)).status_code in (400, 422), asked


async def test_without_an_engine_nothing_is_lost(office: Office, deal: FakeDeal) -> None:
    """The desk's own inbox, not the test's."""
    desk = office.desk
    desk.carrier_inbox = CarrierInbox(desk.books, desk._acts, desk.engine, desk.clock)
    answer = await send(office)
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unreachable")
    (kept,) = await letters(office)
    assert kept["outcome"] == "received"


@pytest.mark.parametrize(
    ("carrier", "message"), [("swift", "m" * 200), ("swift", "ü-1"), ("a:b", "c"), ("x" * 40, "y" * 200)]
)
def test_keys_of_messages(carrier: str, message: str) -> None:
    key = key_of(carrier, message)
    assert key.isascii()
    assert len(key) <= 200
    assert key == key_of(carrier, message) != key_of(carrier, message + "2")
    assert key_of("a", "b:c") != key_of("a:b", "c")
