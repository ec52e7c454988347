"""What goes into a bundle: by deal, customer and period, for whom, with acts going on, on either database."""

import asyncio
import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

import verify_bundle as verifier
from infra.db import Database, table_of
from infra.desk.callers import OPERATOR, Caller
from infra.desk.errors import Busy, Conflict, Invalid, NoSuch, WrongRole
from infra.desk.exporting import Asked
from infra.desk.service import DealDesk
from infra.evidence.checkpoints import Checkpoints
from infra.stores.audit import AuditStore
from infra.stores.people import Person
from models.tables.masters import PolicyRow
from models.tables.records import AuditLeafRow, TimelineRow
from models.timeline import Entry, entry_hash
from tests.evidence.bundles import AUDITOR, NOW, Forge, exported, installation, record
from tests.models.world import World, contacted, paid, qualified
from verify_bundle import SOUND, TAMPERED, Outside, Report

LEAVES, TIMELINE, POLICIES = table_of(AuditLeafRow), table_of(TimelineRow), table_of(PolicyRow)


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> DealDesk:
    return await installation(database, tmp_path)


async def judged(desk: DealDesk, bundle: bytes) -> Report:
    """The verdict with the genuine key at hand."""
    keys = await Checkpoints.of(desk.settings, desk.books.database).public_keys()
    file = desk.settings.data_dir / "judged.zip"
    file.write_bytes(bundle)
    return verifier.verify(str(file), Outside([key.raw for key in keys if not key.retired_at]))


def deals_in(bundle: bytes) -> list[str]:
    return [deal["id"] for deal in Forge.open(bundle).manifest["deals"]]


async def leaves(desk: DealDesk, kind: str) -> list[dict[str, object]]:
    rows = await desk.books.database.rows(select(LEAVES).where(LEAVES.c.kind == kind).order_by(LEAVES.c.sequence))
    return [row["body"] for row in rows]


async def test_one_deal_with_all_that_it_rests_on(desk):
    bundle = await exported(desk, Asked(deals=["B-1"]), AUDITOR)
    report = await judged(desk, bundle)
    assert (report.exit_code, report.findings) == (SOUND, [])
    forge = Forge.open(bundle)
    entries = forge.lines("deals/B-1/timeline.jsonl")
    stands = await desk.books.timeline.entries("B-1")
    assert [entry["hash"] for entry in entries] == [entry.hash for entry in stands]
    assert all(entry["receipt"] for entry in entries)
    assert {leaf["kind"] for leaf in forge.lines("leaves.jsonl")} == {"policy", "user"}
    assert forge.manifest["histories"][0]["run"] == "run-1"
    assert not [one for one in forge.manifest["missing"] if one["what"] == "document"]
    assert forge.manifest["selection"] == {"kind": "deals", "deals": ["B-1"]}
    assert b"The auditor" not in b"".join(forge.members.values()), "users are ids"


