"""Letters over the API: listed by who may, sent again or marked, once per key, and never out of turn."""

from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from sqlalchemy import update

from infra.gateways.letter_states import LETTERS
from infra.gateways.mailer import OutboxMailer
from infra.stores.alerts import Alert
from models.instants import plus
from models.messages.receivables import LetterInput
from tests.api.conftest import Office
from tests.api.desks import another
from tests.letters.samples import AT, OWED

PATH = "/v1/letters"
DECIDERS = {"accounts_receivable", "head_of_sales", "commercial_director", "admin"}
KEYS = ("D-1:7:letter/1", "D-2:1:letter", "reconciliation:c 1/ü:EUR:2026-01")


@pytest_asyncio.fixture
async def letters(office: Office, tmp_path: Path) -> Office:
    """A letter about a deal of department north, one of south, and a statement of account; all failed."""
    await office.store(another("D-1"))
    await office.store(another("D-2", owner="u-stranger", department="south"))
    mailer = OutboxMailer(office.desk.books.database, tmp_path / "outbox")
    for number, key in enumerate(KEYS):
        deal = f"D-{number + 1}" if number < 2 else "R-1"
        await mailer.send_letter(LetterInput(key, deal, "c-1", "second_dunning", OWED, plus(AT, number)))
    await put(office, "failed")
    return office


async def put(office: Office, state: str) -> None:
    await office.desk.books.database.write(lambda connection: connection.execute(update(LETTERS).values(state=state)))


def of(key: str, decision: str) -> str:
    return f"{PATH}/{quote(key, safe='')}/{decision}"


async def keys_seen(office: Office, role: str, **asked: str) -> list[str]:
    return [one["key"] for one in (await office.get(role, PATH, **asked)).json()["items"]]


async def test_who_sees_and_decides(letters: Office) -> None:
    for role in sorted(letters.keys):
        seen = await letters.get(role, PATH)
        assert seen.status_code == (200 if role in DECIDERS | {"auditor"} else 403), role
        done = await letters.post(role, of(KEYS[0], "resend"))
        assert done.status_code == (200 if role in DECIDERS else 403), role


async def test_a_head_sees_the_letters_of_the_department(letters: Office) -> None:
    assert await keys_seen(letters, "accounts_receivable") == list(KEYS)
    assert await keys_seen(letters, "admin") == list(KEYS)
    assert await keys_seen(letters, "head_of_sales") == [KEYS[0]]
    for decision in ("resend", "mark-sent"):
        for key in KEYS[1:]:
            assert (await letters.post("head_of_sales", of(key, decision))).status_code == 404


@pytest.mark.parametrize("key", KEYS)
async def test_resent_and_marked(letters: Office, key: str) -> None:
    await letters.desk.books.alerts.ring(Alert("letter_failed", key, "look"), AT)
    again = [await letters.post("accounts_receivable", of(key, "resend"), key="k") for _ in range(2)]
    assert [one.json()["state"] for one in again] == ["waiting"] * 2
    assert again[1].headers["idempotent-replayed"] == "true"
    assert await letters.desk.books.alerts.open_count() == 0
    marked = (await letters.post("accounts_receivable", of(key, "mark-sent"))).json()
    assert (marked["key"], marked["state"]) == (key, "sent")
    assert marked["dispatched_at"] > AT
    assert marked["failure"] == "marked by u-accounts_receivable"
    gone = await letters.post("accounts_receivable", of(key, "resend"))
    assert (gone.status_code, gone.json()["code"]) == (409, "letter_not_open")


async def test_a_letter_in_the_dispatchers_hands_is_left_alone(letters: Office) -> None:
    for state in ("claimed", "sending"):
        await put(letters, state)
        for decision in ("resend", "mark-sent"):
            assert (await letters.post("admin", of(KEYS[0], decision))).status_code == 409


async def test_states_and_pages(letters: Office) -> None:
    await letters.post("admin", of(KEYS[1], "mark-sent"))
    assert await keys_seen(letters, "admin", state="failed") == [KEYS[0], KEYS[2]]
    assert await keys_seen(letters, "admin", state="sent") == [KEYS[1]]
    assert (await letters.get("admin", PATH, state="lost")).status_code == 422
    first = (await letters.get("admin", PATH, limit=2)).json()
    rest = (await letters.get("admin", PATH, limit=2, cursor=first["next_cursor"])).json()
    assert [one["key"] for one in first["items"] + rest["items"]] == list(KEYS)
    assert rest["next_cursor"] == ""


async def test_unknown_letters(letters: Office) -> None:
    for key in ("nobody", "a/b/c", "x" * 300):
        told = await letters.post("admin", of(key, "resend"))
        assert told.status_code in (404, 422), told.text
    assert (await letters.post("admin", f"{PATH}/{KEYS[0]}/burn")).status_code in (404, 405)
