"""Checkpoints: signed over the leaves as they are, once, by old and new key in turn, and never contradicted."""

import asyncio
import dataclasses
import itertools
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.db import Database, open_database, table_of
from infra.evidence.checkpoints import ALERT, Checkpoints
from infra.evidence.heads import LogContradicted
from infra.evidence.keys import KeyTrouble
from infra.evidence.note_check import check_note
from infra.evidence.notes import signers
from infra.evidence.tree import AuditTree
from infra.stores.audit import AuditStore
from models.checkpoint import read_note
from models.merkle import EMPTY_ROOT, verify_consistency
from models.tables.evidence import AuditTileRow, CheckpointDeliveryRow
from models.tables.post import AlertRow
from tests.evidence.log_samples import AT, LATER, do, filled, grow, naive_root

ORIGIN = "log.example/audit"
LAST = "2026-03-03T08:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def checkpoints(database, folder: Path) -> Checkpoints:
    return Checkpoints(database, folder, ORIGIN, ("drop", "webhook"))


async def alerts(database: Database) -> list[str]:
    return [row["kind"] for row in await database.rows(select(table_of(AlertRow)))]


async def problems(database: Database) -> list[str]:
    return [f"{found.where} {found.why}" for found in (await AuditStore(database).verify()).problems]


async def test_an_empty_log_can_be_signed(checkpoints):
    assert await checkpoints.latest() is None
    signed = await checkpoints.sign(AT)
    assert (signed.size, signed.root, signed.is_new) == (0, EMPTY_ROOT, True)


async def test_a_checkpoint_states_the_log_as_it_stands(checkpoints, database):
    leaves = await filled(database, 700)
    signed = await checkpoints.sign(AT)
    head, (line,) = read_note(signed.note)
    assert (head.origin, head.size, head.root, head.at) == (ORIGIN, 700, naive_root(leaves), AT)
    (key,) = await checkpoints.public_keys()
    assert (line.name, line.key_hash) == (ORIGIN, key.key_hash)
    assert signers(signed.note, [key]) == (head, (key,))
    assert (await checkpoints.latest(), await checkpoints.all()) == (signed, [signed])
    assert await checkpoints.get(signed.number) == signed
    assert await checkpoints.get(signed.number + 1) is None
    assert (await checkpoints.covering(700), await checkpoints.covering(701)) == (signed, None)


async def test_nothing_new_is_signed_when_nothing_was_added(checkpoints, database):
    await grow(database, 3)
    first = await checkpoints.sign(AT)
    again = await checkpoints.sign(LATER)
    assert (again, again.is_new) == (first, False)
    await grow(database, 1)
    assert (await checkpoints.sign(LAST)).size == 4
    assert [one.size for one in await checkpoints.all()] == [3, 4]


async def test_each_checkpoint_goes_on_from_the_one_before(checkpoints, database):
    for count in (1, 255, 300, 700):
        await grow(database, count)
        await checkpoints.sign(AT)
    found, tree = await checkpoints.all(), AuditTree(database)
    for earlier, later in itertools.pairwise(found):
        path = [bytes.fromhex(one) for one in await tree.consistency(earlier.size, later.size)]
        old, new = bytes.fromhex(earlier.root), bytes.fromhex(later.root)
        assert verify_consistency(earlier.size, old, later.size, new, path)
    assert await problems(database) == []


async def test_who_signs_at_the_same_time_signs_the_same_once(database, database_url, folder):
    await grow(database, 300)
    other = open_database(database_url)
    try:
        signing = [Checkpoints(one, folder, ORIGIN, ("drop",)) for one in (database, other, database, other)]
        signed = await asyncio.gather(*(one.sign(AT) for one in signing))
    finally:
        await other.close()
    assert len(set(signed)) == 1
    assert [one.is_new for one in signed].count(True) == 1
    assert len(await database.rows(select(table_of(CheckpointDeliveryRow)))) == 1


async def test_what_was_signed_by_a_process_that_died_is_signed_again(checkpoints, database):
    """The folder of keys knows of it, the database does not."""
    await grow(database, 3)
    first = await checkpoints.sign(AT)
    await do(database, "DELETE FROM checkpoints")
    again = await checkpoints.sign(LATER)
    assert (again.is_new, again.size, again.root) == (True, 3, first.root)
    await grow(database, 3)
    assert (await checkpoints.sign(LAST)).size == 6


async def test_it_is_signed_while_others_append(checkpoints, database):
    await asyncio.gather(*(grow(database, 40) for _ in range(10)), *(checkpoints.sign(AT) for _ in range(5)))
    await checkpoints.sign(LATER)
    assert (await checkpoints.latest()).size == 400
    assert await problems(database) == []


