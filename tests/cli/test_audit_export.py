"""Bundles from the command line: written whole or not at all, never over another file, and judged with exit codes."""

import asyncio
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.db import open_database
from infra.settings import load_settings
from tests.cli.command import Ran, in_process
from tests.evidence.bundles import Forge, installation


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "dealwright.db").write_bytes(migrated_file.read_bytes())

    async def fill() -> None:
        database = open_database(load_settings(data_dir=folder).database)
        await installation(database, folder)
        await database.close()

    asyncio.run(fill())
    return folder


def export(data: Path, *asked: object) -> Ran:
    return in_process("--data", data, "audit", "export", *asked)


def verify(data: Path, *asked: object) -> Ran:
    return in_process("--data", data, "audit", "verify-bundle", *asked)


def test_a_bundle_is_written_and_judged(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    done = export(data, "B-1", "--file", file)
    assert done.code == 0, done.err
    assert "1 deals, 28 entries" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]
    assert file.stat().st_mode & 0o777 == 0o600
    unknown = verify(data, file)
    assert (unknown.code, "compare its fingerprint" in unknown.out) == (ExitCode.REFUSED, True)
    key, note = tmp_path / "key", tmp_path / "note"
    members = Forge.open(file.read_bytes()).members
    key.write_text(in_process("--data", data, "audit", "keys", "-o", "json").json[0]["public_key"])
    note.write_bytes(members["checkpoints/00000001.note"])
    assert verify(data, file, "--key", key).code == 0
    trusted = verify(data, file, "--checkpoint", note, "-o", "json")
    assert (trusted.code, trusted.json["verdict"]) == (0, "sound")
    again = export(data, "B-1", "--file", tmp_path / "c.zip", "--against", note, "-o", "json")
    assert (again.code, again.json["deals"]) == (0, 1)
    assert verify(data, tmp_path / "c.zip", "--checkpoint", note).code == 0


def test_an_older_bundle_is_bridged_by_a_proof(data: Path, tmp_path: Path) -> None:
    file, later, proof = (tmp_path / name for name in ("b.zip", "later", "proof"))
    size = export(data, "B-1", "--file", file, "-o", "json").json["size"]
    signed = in_process("--data", data, "audit", "checkpoint", "-o", "json").json
    later.write_text(signed["note"])
    told = verify(data, file, "--checkpoint", later)
    assert (told.code, "an older copy" in told.out.lower()) == (ExitCode.REFUSED, True)
    proof.write_text(in_process("--data", data, "audit", "consistency", size, signed["size"], "-o", "json").out)
    assert verify(data, file, "--checkpoint", later, "--proof", proof).code == 0


def test_a_file_that_is_there_is_never_replaced_unless_asked_to(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(b"precious")
    done = export(data, "B-1", "--file", file)
    assert (done.code, file.read_bytes()) == (ExitCode.USAGE, b"precious")
    assert export(data, "B-1", "--file", file, "--force").code == 0
    assert file.read_bytes() != b"precious"


def test_of_an_export_that_fails_nothing_is_left(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    assert export(data, "nobody", "--file", file).code == ExitCode.NOT_FOUND
    assert export(data, "--from", "2031-01-01", "--file", file).code == ExitCode.NOT_FOUND
    assert export(data, "--file", file).code == ExitCode.REFUSED
    assert export(data, "B-1", "--all", "--file", file).code == ExitCode.REFUSED
    assert export(data, "--as", "u-logistics_manager", "B-1", "--file", file).code == ExitCode.REFUSED
    assert export(data, "B-1", "--file", tmp_path / "nowhere" / "b.zip").code == ExitCode.NOT_FOUND
    (tmp_path / "note").write_text("no checkpoint")
    assert export(data, "B-1", "--file", file, "--against", tmp_path / "note").code == ExitCode.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_the_name_tells_what_is_in_it(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for asked in (("B-1", "B-2"), ("--customer", "c-2"), ("--all",)):
        assert export(data, *asked).code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"audit-B-1-and-1-more.zip", "audit-c-2.zip", "audit-all.zip"}


def test_a_bundle_that_is_wrong_ends_with_its_own_exit_code(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    assert export(data, "B-1", "--file", file).code == 0
    forge = Forge.open(file.read_bytes())
    forge.timeline(lambda entries: entries[3].update(actor="u-somebody"))
    file.write_bytes(forge.bytes())
    told = verify(data, file)
    assert (told.code, "first bad: B-1/4" in told.out) == (ExitCode.REFUSED, True)
    file.write_bytes(b"no bundle")
    assert verify(data, file).code == ExitCode.BAD_DATA
    assert verify(data, tmp_path / "nowhere.zip").code == ExitCode.BAD_DATA
    assert verify(data, file, "--key", "nonsense").code == ExitCode.USAGE
