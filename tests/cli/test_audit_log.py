"""The audit log in a terminal: signed, proved, handed out and held against what was handed out, without an engine."""

import asyncio
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.db import open_database
from infra.settings import load_settings
from infra.stores.recorder import DatabaseRecorder
from models.checkpoint import read_note
from models.merkle import verify_consistency, verify_inclusion
from tests.cli.command import Ran, dealwright, in_process
from tests.evidence.log_samples import AT, do, grow
from tests.infra.deal_samples import chain, record


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with one deal of three entries and 300 other leaves."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_add(tmp_path, 300, with_deal=True))
    return tmp_path


async def _add(data: Path, count: int, *, with_deal: bool = False, harm: str = "") -> None:
    database = open_database(load_settings(data_dir=data).database)
    if with_deal:
        await DatabaseRecorder(database).record(record("d-1", chain("d-1", 3)))
    await grow(database, count, AT)
    if harm:
        await do(database, harm)
    await database.close()


def audit(data: Path, *arguments: object) -> Ran:
    return in_process("--data", data, "-o", "json", "audit", *arguments)


def raw(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def test_a_checkpoint_is_signed_and_listed(data: Path) -> None:
    signed = audit(data, "checkpoint").json
    assert (signed["size"], signed["is_new"], signed["waiting"]) == (303, True, 0)
    again = audit(data, "checkpoint")
    assert (again.json["number"], again.json["is_new"]) == (signed["number"], False)
    assert "nothing was added" in again.err
    assert [one["root"] for one in audit(data, "checkpoints").json] == [signed["root"]]
    shown = in_process("--data", data, "audit", "checkpoint").out
    assert shown == signed["note"]
    (key,) = audit(data, "keys").json
    assert signed["key_hash"] == key["key_hash"]
    assert key["verifier"] in in_process("--data", data, "audit", "keys").out
    assert signed["root"][:16] in in_process("--data", data, "audit", "checkpoints").out


def test_leaves_are_shown_up_to_a_limit_that_is_told(data: Path) -> None:
    few = audit(data, "leaves", "--limit", 2).json
    assert ([leaf["sequence"] for leaf in few["items"]], few["complete"]) == ([1, 2], False)
    assert "the first 2; --limit shows more" in in_process("--data", data, "audit", "leaves", "--limit", 2).out
    every = audit(data, "leaves", "--limit", 1_000).json
    assert ([leaf["sequence"] for leaf in every["items"]], every["complete"]) == (list(range(1, 304)), True)
    assert "--limit" not in in_process("--data", data, "audit", "leaves", "--limit", 1_000).out


def test_checkpoints_are_handed_to_a_folder(data: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    done = dealwright("--data", data, "-o", "json", "audit", "checkpoint", DEALWRIGHT_CHECKPOINT_DROP=str(outside)).json
    assert (done["delivered"], done["waiting"]) == (1, 0)
    (file,) = outside.iterdir()
    checked = audit(data, "check-note", file)
    assert (checked.code, checked.json["sound"], checked.json["head"]["size"]) == (0, True, 303)


def test_a_leaf_is_proved_by_number_and_by_entry(data: Path) -> None:
    stands = audit(data, "prove", "d-1/2").json
    assert (stands["sequence"], stands["size"], stands["checkpoint"]) == (2, 303, None)
    signed = audit(data, "checkpoint").json
    asyncio.run(_add(data, 10))
    proof = audit(data, "prove", "2").json
    assert (proof["size"], proof["checkpoint"]["number"]) == (303, signed["number"])
    assert verify_inclusion(
        bytes.fromhex(proof["leaf_hash"]), 1, 303, raw(proof["hashes"]), bytes.fromhex(signed["root"])
    )
    assert audit(data, "prove", "310").json["size"] == 313, "no checkpoint covers it yet"
    assert audit(data, "prove", "2", "--size", "5").json["size"] == 5
    shown = in_process("--data", data, "audit", "prove", "d-1/2").out
    assert f"under the root {signed['root']} of 303 leaves" in shown
    assert f"which checkpoint {signed['number']}" in shown
    assert all(f"  {one}\n" in shown for one in proof["hashes"])


def test_a_log_goes_on_from_its_beginning(data: Path) -> None:
    first = audit(data, "checkpoint").json
    asyncio.run(_add(data, 10))
    proof = audit(data, "consistency", "303").json
    old, new = bytes.fromhex(first["root"]), bytes.fromhex(proof["root"])
    assert verify_consistency(303, old, 313, new, raw(proof["hashes"]))
    assert audit(data, "consistency", "303", "313").json == proof
    assert first["root"] in in_process("--data", data, "audit", "consistency", "303").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("prove", "d-1/9"), ExitCode.NOT_FOUND),
        (("prove", "nonsense"), ExitCode.NOT_FOUND),
        (("prove", "0"), ExitCode.REFUSED),
        (("prove", "304"), ExitCode.REFUSED),
        (("prove", "5", "--size", "4"), ExitCode.REFUSED),
        (("prove", "5", "--size", "0"), ExitCode.USAGE),
        (("consistency", "0"), ExitCode.USAGE),
        (("consistency", "304"), ExitCode.REFUSED),
        (("consistency", "5", "4"), ExitCode.REFUSED),
        (("check-note", "no-such-file"), ExitCode.NOT_FOUND),
    ],
)
def test_what_cannot_be_is_told(data: Path, arguments: tuple[str, ...], code: ExitCode) -> None:
    ran = in_process("--data", data, "audit", *arguments)
    assert (ran.code, bool(ran.err), "Traceback" in ran.err) == (code, True, False), ran.err


def test_a_key_is_rotated(data: Path) -> None:
    first = audit(data, "checkpoint").json
    done = audit(data, "rotate-key").json
    lines = read_note(done["checkpoint"]["note"])[1]
    assert [line.key_hash for line in lines] == [done["key"]["key_hash"], first["key_hash"]]
    assert [bool(key["retired_at"]) for key in audit(data, "keys").json] == [True, False]
    assert in_process("--data", data, "audit", "verify").code == 0


def test_notes_are_held_against_the_log_and_each_other(data: Path, tmp_path: Path) -> None:
    first, last = tmp_path / "first.note", tmp_path / "last.note"
    first.write_text(audit(data, "checkpoint").json["note"])
    asyncio.run(_add(data, 10))
    last.write_text(audit(data, "checkpoint").json["note"])
    checked = audit(data, "check-note", first, "--against", last)
    assert (checked.code, checked.json["problems"]) == (0, [])
    assert checked.json["agreed"][-1] == "the log of 313 leaves goes on from that of 303"
    shown = in_process("--data", data, "audit", "check-note", first, "--against", last)
    assert shown.out.splitlines()[-1] == "sound"
    forged = tmp_path / "forged.note"
    forged.write_text(first.read_text().replace("\n303\n", "\n302\n"))
    assert audit(data, "check-note", forged).code == ExitCode.REFUSED
    forged.write_bytes(b"\xff\xfe\x00")
    assert in_process("--data", data, "audit", "check-note", forged).code == ExitCode.REFUSED
    asyncio.run(_add(data, 1, harm=f"UPDATE audit_leaves SET leaf_hash = '{'ab' * 32}' WHERE sequence = 3"))
    in_process("--data", data, "audit", "retile")
    told = audit(data, "check-note", first)
    assert (told.code, told.json["sound"]) == (ExitCode.REFUSED, False)
    assert "are not those of the note" in told.json["problems"][0]


def test_tiles_are_made_again(data: Path) -> None:
    assert audit(data, "retile").json == {"blocks": 1}