async def test_tiles_have_no_say_in_what_is_signed(checkpoints, database):
    leaves = await filled(database, 600)
    await AuditTree(database).fill()
    await do(database, f"UPDATE audit_tiles SET hash = '{'ab' * 32}'")
    assert (await checkpoints.sign(AT)).root == naive_root(leaves)


async def test_signing_fills_tiles_in_for_those_who_will_ask_for_proofs(checkpoints, database):
    await filled(database, 600)
    await checkpoints.sign(AT)
    assert len(await database.rows(select(table_of(AuditTileRow)))) == 3


# ---------------------------------------------------------------------------------- never contradicted


async def refused(checkpoints: Checkpoints, database: Database, why: str) -> None:
    """It is neither signed nor kept, one alert rings, and so it stays."""
    before = await checkpoints.all()
    for at in (LATER, LAST):
        with pytest.raises(LogContradicted, match=why):
            await checkpoints.sign(at)
    assert await checkpoints.all() == before
    assert await alerts(database) == [ALERT]


async def test_a_rewritten_leaf_is_never_signed(checkpoints, database):
    await grow(database, 300)
    await checkpoints.sign(AT)
    await do(database, f"UPDATE audit_leaves SET leaf_hash = '{'ab' * 32}' WHERE sequence = 17")
    await refused(checkpoints, database, "the first 300 leaves are not those that were signed")
    await grow(database, 10)
    await refused(checkpoints, database, "the first 300 leaves are not those that were signed")
    assert any("checkpoint 1 over 300 leaves is contradicted" in one for one in await problems(database))


async def test_a_log_that_was_cut_is_never_signed(checkpoints, database):
    await grow(database, 300)
    await checkpoints.sign(AT)
    await do(database, "DELETE FROM audit_leaves WHERE sequence > 290")
    await do(database, "UPDATE audit_head SET last_sequence = 290")
    await refused(checkpoints, database, "300 leaves were signed")
    assert any("checkpoint 1 over 300 leaves is contradicted" in one for one in await problems(database))
    await grow(database, 50)
    await refused(checkpoints, database, "the first 300 leaves are not those that were signed")


async def test_a_log_with_a_gap_is_never_signed(checkpoints, database):
    await grow(database, 30)
    await do(database, "DELETE FROM audit_leaves WHERE sequence = 12")
    await refused(checkpoints, database, "1 are missing")
    assert await checkpoints.latest() is None


@pytest.mark.parametrize("change", ["root", "size", "note"])
async def test_a_checkpoint_that_was_changed_is_not_built_upon(checkpoints, database, change):
    await grow(database, 300)
    signed = await checkpoints.sign(AT)
    new = {"root": f"'{'ab' * 32}'", "size": "299", "note": f"'{signed.note.replace('300', '299')}'"}[change]
    await do(database, f"UPDATE checkpoints SET {change} = {new}".replace(":", "\\:"))
    await grow(database, 1)
    told = await problems(database)
    assert any(one.startswith("checkpoint 1 ") for one in told), told
    if change == "note":
        await refused(checkpoints, database, "damaged")


async def test_a_database_that_was_put_back_is_told_by_the_folder_of_keys(checkpoints, database):
    """All tables are of one earlier day and agree with each other; what was signed since then stands beside the key."""
    await grow(database, 20)
    await checkpoints.sign(AT)
    await grow(database, 20)
    await checkpoints.sign(LATER)
    await do(database, "DELETE FROM audit_leaves WHERE sequence > 20")
    await do(database, "UPDATE audit_head SET last_sequence = 20")
    await do(database, "DELETE FROM checkpoints WHERE size > 20")
    assert await problems(database) == []
    await refused(checkpoints, database, "40 leaves were signed at 2026-03-02T08:00:00Z, and 20 are left")
    await grow(database, 30, LATER)  # other acts than those that were lost
    assert await problems(database) == []
    await refused(checkpoints, database, "the first 40 leaves are not those that were signed")


async def test_a_new_database_beside_old_keys_is_not_signed(checkpoints, database):
    await grow(database, 3)
    await checkpoints.sign(AT)
    for table in ("checkpoints", "audit_keys", "audit_leaves", "audit_head"):
        await do(database, f"DELETE FROM {table}")
    await refused(checkpoints, database, "signed by no key that the database knows")


# -------------------------------------------------------------------------------------------- rotation


async def test_both_keys_sign_the_first_checkpoint_after_a_rotation(checkpoints, database, folder):
    await grow(database, 5)
    first = await checkpoints.sign(AT)
    new, handed_over = await checkpoints.rotate("u-admin", LATER)
    await grow(database, 1)
    last = await checkpoints.sign(LAST)
    old, follows = await checkpoints.public_keys()
    assert follows == new
    assert [signers(one.note, [old, follows])[1] for one in (first, handed_over, last)] == [
        (old,),
        (follows, old),
        (follows,),
    ]
    assert [one.size for one in await checkpoints.all()] == [5, 6, 7]
    assert [file.name for file in folder.glob("*.pem")] == [f"audit-{new.key_hash}.pem"], "nothing is left to sign"
    assert await problems(database) == []


