"""Who signed a bundle, and what keys and checkpoints from outside say about it: forgeries without a fault in
themselves, older copies, wrong keys."""

import pytest

import verify_bundle as verifier
from tests.evidence.bundles import Forge, another_note, first
from verify_bundle import OLDER, SOUND, TAMPERED, UNTRUSTED, Outside


def checkpoints(**notes: str) -> dict[str, bytes]:
    return {name: text.encode() for name, text in notes.items()}


def test_a_rewritten_chain_with_a_new_root_and_a_new_key_is_never_trusted(made, judge):
    forge = Forge.open(made.whole)
    forge.timeline(another_note)
    forge.rewrite_log()
    forged = forge.bytes()
    alone = judge(forged, Outside())
    assert (alone.exit_code, alone.findings) == (UNTRUSTED, []), "in itself it is without a fault"
    assert any("compare its fingerprint" in told for told in alone.notes)
    assert judge(forged).exit_code == TAMPERED, "the genuine key did not sign it"

    genuine = Forge.open(made.whole)
    same = genuine.members[genuine.manifest["checkpoint"]["member"]].decode()
    assert first(judge(forged, Outside(checkpoints=checkpoints(same=same)))) == _first_after(forge, 0)

    early = judge(forged, Outside(checkpoints=checkpoints(early=made.early)))
    assert early.exit_code == TAMPERED
    assert first(early) == _first_after(forge, 0)
    both = judge(forged, Outside(checkpoints=checkpoints(early=made.early, same=made.same)))
    assert first(both) == _first_after(forge, 0)


def test_checkpoints_from_outside_narrow_down_where_the_log_was_rewritten(made, judge):
    """What was signed early stands; what came after it was altered."""
    forge = Forge.open(made.whole)
    forge.timeline(lambda entries: entries[2]["payload"].update(note="another"), "B-3")
    forge.rewrite_log()
    outside = Outside(checkpoints=checkpoints(early=made.early, same=made.same))
    report = judge(forge.bytes(), outside)
    assert report.exit_code == TAMPERED
    deal, sequence = first(report)
    assert (deal, sequence) == ("B-3", 1)
    size = int(made.early.split("\n")[1])
    assert any(found["where"].startswith(f"leaves {size + 1} to ") for found in report.findings)


def _first_after(forge: Forge, size: int) -> tuple[str, int]:
    leaves = [leaf for deal in forge.manifest["deals"] for leaf in forge.lines(f"{deal['folder']}/leaves.jsonl")]
    acts = [leaf for leaf in leaves if leaf["kind"] == "act" and leaf["sequence"] > size]
    deal, _, number = min(acts, key=lambda leaf: leaf["sequence"])["ref"].rpartition("/")
    return deal, int(number)


def test_a_wrong_key_is_named_with_its_fingerprint(made, judge):
    stranger = verifier.read_key("1" * 43 + "=")
    report = judge(made.one, Outside([stranger]))
    assert report.exit_code == TAMPERED
    genuine = verifier.fingerprint(verifier.read_key(made.key))
    assert any("the key that you trust" in found["why"] and genuine in found["why"] for found in report.findings)


def test_without_anything_from_outside_trust_is_not_established(made, judge):
    report = judge(made.one, Outside())
    assert report.exit_code == UNTRUSTED
    assert report.trust["established"] is False
    assert any(verifier.fingerprint(verifier.read_key(made.key)) in told for told in report.notes)


@pytest.mark.parametrize("which", ["early", "same"])
def test_a_checkpoint_that_was_kept_outside_establishes_trust(made, judge, which):
    report = judge(made.one, Outside(checkpoints={which: getattr(made, which).encode()}))
    assert (report.exit_code, report.findings) == (SOUND, [])
    assert report.trust["by"] == "a checkpoint that you brought"


def test_an_older_copy_is_told_apart_and_what_may_be_missing_is_named(made, judge):
    last = len(Forge.open(made.one).lines("deals/B-1/timeline.jsonl"))
    for keys in ([], [verifier.read_key(made.key)]):
        report = judge(made.one, Outside(keys, checkpoints(later=made.later)))
        assert report.exit_code == OLDER
        assert report.trust["established"] is bool(keys)
        assert any("leaves since this bundle" in told for told in report.notes)
        assert any(told.startswith(f"B-1/{last + 1} is the first entry") for told in report.notes)


def test_a_proof_to_the_later_checkpoint_shows_that_the_older_copy_is_what_came_before(made, judge):
    outside = Outside(checkpoints=checkpoints(later=made.later), proofs=[made.proof])
    report = judge(made.one, outside)
    assert (report.exit_code, report.findings) == (SOUND, [])
    assert any("what came before" in told for told in report.notes)
    wrong = made.proof | {"hashes": [*made.proof["hashes"][:-1], "0" * 64]}
    assert judge(made.one, Outside(checkpoints=checkpoints(later=made.later), proofs=[wrong])).exit_code == TAMPERED


def test_a_checkpoint_of_another_log_or_of_another_key_is_refused(made, judge):
    foreign = made.same.replace("dealwright.local/audit-log", "another/log")
    assert judge(made.one, Outside(checkpoints=checkpoints(foreign=foreign))).exit_code == TAMPERED
    forge = Forge.open(made.whole)
    forge.rewrite_log()
    note = next(forge.members[name].decode() for name in sorted(forge.members) if name.startswith("checkpoints/"))
    report = judge(made.one, Outside(checkpoints=checkpoints(forged=note)))
    assert report.exit_code == TAMPERED
    assert any("a key that the bundle does not name" in found["why"] for found in report.findings)
