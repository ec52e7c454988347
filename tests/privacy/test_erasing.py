"""Erasing a person: once and for all, after a crash in the middle, twice at once, after an older backup came back."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from infra.db import Database, open_database, table_of
from infra.gateways.billing_address import billing_address
from infra.privacy import erasure_list, installation_key
from infra.privacy.contacts import CONTACTS
from infra.privacy.discretion import Discretion, Indiscreet
from infra.privacy.erasing import Eraser, NobodyThere
from infra.privacy.erasure_list import Erasure, ListDamaged
from infra.privacy.marker_search import search
from infra.privacy.moving_in import put_in_order
from infra.privacy.showing import Showing
from infra.privacy.vault import ERASURES, KEYS, VALUES, PersonErased, Vault
from infra.stores.alerts import Alert, AlertStore
from infra.stores.audit import AuditStore
from infra.stores.commands import CommandStore
from infra.stores.customers import CustomerStore
from infra.stores.recorder import DatabaseRecorder
from models.personal import ERASED, TOKEN
from models.rules import ACTIONS
from models.tables.masters import ContactRow
from models.tables.records import AuditLeafRow
from models.visibility import EVERYTHING, Scope
from tests.infra.deal_samples import chain, record

LEAVES = table_of(AuditLeafRow)
AT, LATER = "2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z"
ANNA = {
    "id": "P-1",
    "name": "Quendolina Markstein",
    "role": "billing",
    "email": "q.markstein@kunde.example",
    "phone": "+49 30 99887766",
}
BOB = {"id": "P-2", "name": "Balduin Bleibt", "role": "buyer", "email": "bleibt@kunde.example", "phone": ""}
MARKERS = [ANNA["name"], ANNA["email"], ANNA["phone"], "Quendolina"]


class Firm:
    """A customer with two contacts, its vault and its eraser."""

    def __init__(self, database: Database, keys: Path) -> None:
        self.database, self.keys = database, keys
        self.vault = Vault(keys)
        self.customers = CustomerStore(database, self.vault)
        self.eraser = Eraser(database, self.vault)
        self.discretion = Discretion(database, self.vault)

    async def people(self) -> dict[str, dict[str, Any]]:
        card = await self.customers.get("C-1")
        assert card is not None
        return {contact["id"]: contact for contact in card["contacts"]}

    async def leaves(self) -> int:
        return len(await self.database.rows(select(LEAVES).where(LEAVES.c.kind == "erasure")))

    async def count(self) -> tuple[int, int, int]:
        return (
            len(await self.database.rows(select(KEYS))),
            len(await self.database.rows(select(VALUES))),
            len(await self.database.rows(select(ERASURES))),
        )


@pytest_asyncio.fixture
async def firm(database: Database, tmp_path: Path) -> AsyncIterator[Firm]:
    made = Firm(database, tmp_path / "keys")
    await made.customers.create({"id": "C-1", "name": "Kunde", "currency": "EUR", "group_id": ""}, AT, [ANNA, BOB])
    yield made


async def test_contacts_are_tokens_in_their_table_and_people_for_people(firm: Firm) -> None:
    rows = await firm.database.rows(select(CONTACTS).order_by(CONTACTS.c.id))
    assert all(TOKEN.fullmatch(rows[0][name]) for name in ("name", "email", "phone"))
    assert rows[1]["phone"] == ""
    people = await firm.people()
    assert people["P-1"] == {**ANNA, "customer_id": "C-1", "erased": False}
    assert await billing_address(firm.database, "C-1", firm.keys) == ANNA["email"]


async def test_an_erased_person_is_gone_and_nobody_else(firm: Firm) -> None:
    done = await firm.eraser.erase("P-1", "admin", "request of Quendolina Markstein, no. 7", AT)
    assert (done.values, done.again, done.clean, done.remaining) == (3, False, True, [])
    people = await firm.people()
    assert people["P-1"] == {
        "id": "P-1", "customer_id": "C-1", "name": ERASED, "role": "billing", "email": "", "phone": "", "erased": True,
    }  # fmt: skip
    assert people["P-2"]["name"] == BOB["name"]
    assert await billing_address(firm.database, "C-1", firm.keys) == ""
    [row] = await firm.database.rows(select(ERASURES))
    assert row["reason"] == f"request of {ERASED}, no. 7"
    with pytest.raises(PersonErased):
        await firm.customers.put_contacts("C-1", [ANNA], LATER)
    report = await AuditStore(firm.database).verify()
    assert report.sound
    assert await firm.leaves() == 1


async def test_twice_changes_nothing_and_at_once_neither(firm: Firm) -> None:
    both = await asyncio.gather(*(firm.eraser.erase("P-1", f"admin-{n}", f"request {n}", AT) for n in range(5)))
    again = await firm.eraser.erase("P-1", "admin", "another request", LATER)
    assert again.again
    assert again.erased_at == both[0].erased_at == AT
    [line] = erasure_list.erasures(firm.keys)
    [row] = await firm.database.rows(select(ERASURES))
    assert (line.requested_by, line.reason) == (row["requested_by"], row["reason"])
    assert await firm.leaves() == 1


async def test_nobody_is_nobody(firm: Firm) -> None:
    for subject in ("P-9", "", "customer:C-1", "customer:", "x" * 300, "O'Brien\u2028"):
        with pytest.raises(NobodyThere):
            await firm.eraser.erase(subject, "admin", "request", AT)
    assert erasure_list.erasures(firm.keys) == []


async def test_a_crash_after_the_list_is_completed_by_the_next_start(firm: Firm) -> None:
    erasure_list.append(firm.keys, Erasure("P-1", "C-1", "admin", "request 7", AT))
    assert await put_in_order(firm.database, firm.vault, LATER) == 0
    assert (await firm.people())["P-1"]["erased"]
    [row] = await firm.database.rows(select(ERASURES))
    assert (row["erased_at"], row["values_erased"]) == (AT, 3)
    assert await firm.eraser.reapply() == 0


async def test_a_line_that_a_crash_cut_off_is_nothing_and_the_next_is_whole(firm: Firm) -> None:
    file = firm.keys / erasure_list.FILE
    file.write_bytes(b'{"subject":"P-2","custo')
    assert await firm.eraser.reapply() == 0
    await firm.eraser.erase("P-1", "admin", "request 7", AT)
    assert [line.subject for line in erasure_list.erasures(firm.keys)] == ["P-1"]
    file.write_bytes(b"{}\n" + file.read_bytes())
    with pytest.raises(ListDamaged):
        await firm.eraser.reapply()


async def test_restoring_an_older_backup_erases_again(firm: Firm) -> None:
    """What a backup is for both databases: the rows of the tables as they were."""
    tables = (KEYS, VALUES, CONTACTS)
    backup = [(table, await firm.database.rows(select(table))) for table in tables]
    await firm.eraser.erase("P-1", "admin", "request 7", AT)

    async with firm.database.begin() as connection:
        for table, rows in backup:
            await connection.execute(table.delete())
            await connection.execute(insert(table), rows)
        await connection.execute(ERASURES.delete())
    assert (await firm.people())["P-1"]["name"] == ANNA["name"]

    await put_in_order(firm.database, Vault(firm.keys), LATER)
    people = await firm.people()
    assert (people["P-1"]["erased"], people["P-2"]["name"]) == (True, BOB["name"])
    assert await firm.count() == (1, 2, 1)
    assert (await AuditStore(firm.database).verify()).sound


async def test_a_backup_of_the_file_itself_has_nothing_left_after_the_next_start(
    sqlite_url: str, tmp_path: Path
) -> None:
    file, old = tmp_path / "dealwright.db", tmp_path / "elsewhere" / "old.db"
    first = open_database(sqlite_url)
    firm = Firm(first, tmp_path / "keys")
    await firm.customers.create({"id": "C-1", "name": "Kunde", "currency": "EUR", "group_id": ""}, AT, [ANNA, BOB])
    wrapped = {row["subject"]: row["wrapped"] for row in await first.rows(select(KEYS))}
    await first.close()
    old.parent.mkdir()
    shutil.copy(file, old)
    again = open_database(sqlite_url)
    await Eraser(again, firm.vault).erase("P-1", "admin", "request 7", AT)
    await again.close()
    assert wrapped["P-1"].encode() not in everything(tmp_path / "dealwright.db")

    shutil.copy(old, file)
    restored = open_database(sqlite_url)
    await put_in_order(restored, Vault(tmp_path / "keys"), LATER)
    assert [row["subject"] for row in await restored.rows(select(KEYS))] == ["P-2"]
    await restored.close()
    left = everything(file)
    assert wrapped["P-1"].encode() not in left  # neither in free pages nor in the log
    assert wrapped["P-2"].encode() in left


def everything(file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in file.parent.glob(file.name + "*"))


async def test_a_reader_in_the_way_is_told_and_the_next_time_it_is_clean(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url)
    firm = Firm(database, tmp_path / "keys")
    await firm.customers.create({"id": "C-1", "name": "Kunde", "currency": "EUR", "group_id": ""}, AT, [ANNA])
    async with database.read() as reader:
        await reader.execute(select(CONTACTS))
        done = await firm.eraser.erase("P-1", "admin", "request 7", AT)
        assert (done.clean, (await firm.people())["P-1"]["erased"]) == (False, True)
    assert (await firm.eraser.erase("P-1", "admin", "request 7", AT)).clean
    await database.close()


async def test_contacts_of_an_earlier_release_move_in_and_leave_no_trace(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "dealwright.db"
    database = open_database(sqlite_url)
    firm = Firm(database, tmp_path / "keys")
    await firm.customers.create({"id": "C-1", "name": "Kunde", "currency": "EUR", "group_id": ""}, AT)
    many = [{**ANNA, "id": f"P-{n}", "customer_id": "C-1", "phone": ANNA["phone"] if n % 2 else ""} for n in range(450)]
    await database.write(lambda connection: connection.execute(insert(ContactRow), many))
    body = {"id": "C-1", "contacts": [ANNA]}
    await CommandStore(database).store("customers:abc", "k", "f" * 64, body, AT)
    assert search([tmp_path], MARKERS)

    assert await put_in_order(database, firm.vault, AT) == 450
    assert await put_in_order(database, firm.vault, AT) == 0
    people = await firm.people()
    assert all(people[row["id"]] == {**row, "erased": False} for row in many)
    assert (await CommandStore(database).find("customers:abc", "k")).body == {"id": "C-1"}  # type: ignore[union-attr]
    await database.close()
    assert search([tmp_path], MARKERS) == []
    assert file.stat().st_size > 0


async def test_two_processes_move_in_at_once(firm: Firm) -> None:
    more = [{**BOB, "id": f"P-{n}", "customer_id": "C-1", "phone": ""} for n in range(10, 60)]
    await firm.database.write(lambda connection: connection.execute(insert(ContactRow), more))
    await asyncio.gather(*(put_in_order(firm.database, Vault(firm.keys), AT) for _ in range(3)))
    assert {person["name"] for person in (await firm.people()).values()} == {ANNA["name"], BOB["name"]}
    assert (await firm.count())[0] == 52


async def test_a_backup_in_clear_of_somebody_erased_since_does_not_bring_the_name_back(firm: Firm) -> None:
    await firm.eraser.erase("P-1", "admin", "request 7", AT)
    clear = {name: ANNA[name] for name in ("name", "email", "phone")}
    old = update(CONTACTS).where(CONTACTS.c.id == "P-1").values(clear)
    await firm.database.write(lambda connection: connection.execute(old))
    assert await put_in_order(firm.database, firm.vault, LATER) == 1
    assert (await firm.people())["P-1"]["erased"]
    assert "Markstein" not in str(await firm.database.rows(select(CONTACTS)))


async def test_notes_of_the_office_lose_the_name_too(firm: Firm) -> None:
    alerts = AlertStore(firm.database)
    await alerts.ring(Alert("kind", "subject", "ask Ms Markstein, q.markstein@KUNDE.example, or Balduin Bleibt"), AT)
    await CommandStore(firm.database).store("x", "k", "f" * 64, {"note": ["call +49 (30) 998877-66"]}, AT)
    await firm.eraser.erase("P-1", "admin", "request 7", AT)
    [alert] = (await alerts.page()).rows
    assert alert["text"] == f"ask Ms {ERASED}, {ERASED}, or Balduin Bleibt"
    assert (await CommandStore(firm.database).find("x", "k")).body == {"note": [f"call {ERASED}"]}  # type: ignore[union-attr]


async def test_an_erasure_works_while_the_installations_key_is_lost_after_a_restore(firm: Firm) -> None:
    erasure_list.append(firm.keys, Erasure("P-1", "C-1", "admin", "request 7", AT))
    (firm.keys / installation_key.FILE).unlink()
    await put_in_order(firm.database, Vault(firm.keys), LATER)
    assert await firm.count() == (1, 2, 1)


# What callers say about deals: a deal of customer C-1 stands in its table.


@pytest_asyncio.fixture
async def deal(firm: Firm) -> str:
    deal_id = "D-privacy-1"
    await DatabaseRecorder(firm.database).record(record(deal_id, chain(deal_id, 1), customer_id="C-1", owner="anna"))
    return deal_id


async def said(firm: Firm, deal: str, action: str, **payload: Any) -> dict[str, Any]:
    return await firm.discretion.payload(deal, ACTIONS[action].payload, payload, AT)


async def shown(firm: Firm, value: Any, scope: Scope = EVERYTHING) -> Any:
    return await Showing(firm.database, firm.vault).plain(value, scope)


async def test_what_is_said_is_kept_apart_read_again_and_erased(firm: Firm, deal: str) -> None:
    words = "Quendolina  MARKSTEIN and Balduin Bleibt agree; somebody@else.example"
    apart = await said(firm, deal, "note", text=words)
    assert "MARKSTEIN" not in apart["text"]
    assert len(TOKEN.findall(apart["text"])) == 3
    assert await said(firm, deal, "note", text=words) == apart
    assert await said(firm, deal, "note", **apart) == apart  # who reads a token may say it again
    assert (await shown(firm, apart))["text"] == words
    await firm.eraser.erase("P-1", "admin", "request 7", AT)
    assert (await shown(firm, apart))["text"] == f"{ERASED} and Balduin Bleibt agree; somebody@else.example"


async def test_a_payload_without_words_about_persons_is_the_very_same(firm: Firm, deal: str) -> None:
    payload = {"text": "the buyer agrees to 3 pieces"}
    assert await firm.discretion.payload(deal, ACTIONS["note"].payload, payload, AT) == payload
    assert (await firm.count())[1] == 5


async def test_who_signed_is_kept_apart_whoever_it_is_and_goes_with_the_contact(firm: Firm, deal: str) -> None:
    hers = await said(firm, deal, "sign", side="theirs", digest="d", signatory="Dr. Quendolina Markstein, CFO")
    somebody = await said(firm, deal, "sign", side="theirs", digest="d", signatory="Kunigunde Unbekannt")
    assert TOKEN.fullmatch(hers["signatory"])
    assert TOKEN.fullmatch(somebody["signatory"])
    done = await firm.eraser.erase("P-1", "admin", "request 7", AT)
    assert done.values == 4
    assert (await shown(firm, [hers["signatory"], somebody["signatory"]])) == [ERASED, "Kunigunde Unbekannt"]
    # who becomes a contact later takes along what was said before
    await firm.customers.put_contacts("C-1", [{**BOB, "id": "P-3", "name": "Kunigunde Unbekannt"}], LATER)
    await firm.eraser.erase("P-3", "admin", "request 8", LATER)
    assert await shown(firm, somebody["signatory"]) == ERASED
    assert erasure_list.erasures(firm.keys)[1].also == (somebody["signatory"].removeprefix("pv_"),)


async def test_what_is_about_nobody_in_particular_can_be_erased_and_new_words_are_taken_in(
    firm: Firm, deal: str
) -> None:
    first = await said(firm, deal, "note", text="write to one@else.example")
    assert (await firm.eraser.erase("customer:C-1", "admin", "request 7", AT)).values == 1
    assert (await firm.eraser.erase("customer:C-1", "admin", "request 7", AT)).again
    second = await said(firm, deal, "note", text="write to one@else.example")
    assert second != first
    assert await shown(firm, [first["text"], second["text"]]) == [f"write to {ERASED}", "write to one@else.example"]
    done = await firm.eraser.erase("customer:C-1", "admin", "request 8", LATER)
    assert (done.subject, done.values) == ("customer:C-1#2", 1)


async def test_a_token_of_another_customer_is_not_taken(firm: Firm, deal: str) -> None:
    await firm.customers.create(
        {"id": "C-2", "name": "Other", "currency": "EUR", "group_id": ""},
        AT,
        [{**BOB, "id": "P-7", "name": "Xaver Xanten"}],
    )
    [row] = await firm.database.rows(select(CONTACTS).where(CONTACTS.c.id == "P-7"))
    with pytest.raises(Indiscreet):
        await said(firm, deal, "note", text=f"ask {row['name']}")
    with pytest.raises(Indiscreet):
        await said(firm, deal, "sign", side="theirs", digest="d", signatory=row["name"])


async def test_a_name_where_no_token_can_stand_is_refused(firm: Firm, deal: str) -> None:
    with pytest.raises(Indiscreet) as refused:
        await said(firm, deal, "hold", hold="ask QUENDOLINA markstein", reason="x")
    assert refused.value.field == "hold"
    assert (await said(firm, deal, "hold", hold="Markstein street", reason=""))["hold"] == "Markstein street"


async def test_values_are_shown_within_the_scope_only(firm: Firm, deal: str) -> None:
    apart = await said(firm, deal, "note", text="Quendolina Markstein agrees")
    for scope in (Scope("own", "stranger", ""), Scope("department", "stranger", "nowhere"), Scope("none", "x", "")):
        assert await shown(firm, apart, scope) == apart
    assert (await shown(firm, apart, Scope("own", "anna", "")))["text"] == "Quendolina Markstein agrees"
    body = b'{"text":"' + apart["text"].encode() + b'"}'
    told = await Showing(firm.database, firm.vault).body(body, EVERYTHING)
    assert told == b'{"text":"Quendolina Markstein agrees"}'


async def test_words_around_an_erasure_that_runs_at_the_same_moment_are_taken_in(firm: Firm, deal: str) -> None:
    async def speak(number: int) -> str:
        return str((await said(firm, deal, "note", text=f"{number}: Quendolina Markstein"))["text"])

    told = await asyncio.gather(*(speak(n) for n in range(6)), firm.eraser.erase("P-1", "admin", "request 7", AT))
    for text in told[:-1]:
        assert str(await shown(firm, text)).endswith((ERASED, "Quendolina Markstein"))
    assert [row["subject"] for row in await firm.database.rows(select(KEYS))] == ["P-2"]
