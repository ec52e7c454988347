"""Whatever a forger does to a bundle, `verify_bundle.py` says so and names the first bad sequence."""

import copy
import gzip
import random
import zipfile
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise

import pytest

import verify_bundle as verifier
from tests.evidence.bundles import HISTORY, Forge, Plain, another_note, first, hashed_only, rehashed
from verify_bundle import SOUND, TAMPERED, Outside

Change = Callable[[list[Plain]], object]


def test_what_was_exported_is_sound(made, judge):
    for bundle, deals in ((made.one, 1), (made.whole, 3)):
        report = judge(bundle)
        assert (report.exit_code, report.findings) == (SOUND, [])
        assert report.trust["by"] == "a key that you brought"
        assert report.checked["deals"] == deals
        assert report.checked["documents"] == 2


def _deleted(entries: list[Plain]) -> None:
    del entries[6]


def _inserted(entries: list[Plain]) -> None:
    entries.insert(7, copy.deepcopy(entries[6]) | {"sequence": 8, "key": "forged"})


def _swapped(entries: list[Plain]) -> None:
    entries[6], entries[7] = entries[7], entries[6]


def _cut(entries: list[Plain]) -> None:
    del entries[-1]


def _earlier(entries: list[Plain]) -> None:
    entries[6]["at"] = "2020-01-01T00:00:00Z"


def _without_receipt(entries: list[Plain]) -> None:
    del entries[6]["receipt"]


CHANGES: dict[str, tuple[Change, int]] = {
    "a changed payload": (another_note, 7),
    "an earlier time": (_earlier, 7),
    "a receipt taken away": (_without_receipt, 7),
    "a deleted entry": (_deleted, 7),
    "an inserted entry": (_inserted, 8),
    "reordered entries": (_swapped, 7),
    "a truncated timeline": (_cut, 0),
}


