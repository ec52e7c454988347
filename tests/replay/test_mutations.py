"""Faults in the code and in the records are caught, each by the replay that is there for it; sound code passes all."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models import codec
from models.policy import DEFAULT, Policy
from models.replaying import Difference
from tests.replay.kept import Played, forged
from tests.replay.mutations import MUTATIONS, Mutation, copy_of_the_code
from tests.replay.played import POLICIES

pytestmark = [pytest.mark.slow, pytest.mark.uncounted]

Found = list[Difference]


def replayed(code: Path, cases: Path, policies: dict[str, Policy] = POLICIES) -> Found:
    """What the three replays on a copy of the code find on some deals."""
    bodies = code / "policies.json"
    bodies.write_text(json.dumps(codec.encode(policies)))
    asked = [sys.executable, "-m", "tests.replay.mutated_replays", str(cases), str(bodies)]
    environment = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(asked, cwd=code, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [codec.decode(Difference, found) for found in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def findings(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Found]]:
    """What is found on every changed code, and on the unchanged one (under no name). Two at a time."""
    folder = tmp_path_factory.mktemp("code")
    chosen: list[Mutation | None] = [None, *MUTATIONS]
    copies = {m.name if m else "": copy_of_the_code(folder / str(i), m) for i, m in enumerate(chosen)}
    with ThreadPoolExecutor(2) as pool:
        return {name: pool.submit(replayed, code, cases) for name, code in copies.items()}


def test_sound_code_passes_all_three(findings: dict[str, Future[Found]]) -> None:
    assert findings[""].result() == []


def test_there_are_ten_and_each_replay_has_its_own() -> None:
    assert len(MUTATIONS) == len({mutation.name for mutation in MUTATIONS}) == 10
    assert {mutation.by for mutation in MUTATIONS} == {"fold", "rules", "engine"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_is_caught_by_its_replay(mutation: Mutation, findings: dict[str, Future[Found]]) -> None:
    by = {found.replay for found in findings[mutation.name].result()}
    assert mutation.by in by
    if mutation.only:
        assert by == {mutation.by}


def test_a_fault_whose_place_is_gone_is_not_sown(tmp_path: Path) -> None:
    lost = replace(MUTATIONS[0], old="what nobody wrote")
    with pytest.raises(ValueError, match="stands 0 times"):
        copy_of_the_code(tmp_path / "code", lost)


def with_records(tmp_path: Path, deal: Played, policies: dict[str, Policy] = POLICIES) -> Found:
    """What sound code finds on a deal whose records were changed."""
    deal.write(tmp_path / "cases" / deal.deal_id)
    return replayed(copy_of_the_code(tmp_path / "code"), tmp_path / "cases", policies)


def test_a_forged_row_under_a_valid_chain_is_convicted_by_the_engine_alone(
    deals: dict[str, Played], tmp_path: Path
) -> None:
    """By somebody who knows the rules as well as we do: who acted, at another time, under another key."""
    sound = deals["REP-won"]
    contact = next(entry for entry in sound.entries if entry.action == "log_contact")
    wrong = forged(sound, contact.sequence, key="k-forged", actor="u-somebody")
    by = {found.replay: found for found in reversed(with_records(tmp_path, wrong))}
    assert set(by) <= {"engine", "rules"}
    assert by["engine"].sequence == contact.sequence
    assert "not what the engine's history gives" in by["engine"].why


def test_a_policy_that_was_changed_in_the_books_is_found(deals: dict[str, Played], tmp_path: Path) -> None:
    changed = replace(DEFAULT, offer_validity=DEFAULT.offer_validity + 86_400)
    found = with_records(tmp_path, deals["REP-won"], {DEFAULT.version: changed})
    rules = [one for one in found if one.replay == "rules"]
    assert [one.why.split(":")[0] for one in rules] == ["draft_offer"]
    assert any("offer_validity" in one.why for one in found if one.replay == "engine")