async def test_the_same_books_give_the_same_bundle_and_each_export_leaves_a_leaf(desk):
    first = await exported(desk, Asked(deals=["B-1"]), AUDITOR)
    read = await leaves(desk, "read")
    assert [(body["by"], body["what"], body["deals"]) for body in read] == [("u-auditor", "export", 1)]
    assert read[0]["manifest"] == hashlib.sha256(Forge.open(first).members["manifest.json"]).hexdigest()
    assert read[0]["checkpoint"] == Forge.open(first).manifest["checkpoint"]["size"]
    second = await exported(desk, Asked(deals=["B-1"]), AUDITOR)
    same = {name for name, content in Forge.open(first).members.items() if Forge.open(second).members[name] == content}
    assert {"deals/B-1/timeline.jsonl", "keys.json", "checkpoints/00000001.note"} <= same
    with zipfile.ZipFile(BytesIO(second)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert [leaf["kind"] for leaf in Forge.open(second).lines("leaves.jsonl")].count("read") == 1
    assert (await AuditStore(desk.books.database).verify()).sound


async def test_by_customer_and_by_period(desk):
    assert deals_in(await exported(desk, Asked(customer="c-2"), AUDITOR)) == ["B-2"]
    assert deals_in(await exported(desk, Asked(customer="c-1"), AUDITOR)) == ["B-1"]
    entries = await desk.books.timeline.entries("B-1")
    first, last = entries[0].at[:10], entries[-1].at[:10]
    assert deals_in(await exported(desk, Asked(first=first, last=last), AUDITOR)) == ["B-1", "B-2"]
    assert deals_in(await exported(desk, Asked(customer="c-2", last=last), AUDITOR)) == ["B-2"]
    with pytest.raises(NoSuch):
        await exported(desk, Asked(first="2031-01-01"), AUDITOR)
    with pytest.raises(NoSuch):
        await exported(desk, Asked(customer="c-9"), AUDITOR)
    for asked in (Asked(customer="c-2"), Asked(first=first, last=last), Asked(deals=["B-2", "B-1", "B-2"])):
        assert (await judged(desk, await exported(desk, asked, AUDITOR))).findings == []


async def test_everything_is_every_leaf_of_the_log(desk):
    report = await judged(desk, bundle := await exported(desk, Asked(everything=True), AUDITOR))
    assert (report.exit_code, report.findings) == (SOUND, [])
    assert report.checked["leaves"] == report.checkpoint["size"]
    assert Forge.open(bundle).lines("refusals.jsonl")[0]["action"] == "open"


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(deals=["B-1"], customer="c-1"),
        Asked(deals=["B-1"], everything=True),
        Asked(customer="\x00"),
        Asked(first="2026-02-30"),
        Asked(last="9999-12-31"),
        Asked(first="2026-03-02", last="2026-03-01"),
        Asked(first="yesterday"),
        Asked(deals=["B-1"], against=[-1]),
        Asked(deals=[str(number) for number in range(501)]),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_signed(desk, asked):
    with pytest.raises(Invalid):
        await exported(desk, asked, AUDITOR)
    assert await Checkpoints.of(desk.settings, desk.books.database).all() == []


@pytest.mark.parametrize(
    "role", ["logistics_manager", "production", "legal", "admin", "accounts_receivable", "automation"]
)
async def test_who_must_not_see_margins_exports_nothing(desk, role):
    with pytest.raises(WrongRole):
        await exported(desk, Asked(deals=["B-1"]), Caller("u-x", (role,), "north"))


async def test_a_manager_exports_own_deals_only_and_without_histories(desk):
    owner = Caller("u-account_manager", ("account_manager",), "north")
    bundle = await exported(desk, Asked(everything=True), owner)
    assert deals_in(bundle) == ["B-1", "B-2"]
    assert Forge.open(bundle).manifest["complete"] is False
    assert Forge.open(bundle).manifest["histories"] == []
    assert (await judged(desk, bundle)).findings == []
    with pytest.raises(NoSuch):
        await exported(desk, Asked(deals=["B-1"]), Caller("u-stranger", ("account_manager",), "south"))
    with pytest.raises(NoSuch):
        await exported(desk, Asked(deals=["B-\x00"]), owner)


async def test_acts_that_come_while_a_bundle_is_written_are_not_in_it(desk):
    """They come after its checkpoint. Whatever is in the bundle stays provable."""

    async def go_on() -> None:
        for number in range(8):
            await record(desk, contacted(World()), f"C-{number}")
            await desk.books.people.create(Person(f"u-{number}", "N", ("legal",)), NOW)

    going = asyncio.create_task(go_on())
    bundles = [await exported(desk, Asked(everything=True), AUDITOR) for _ in range(3)]
    await going
    bundles.append(await exported(desk, Asked(everything=True), AUDITOR))
    for bundle in bundles:
        report = await judged(desk, bundle)
        assert (report.exit_code, report.findings) == (SOUND, [])
    assert len(deals_in(bundles[-1])) == 10


async def test_a_deal_that_goes_on_while_it_is_exported_is_cut_at_the_checkpoint(desk):
    world = qualified(World())
    await record(desk, world, "B-9")
    checkpoints = Checkpoints.of(desk.settings, desk.books.database)
    size = (await checkpoints.sign(NOW)).size
    from infra.evidence.bundle_deals import BundleDeals
    from infra.evidence.bundle_leaves import BundleLeaves

    await record(desk, paid(world_again()), "B-9")
    books = desk.books
    reading = BundleDeals(books.database, desk.settings, BundleLeaves(books.database, checkpoints.tree, size))
    records = await reading.records("B-9")
    assert records is not None
    assert len(records.entries) == len(world.entries) < len(await books.timeline.entries("B-9"))
    await record(desk, contacted(World()), "B-10")
    assert await reading.records("B-10") is None


def world_again() -> World:
    """The same world from its beginning: the same acts give the same entries."""
    return World()


async def test_two_exports_at_once_are_one_too_many(desk):
    both = await asyncio.gather(*(exported(desk, Asked(deals=["B-1"])) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Busy", "bytes"]
    assert isinstance(next(one for one in both if not isinstance(one, bytes)), Busy)


async def test_a_bundle_proves_that_it_continues_a_checkpoint_of_any_size(desk, tmp_path):
    """The auditor holds the head at some size that we never kept."""
    held = 7
    bundle = await exported(desk, Asked(deals=["B-1"], against=[held, 10_000]))
    proofs = json.loads(Forge.open(bundle).members["consistency.json"])
    size = Forge.open(bundle).manifest["checkpoint"]["size"]
    assert [(proof["from"], proof["to"]) for proof in proofs] == [(held, size)]


async def test_a_rotated_key_is_trusted_through_the_log_and_a_stranger_is_not(desk, tmp_path):
    checkpoints = Checkpoints.of(desk.settings, desk.books.database)
    await checkpoints.sign(NOW)
    old = (await checkpoints.public_keys())[0].raw
    await checkpoints.rotate("u-admin", NOW)
    await record(desk, contacted(World()), "B-7")
    bundle = await exported(desk, Asked(deals=["B-7"]))
    file = tmp_path / "b.zip"
    file.write_bytes(bundle)
    assert verifier.verify(str(file), Outside([old])).exit_code == SOUND
    assert (await judged(desk, bundle)).exit_code == SOUND
    forge = Forge.open(bundle)
    forge.put("leaves.jsonl", [leaf for leaf in forge.lines("leaves.jsonl") if leaf["kind"] != "audit_key"])
    file.write_bytes(forge.bytes())
    assert verifier.verify(str(file), Outside([old])).exit_code == TAMPERED


async def test_what_can_not_be_had_is_named(desk):
    for path in [*desk.settings.documents_dir.iterdir(), *desk.settings.archive_dir.rglob("*.gz")]:
        path.write_bytes(b"something else")
    bundle = await exported(desk, Asked(deals=["B-1"]))
    told = {(one["what"], one["why"].partition(":")[0]) for one in Forge.open(bundle).manifest["missing"]}
    assert ("document", "its file is not what was filed") in told
    assert any(what == "history" for what, _ in told)
    for path in desk.settings.documents_dir.iterdir():
        path.unlink()
    bundle = await exported(desk, Asked(deals=["B-1"]))
    assert any("can't be read" in one["why"] for one in Forge.open(bundle).manifest["missing"])
    report = await judged(desk, bundle)
    assert report.findings == []
    assert any("is not in the bundle" in note for note in report.notes)


def _forged(entry: Entry) -> dict[str, object]:
    return {"payload": {"forged": True}, "hash": entry_hash(entry)}


async def test_books_that_were_tampered_with_give_a_bundle_that_says_so(desk):
    """The export looks away from nothing: what stands is what goes out, and the log speaks against it."""
    entries = await desk.books.timeline.entries("B-1")
    last = entries[-1].sequence
    here = TIMELINE.c.deal_id == "B-1"
    async with desk.books.database.begin() as connection:
        await connection.execute(update(TIMELINE).where(here, TIMELINE.c.sequence == 5).values(_forged(entries[4])))
    report = await judged(desk, await exported(desk, Asked(deals=["B-1"])))
    assert report.first_bad is not None
    assert (report.exit_code, report.first_bad["sequence"]) == (TAMPERED, 5)
    async with desk.books.database.begin() as connection:
        await connection.execute(
            update(TIMELINE).where(here, TIMELINE.c.sequence == 5).values(payload=entries[4].payload)
        )
        await connection.execute(delete(TIMELINE).where(here, TIMELINE.c.sequence == last))
    report = await judged(desk, await exported(desk, Asked(deals=["B-1"])))
    assert report.first_bad is not None
    assert (report.exit_code, report.first_bad["sequence"]) == (TAMPERED, last)
    async with desk.books.database.begin() as connection:
        await connection.execute(update(POLICIES).values(note="another"))
    report = await judged(desk, await exported(desk, Asked(deals=["B-2"])))
    assert [found["why"] for found in report.findings] == ["does not attest what stands there"]
    assert "(policy " in report.findings[0]["where"]


async def test_a_log_that_was_rewritten_is_not_signed_again(desk):
    await exported(desk, Asked(deals=["B-1"]), OPERATOR)
    async with desk.books.database.begin() as connection:
        await connection.execute(update(LEAVES).where(LEAVES.c.sequence == 3).values(leaf_hash="1" * 64))
    with pytest.raises(Conflict) as refused:
        await exported(desk, Asked(deals=["B-1"]), OPERATOR)
    assert refused.value.code == "log_contradicted"