async def test_what_was_added_before_a_rotation_is_signed_by_the_key_that_goes(checkpoints, database):
    await grow(database, 5)
    new, _ = await checkpoints.rotate("u-admin", AT)
    first, second = await checkpoints.all()
    assert (first.size, second.size) == (5, 6)
    assert first.key_hash != second.key_hash == new.key_hash


async def test_who_signs_while_others_rotate_and_append_is_never_told_of_a_contradiction(
    database, database_url, folder
):
    other = open_database(database_url)
    ours, theirs = (Checkpoints(one, folder, ORIGIN) for one in (database, other))
    await ours.sign(AT)

    async def signing(one: Checkpoints) -> None:
        for _ in range(6):
            await one.sign(AT)

    async def rotating() -> None:
        for day in (2, 3, 4):
            await theirs.rotate("u-admin", f"2026-03-0{day}T08:00:00Z")

    async def growing() -> None:
        for _ in range(12):
            await grow(database, 5)

    try:
        await asyncio.gather(signing(ours), signing(theirs), rotating(), growing())
        await ours.sign(LAST)
    finally:
        await other.close()
    keys = await ours.public_keys()
    found = sorted(await ours.all(), key=lambda one: one.size)
    assert (len(keys), found[-1].size) == (4, 63)
    signed = [[keys.index(key) for key in signers(one.note, keys)[1]] for one in found]
    assert [max(by) for by in signed] == sorted(max(by) for by in signed), "a retired key signs no more"
    assert all([new, new - 1] in signed for new in (1, 2, 3)), "and has handed over to its successor"
    assert await alerts(database) == []
    assert await problems(database) == []


async def test_a_rotation_that_was_cut_short_is_finished_by_the_next_checkpoint(checkpoints, database):
    await grow(database, 5)
    await checkpoints.sign(AT)
    old, new = await checkpoints.keys.rotate("u-admin", LATER)  # and here the process dies
    signed = await checkpoints.sign(LAST)
    assert [key.key_hash for key in signers(signed.note, await checkpoints.public_keys())[1]] == [
        new.key_hash,
        old.key_hash,
    ]


async def test_a_key_whose_private_half_is_lost_can_be_followed(checkpoints, database):
    await grow(database, 5)
    first = await checkpoints.sign(AT)
    checkpoints.keys.destroy(first.key_hash)
    with pytest.raises(KeyTrouble):
        await checkpoints.sign(AT)
    new, signed = await checkpoints.rotate("u-admin", LATER)
    assert signers(signed.note, await checkpoints.public_keys())[1] == (new,)
    assert await problems(database) == []


async def test_a_key_that_no_leaf_names_is_found(checkpoints, database):
    await grow(database, 5)
    await checkpoints.rotate("u-admin", LATER)
    await do(database, "UPDATE audit_leaves SET ref = 'ffffffff' WHERE kind = 'audit_key'")
    assert any("follows another key, and no leaf says so" in one for one in await problems(database))


# ---------------------------------------------------------------------- notes that were handed outside


async def test_a_note_that_was_handed_out_is_held_against_log_and_keys(checkpoints, database):
    await grow(database, 5)
    first = await checkpoints.sign(AT)
    await grow(database, 300)
    last = await checkpoints.sign(LATER)
    verdict = await check_note(checkpoints, first.note, last.note)
    assert (verdict.sound, verdict.head) == (True, read_note(first.note)[0])
    assert verdict.agreed[-1] == "the log of 305 leaves goes on from that of 5"
    assert (await check_note(checkpoints, last.note, first.note)).sound
    assert (await check_note(checkpoints, first.note, first.note)).sound


async def test_a_note_of_another_log_is_told(checkpoints, database, tmp_path):
    await grow(database, 5)
    first = await checkpoints.sign(AT)
    forged = dataclasses.replace(read_note(first.note)[0], root="ab" * 32).text() + "\n"
    verdict = await check_note(checkpoints, forged + first.note.rpartition("\n\n")[2])
    assert [one.split(":")[1].split(" of")[0].strip() for one in verdict.problems] == ["the signature"]
    unsigned = await check_note(checkpoints, forged)
    assert unsigned.problems == [
        "the note is signed by none of our keys",
        "the first 5 leaves of our log are not those of the note",
    ]
    larger = dataclasses.replace(read_note(first.note)[0], size=9).text() + "\n"
    assert "the log has 5 leaves, not 9" in (await check_note(checkpoints, first.note, larger)).problems[1]
    assert (await check_note(checkpoints, "no note")).problems == [
        "the note: there is no empty line before the signatures"
    ]
    assert not (await check_note(checkpoints, first.note, forged)).sound