@pytest.mark.parametrize("renewed", [False, True], ids=["", "manifest made right"])
@pytest.mark.parametrize("chained", [False, True], ids=["", "chain made right"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_timeline_is_found_at_its_first_bad_entry(made, judge, what, chained, renewed):
    change, sequence = CHANGES[what]
    forge = Forge.open(made.one)
    last = len(forge.lines("deals/B-1/timeline.jsonl"))
    forge.timeline(lambda entries: (change(entries), rehashed(entries) if chained else None))
    if renewed:
        forge.renew()
    report = judge(forge.bytes())
    assert report.exit_code == TAMPERED
    assert first(report) == ("B-1", sequence or last)


@pytest.mark.parametrize("what", CHANGES)
def test_leaves_that_are_changed_with_their_entries_do_not_stand_in_the_log(made, judge, what):
    change, sequence = CHANGES[what]
    forge = Forge.open(made.one)
    forge.timeline(lambda entries: (change(entries), rehashed(entries)))
    entries = {entry["sequence"]: entry for entry in forge.lines("deals/B-1/timeline.jsonl")}

    def follow(leaves: list[Plain]) -> None:
        for leaf in [leaf for leaf in leaves if leaf["kind"] == "act"]:
            entry = entries.get(int(leaf["ref"].partition("/")[2]))
            if entry is None:
                leaves.remove(leaf)
                continue
            leaf |= {"body_hash": entry["hash"], "at": entry["at"]}
            named = {name: leaf[name] for name in ("kind", "ref", "body_hash", "at", "logged_at")}
            leaf["leaf_hash"] = verifier.leaf_hash(verifier.canonical(named)).hex()

    forge.leaves(follow)
    forge.renew()
    report = judge(forge.bytes())
    assert report.exit_code == TAMPERED
    if what == "a truncated timeline":
        # entry, leaf and proof are gone without a trace: what tells is that nobody signed this manifest
        assert report.first_bad["where"] == "manifest.json"
    else:
        assert first(report) == ("B-1", sequence)


def test_a_timeline_cut_short_with_its_leaf_is_found_where_the_manifest_is_the_genuine_one(made, judge):
    forge = Forge.open(made.one)
    last = len(forge.lines("deals/B-1/timeline.jsonl"))
    forge.timeline(_cut)
    forge.leaves(lambda leaves: leaves.remove(next(leaf for leaf in leaves if leaf["ref"] == f"B-1/{last}")))
    assert first(judge(forge.bytes())) == ("B-1", last)


def test_a_complete_bundle_betrays_even_who_holds_the_key_and_cuts_a_timeline_short(made, judge):
    forge = Forge.open(made.whole)
    forge.timeline(_cut, "B-3")
    forge.leaves(lambda leaves: leaves.pop(), "B-3")
    forge.signer = None
    forge.renew()
    told = " ".join(found["why"] for found in judge(forge.bytes()).findings)
    assert "claims to hold the whole log" in told


def test_entries_of_another_deal_are_no_substitute(made, judge):
    forge = Forge.open(made.whole)
    for name in ("timeline", "leaves"):
        forge.members[f"deals/B-2/{name}.jsonl"] = forge.members[f"deals/B-3/{name}.jsonl"]
    assert first(judge(forge.bytes())) == ("B-2", 1)


def test_a_swapped_document_is_found_at_the_entry_that_names_it(made, judge):
    forge = Forge.open(made.one)
    documents = sorted(name for name in forge.members if name.startswith("documents/"))
    forge.members[documents[0]] = b"another contract"
    named = next(
        entry["sequence"]
        for entry in forge.lines("deals/B-1/timeline.jsonl")
        for event in entry["events"]
        if event.get("digest") == documents[0].removeprefix("documents/")
    )
    for _ in range(2):
        report = judge(forge.bytes())
        assert first(report) == ("B-1", named)
        forge.renew()
    a, b = documents[:2]
    forge = Forge.open(made.one)
    forge.members[a], forge.members[b] = forge.members[b], forge.members[a]
    assert first(judge(forge.bytes()))[0] == "B-1"
    del forge.members[a]
    forge.renew()
    assert any("is not in the bundle" in found["why"] for found in judge(forge.bytes()).findings)


def test_a_changed_policy_a_changed_refusal_and_a_changed_leaf_are_found(made, judge):
    forge = Forge.open(made.one)
    name = next(name for name in forge.members if name.startswith("policies/"))
    forge.members[name] = forge.members[name].replace(b'"note":"defaults"', b'"note":"defaulted"')
    forge.renew()
    assert any("attests another policy" in found["why"] for found in judge(forge.bytes()).findings)

    forge = Forge.open(made.one)
    refusals = forge.lines("deals/B-1/refusals.jsonl")
    forge.put("deals/B-1/refusals.jsonl", [refusals[0] | {"actor": "u-somebody"}])
    forge.renew()
    assert any("attests another refusal" in found["why"] for found in judge(forge.bytes()).findings)
    del forge.members["deals/B-1/refusals.jsonl"]
    forge.renew()
    assert any("attests another refusal" in found["why"] for found in judge(forge.bytes()).findings)

    fields = [("sequence", 3), ("logged_at", "2020-01-01T00:00:00Z"), ("form", 1), ("form", 3), ("path", [])]
    for field, value in [*fields, ("leaf_hash", "0" * 64), ("body_hash", "0" * 64), ("ref", "B-1/9")]:
        forge = Forge.open(made.one)
        leaves = forge.lines("deals/B-1/leaves.jsonl")
        leaves[4][field] = value
        forge.put("deals/B-1/leaves.jsonl", leaves)
        forge.renew()
        assert first(judge(forge.bytes())) == ("B-1", 5), field


def test_an_entry_without_its_leaf_is_found(made, judge):
    forge = Forge.open(made.one)
    forge.leaves(lambda leaves: leaves.pop(4))
    forge.renew()
    assert first(judge(forge.bytes())) == ("B-1", 5)


def _lets_go(entries: list[Plain]) -> None:
    entries[6]["previous_hash"] = "0" * 64


def _moves_in(entries: list[Plain]) -> None:
    entries[6]["deal_id"] = "B-2"


def _another_time(leaves: list[Plain]) -> None:
    leaves[6]["at"] = "2020-01-01T00:00:00Z"


def _of_another_deal(refusals: list[Plain]) -> None:
    refusals[0]["deal_id"] = "B-2"


@pytest.mark.parametrize(
    ("member", "change", "why"),
    [
        ("timeline", _lets_go, "does not follow the entry before it"),
        ("timeline", _moves_in, "an entry of another deal"),
        ("leaves", _another_time, "names another time than its entry"),
        ("refusals", _of_another_deal, "it is of another deal"),
    ],
)
def test_a_log_that_is_right_in_itself_must_also_make_sense(made, judge, member, change, why):
    """All hashes, proofs and signatures are right: only who has the key can forge so."""
    forge = Forge.open(made.whole)
    name = f"deals/B-1/{member}.jsonl"
    values = forge.lines(name)
    change(values)
    forge.put(name, values)
    forge.rewrite_log(hashed_only if member == "timeline" else None)
    report = judge(forge.bytes(), Outside())
    assert why in report.first_bad["why"]
    assert member == "refusals" or first(report) == ("B-1", 7)


def test_a_number_left_out_of_a_chain_is_found(made, judge):
    forge = Forge.open(made.whole)

    def skipped(entries: list[Plain]) -> list[Plain]:
        rehashed(entries)
        for entry in entries[6:]:
            entry["sequence"] += 1
        for before, entry in pairwise(entries):
            entry["previous_hash"] = before["hash"]
            hashed_only([entry])
        return entries

    def renumbered(leaves: list[Plain]) -> None:
        for leaf in leaves:
            deal, _, number = leaf["ref"].rpartition("/")
            if leaf["kind"] == "act" and int(number) >= 7:
                leaf["ref"] = f"{deal}/{int(number) + 1}"

    forge.leaves(renumbered)
    forge.rewrite_log(lambda entries: skipped(entries) if entries[0]["deal_id"] == "B-1" else rehashed(entries))
    report = judge(forge.bytes(), Outside())
    assert first(report) == ("B-1", 7)
    assert "entry 7 belongs here, found 8" in report.first_bad["why"]


def test_members_that_nothing_else_speaks_of_are_held_to_the_manifest(made, judge):
    forge = Forge.open(made.one)
    forge.members["keys.json"] = forge.members["keys.json"].replace(b'"made_at":"2026', b'"made_at":"2025')
    assert [found["where"] for found in judge(forge.bytes()).findings] == ["keys.json"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.counted_cells(3)
def test_one_flipped_byte_anywhere_in_a_member_is_found(made, judge, compression):
    bundle = Forge.open(made.one).bytes(compression)
    assert judge(bundle).exit_code == SOUND
    places = _places(bundle)
    chosen = random.Random(11).sample(range(len(bundle)), 200)
    for place in chosen:
        flipped = bytearray(bundle)
        flipped[place] ^= 1 << place % 8
        report = judge(bytes(flipped))
        if report.exit_code == SOUND and places[place]:
            # a spare bit at the end of what is packed: what is unpacked is the same to the last byte
            assert compression == zipfile.ZIP_DEFLATED, f"byte {place} in {places[place]}"
            assert _members(bytes(flipped)) == _members(bundle), f"byte {place} in {places[place]}"


def _members(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_flipped_byte_in_an_entry_names_that_entry(made, judge):
    bundle = Forge.open(made.one).bytes(zipfile.ZIP_STORED)
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        timeline = archive.read("deals/B-1/timeline.jsonl")
    start, place = bundle.index(timeline), 0
    for sequence, line in enumerate(timeline.splitlines(), 1):
        for inside in (0, len(line) // 3, len(line) - 1):
            flipped = bytearray(bundle)
            flipped[start + place + inside] ^= 1
            report = judge(bytes(flipped))
            assert report.exit_code == TAMPERED
            assert first(report) == ("B-1", sequence), (sequence, inside, report.findings)
        place += len(line) + 1


def _places(bundle: bytes) -> dict[int, str]:
    """For every byte of a bundle the member in whose content it is, or nothing."""
    places = dict.fromkeys(range(len(bundle)), "")
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename)
            places |= dict.fromkeys(range(start, start + info.compress_size), info.filename)
    return places


def test_a_checkpoint_that_contradicts_the_one_before_it_is_found(made, judge):
    forge = Forge.open(made.whole)
    name = min(name for name in forge.members if name.startswith("checkpoints/"))
    lines = forge.members[name].decode().split("\n")
    forge.members[name] = "\n".join([*lines[:2], "A" * 43 + "=", *lines[3:]]).encode()
    forge.renew()
    told = [found["why"] for found in judge(forge.bytes()).findings]
    assert any("signature is not valid" in why for why in told)
    assert any("does not continue the earlier one" in why for why in told)


def test_a_changed_history_is_found(made, judge):
    name = "histories/deal-B-1/run-1.pb.gz"
    for content in (b"", b"no gzip", gzip.compress(HISTORY + b"x"), gzip.compress(b"0" * (1 << 24))):
        forge = Forge.open(made.one)
        forge.members[name] = content
        forge.renew()
        report = judge(forge.bytes())
        assert any(found["where"] == f"history {name} of deal B-1" for found in report.findings)


def test_what_is_added_to_a_bundle_or_taken_away_is_found(made, judge):
    forge = Forge.open(made.one)
    forge.members["deals/B-1/extra.jsonl"] = b"{}\n"
    assert any("not in the manifest" in found["why"] for found in judge(forge.bytes()).findings)
    forge.renew()
    assert any("nothing that is checked" in found["why"] for found in judge(forge.bytes()).findings)
    for name in sorted(Forge.open(made.one).members):
        forge = Forge.open(made.one)
        del forge.members[name]
        assert judge(forge.bytes()).exit_code in (TAMPERED, verifier.UNREADABLE), name
