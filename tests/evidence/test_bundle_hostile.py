"""Files that are no bundle, are damaged, are newer than the verifier, or were made to harm whoever opens them."""

import ast
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

import verify_bundle as verifier
from infra.evidence.bundle_reading import BundleUnreadable, read_bundle
from tests.evidence.bundles import Forge
from verify_bundle import SOUND, UNREADABLE, UNTRUSTED, Report

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[bytes], Report]:
    """Judges a bundle's bytes for an auditor who has nothing from outside."""

    def judged(bundle: bytes) -> Report:
        file = tmp_path / "bundle.zip"
        file.write_bytes(bundle)
        return verifier.verify(str(file))

    return judged


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return target.getvalue()


def why(report: Report) -> str:
    assert report.exit_code == UNREADABLE
    return str(report.findings[0]["why"])


def test_a_file_that_is_no_bundle_is_said_to_be_none(made, judge, tmp_path):
    assert "empty" in why(judge(b""))
    assert "not a ZIP file" in why(judge(b"%PDF-1.7 and so on"))
    assert "cut off or damaged" in why(judge(made.one[: len(made.one) // 2]))
    assert "no bundle of Dealwright" in why(judge(zipped(("a.txt", b"a"))))
    assert "somebody else's" in why(judge(zipped(("manifest.json", b'{"format":"another"}'))))
    assert "damaged" in why(judge(zipped(("manifest.json", b'{"format":'))))
    assert "damaged" in why(judge(zipped(("manifest.json", b"[" * 200_000))))
    assert "can't be read" in why(verifier.verify(str(tmp_path / "nowhere.zip")))
    assert "can't be read" in why(verifier.verify(str(tmp_path)))


def test_every_way_of_cutting_a_bundle_short_is_noticed(made, judge):
    for end in range(1, len(made.one), len(made.one) // 60):
        assert judge(made.one[:end]).exit_code == UNREADABLE


def test_a_newer_format_is_told_apart_from_damage(made, judge):
    forge = Forge.open(made.one)
    forge.members["manifest.json"] = rfc8785.dumps(forge.manifest | {"version": 2, "something": "new"})
    assert "a bundle of format 2" in why(judge(forge.bytes()))
    for version in (0, "1", None, True, [1]):
        forge.members["manifest.json"] = rfc8785.dumps(forge.manifest | {"version": version})
        assert "damaged" in why(judge(forge.bytes()))


@pytest.mark.parametrize("field", ["origin", "deals", "histories", "missing", "members", "checkpoint", "complete"])
@pytest.mark.parametrize("value", [None, [], {}, "text", 7, [7], [{}], {"a": 1}, [None], True])
def test_a_manifest_of_any_shape_is_judged_without_a_crash(made, judge, field, value):
    forge = Forge.open(made.one)
    assert forge.manifest[field] != value
    forge.members["manifest.json"] = rfc8785.dumps(forge.manifest | {field: value})
    assert judge(forge.bytes()).exit_code not in (SOUND, UNTRUSTED)


ODD = [
    b"",
    b"\n",
    b"null\n",
    b"[]\n",
    b'"a"\n',
    b"7\n",
    b"{}\n",
    b'{"a":1.5}\n',
    b'{"a":1,"a":2}\n',
    b"\xff\xfe\n",
    b'{"id":7}\n',
]
ODD += [
    b'{"sequence":1}\n',
    b'{"events":[7,{"digest":7,"name":1}],"sequence":-1}\n',
    b"[" * 5_000 + b"\n",
    b"9" * 5_000,
]
ODD += [b'{"kind":"act","ref":"B-1/1"}\n', b'{"z":1,"a":2}\n', b'{"a": 1}\n', b'"\\ud800"\n', b"NaN\n", b"x" * 9_999]


@pytest.mark.parametrize("number", range(len(ODD)))
@pytest.mark.counted_cells(3)
def test_members_of_any_content_are_judged_without_a_crash(made, judge, number):
    names = [name for name in Forge.open(made.one).members if name not in ("manifest.json", "deals/B-1/refusals.jsonl")]
    for name in names:
        for renewed in (False, True):
            forge = Forge.open(made.one)
            forge.members[name] = ODD[number]
            if renewed and not name.endswith("timeline.jsonl"):
                forge.renew()
            assert judge(forge.bytes()).exit_code not in (SOUND, UNTRUSTED), name


PATHS = ["../evil", "/etc/passwd", "a/../../b", "C:\\evil", "a\\b", "a/./b", "..", "a\x00b", "x/..", "new\nline"]


@pytest.mark.parametrize("name", PATHS)
def test_members_that_lead_out_of_the_bundle_are_refused(judge, name):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("x" * len(name))
        archive.writestr(info, b"evil")
    raw = target.getvalue().replace(b"x" * len(name), name.encode())
    told = why(judge(raw))
    assert "hostile" in told or "damaged" in told or "not a ZIP" in told


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(judge):
    assert "twice" in why(judge(zipped(("manifest.json", b"{}"), ("manifest.json", b"{ }"))))


def test_bombs_are_refused_before_they_are_unpacked(made, judge):
    bomb = zipped(("manifest.json", b"0" * (1 << 27)))
    assert len(bomb) < 1 << 20
    assert "bomb" in why(judge(bomb))


def test_members_that_overlap_are_refused(judge):
    raw = bytearray(zipped(("a", b"x" * 50), ("b", b"y" * 50), compression=zipfile.ZIP_STORED))
    second = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, second + 42, 10)  # the second member begins inside of the first
    assert "overlaps" in why(judge(bytes(raw)))


def test_a_member_that_is_longer_than_it_says_is_read_no_further(made, judge):
    raw = bytearray(Forge.open(made.one).bytes())
    name = b"deals/B-1/timeline.jsonl"
    directory = raw.rindex(name) - 46
    struct.pack_into("<I", raw, directory + 24, 100)
    report = judge(bytes(raw))
    assert any("longer than the ZIP file says" in found["why"] for found in report.findings)


def test_encrypted_members_and_other_ways_of_packing_are_refused(judge):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("manifest.json", b"{}")
    assert "packed in another way" in why(judge(target.getvalue()))


def test_a_bundle_that_was_packed_again_by_another_program_is_the_same_bundle(made, judge):
    """What counts are the members: a ZIP program may store folders, times and sizes in its own way."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("deals/", b"")
        for name, content in sorted(Forge.open(made.one).members.items()):
            archive.writestr(name, content)
    report = judge(target.getvalue())
    assert [found["where"] for found in report.findings] == ["deals/"]


def run(*arguments: object) -> tuple[int, Any]:
    """The verifier as an auditor runs it: alone, without a single installed package."""
    line = [sys.executable, "-I", "-S", str(ROOT / "verify_bundle.py"), *map(str, arguments), "--json"]
    done = subprocess.run(line, capture_output=True, timeout=60)
    assert not done.stderr, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_the_verifier_is_written_in_the_python_of_2020_and_imports_only_what_comes_with_it():
    source = (ROOT / "verify_bundle.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names - {"cryptography"} <= sys.stdlib_module_names


def test_the_verifier_needs_nothing_but_python(made, tmp_path):
    file, key, note, proof = (tmp_path / name for name in ("b.zip", "key.txt", "note", "proof.json"))
    file.write_bytes(made.whole)
    key.write_text(made.key + "\n")
    note.write_text(made.early)
    proof.write_text(json.dumps([made.proof]))
    code, report = run(file, "--key", key, "--checkpoint", note, "--proof", proof)
    assert (code, report["verdict"]) == (SOUND, "sound")
    assert report["trust"]["arithmetic"] == "this file's own"
    assert run(file)[0] == UNTRUSTED
    forge = Forge.open(made.whole)
    forge.timeline(lambda entries: entries[3].update(actor="u-somebody"))
    file.write_bytes(forge.bytes())
    code, report = run(file, "--key", made.key)
    assert (code, report["first_bad"]["deal"], report["first_bad"]["sequence"]) == (verifier.TAMPERED, "B-1", 4)
    file.write_bytes(b"PK\x03\x04")
    assert run(file)[0] == UNREADABLE
    assert run(file, "--key", "nonsense")[0] == UNREADABLE
    assert run(file, "--checkpoint", tmp_path / "nowhere")[0] == UNREADABLE


def test_the_report_for_people_names_the_first_bad_entry(made, tmp_path, capsysbinary):
    forge = Forge.open(made.one)
    forge.timeline(lambda entries: entries[3].update(actor="u-somebody"))
    file = tmp_path / "b.zip"
    file.write_bytes(forge.bytes())
    assert verifier.main([str(file), "--key", made.key]) == verifier.TAMPERED
    told = capsysbinary.readouterr().out.decode()
    assert "TAMPERED" in told
    assert "first bad: B-1/4: its content does not give its hash" in told


def test_whoever_replays_reads_entries_policies_and_refuses_what_is_damaged(made, tmp_path):
    file = tmp_path / "b.zip"
    file.write_bytes(made.whole)
    with read_bundle(file) as bundle:
        assert bundle.deal_ids == ["B-1", "B-2", "B-3"]
        deals = list(bundle.deals())
        assert [len(deal.entries) for deal in deals] == [told["entries"] for told in bundle.manifest["deals"]]
        assert deals[0].refusals[0]["actor"] == "u-legal"
        assert {entry.policy_version for deal in deals for entry in deal.entries} <= set(bundle.policies())
        with pytest.raises(LookupError):
            bundle.deal("nobody")
    forge = Forge.open(made.whole)
    forge.timeline(lambda entries: entries[3].update(actor="u-somebody"))
    file.write_bytes(forge.bytes())
    with read_bundle(file) as bundle, pytest.raises(BundleUnreadable, match="not what the manifest names"):
        bundle.deal("B-1")
    for raw in (b"", b"no", made.whole[:500], zipped(("a", b"a")), zipped(("manifest.json", b"[]"))):
        file.write_bytes(raw)
        with pytest.raises(BundleUnreadable):
            read_bundle(file)
