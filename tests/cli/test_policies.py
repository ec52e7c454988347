"""Policies from the command line: an upgraded installation keeps its own until somebody adopts the new one."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from infra.db import open_database
from infra.migrate import upgrade
from infra.stores.people import PeopleStore, Person
from infra.stores.policies import PolicyStore, PolicyVersion
from infra.stores.recorder import DatabaseRecorder
from models import codec
from models.messages.records import RecordInput
from models.policy import DEFAULT, SPINE
from models.projection import CHILDREN, project
from tests.cli.command import in_process
from tests.models.collecting import late, pay

LONG_AGO = "2026-01-01T00:00:00Z"


def _older_installation(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'dealwright.db'}"
    upgrade(url)

    async def keep() -> None:
        database = open_database(url)
        older = codec.encode(SPINE)
        await PolicyStore(database).add(PolicyVersion(SPINE.version, older, LONG_AGO, "defaults"), LONG_AGO)
        await database.close()

    asyncio.run(keep())


def test_an_upgraded_installation_adopts_the_new_rules_once(tmp_path: Path) -> None:
    _older_installation(tmp_path)

    def say(*words: str) -> Any:
        return in_process("--data", tmp_path, "-o", "json", "policies", *words).json

    assert [row["version"] for row in say("list")] == [SPINE.version]
    assert say("adopt") == {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": True}
    assert say("adopt") == {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": False}
    listed = [(row["version"], row["rules"], row["from"] > LONG_AGO) for row in say("list")]
    assert listed == [(DEFAULT.version, DEFAULT.rules, True), (SPINE.version, 1, False)]


class Folder:
    """A data folder with two admins, a head of sales, and one deal that paid late."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "dealwright.db"
        url = f"sqlite+aiosqlite:///{self.file}"
        upgrade(url)
        self.world = late(10)
        pay(self.world, 190_400)

        async def furnish() -> None:
            database = open_database(url)
            policy = PolicyVersion(DEFAULT.version, codec.encode(DEFAULT), LONG_AGO, "defaults")
            await PolicyStore(database).add(policy, LONG_AGO)
            for name, role in (("anna", "admin"), ("bert", "admin"), ("hanna", "head_of_sales")):
                await PeopleStore(database).create(Person(name, name, (role,), "north"), LONG_AGO)
            rows = project(self.world.deal, self.world.policy)
            entries = tuple(self.world.entries)
            await DatabaseRecorder(database).record(RecordInput(self.world.deal.id, entries, rows, CHILDREN))
            await database.close()

        asyncio.run(furnish())

    def say(self, *words: object, user: str = "anna") -> Any:
        done = in_process("--data", self.place, "-o", "json", "--as", user, "policies", *words)
        assert done.code == 0, done.err
        return done.json

    def refused(self, *words: object, user: str = "anna") -> tuple[int, str]:
        done = in_process("--data", self.place, "--as", user, "policies", *words)
        return done.code, done.err

    def shown(self, *words: object, user: str = "anna") -> str:
        done = in_process("--data", self.place, "--as", user, "policies", *words)
        assert done.code == 0, done.err
        return done.out


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_policy_from_draft_to_activation(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    file.write_text(json.dumps({"margin_floor": 900}), encoding="utf-8")
    wanted = ("discount_authority.account_manager=300", "ladder[dun_first].after=691200")
    draft = folder.say("draft", "2027.1", "--set", wanted[0], "--set", wanted[1], "--file", file, "--note", "tighter")
    assert (draft["state"], draft["based_on"], draft["drafted_by"]) == ("draft", DEFAULT.version, "anna")
    paths = {c["path"]: c["new"] for c in folder.say("compare", DEFAULT.version, "2027.1")["changes"]}
    assert paths == {
        "version": "2027.1",
        "margin_floor": 900,
        "discount_authority.account_manager": 300,
        "ladder[dun_first].after": 691_200,
    }
    assert "tighter" in folder.shown("show", "2027.1")
    assert "ladder[dun_first].after" in folder.shown("compare", DEFAULT.version, "2027.1")
    seen = draft["body_hash"][:12]
    code, why = folder.refused("approve", "2027.1", "--hash", seen)
    assert (code, "ask another admin" in why) == (1, True)
    assert folder.refused("approve", "2027.1", "--hash", "00000000", user="bert")[0] == 1
    assert folder.refused("activate", "2027.1")[0] == 1
    assert folder.say("approve", "2027.1", "--hash", seen, user="bert")["approved_by"] == "bert"
    edited = folder.say("edit", "2027.1", "--set", "margin_floor=950")
    assert (edited["state"], edited["body"]["margin_floor"]) == ("draft", 950)
    folder.say("approve", "2027.1", "--hash", edited["body_hash"], user="bert")
    active = folder.say("activate", "2027.1", "--from", "2098-01-01T00:00:00Z")
    assert (active["state"], active["active_from"]) == ("active", "2098-01-01T00:00:00Z")
    assert [row["version"] for row in folder.say("list")] == ["2027.1", DEFAULT.version]
    told = folder.shown("show", "2027.1")
    assert all(words in told for words in ("changed by anna", "approved by bert", "new deals pin it from 2098"))
    assert "no number differs" in folder.shown("compare", "2027.1", "2027.1")
    assert '"margin_floor"' in folder.shown("show", DEFAULT.version)
    assert "tighter" in folder.shown("drafts")
    folder.say("draft", "2027.2", "--based-on", "2027.1", "--set", "margin_floor=1")
    assert folder.say("withdraw", "2027.2", "--reason", "a slip")["state"] == "withdrawn"
    assert [(row["version"], row["state"]) for row in folder.say("drafts")] == [
        ("2027.1", "active"),
        ("2027.2", "withdrawn"),
    ]


@pytest.mark.parametrize(("body", "words"), [("{", "is no JSON"), ("[]", "must hold a JSON object")])
def test_a_file_that_is_no_policy_is_told(folder: Folder, tmp_path: Path, body: str, words: str) -> None:
    file = tmp_path / "numbers.json"
    file.write_text(body, encoding="utf-8")
    code, told = folder.refused("draft", "2027.1", "--file", file)
    assert (code, f"{file} {words}" in told) == (2, True)


def test_a_number_without_a_value_is_taken_away(folder: Folder) -> None:
    folder.say("draft", "2027.1", "--set", "discount_authority.account_manager=")
    (change,) = [c for c in folder.say("compare", DEFAULT.version, "2027.1")["changes"] if c["path"] != "version"]
    assert (change["path"], change["new"]) == ("discount_authority.account_manager", None)
    (line,) = [x for x in folder.shown("compare", DEFAULT.version, "2027.1").splitlines() if "account_manager" in x]
    assert line.split()[-1] == "-"


def test_what_can_not_be_is_said_with_its_place(folder: Folder, tmp_path: Path) -> None:
    for wrong, word in (
        (("--set", "margin_floor=high"), "margin_floor"),
        (("--set", "nonsense"), "is not like"),
        (("--set", "ladder[dun_first].after=1"), "ladder[3].after"),
        (("--set", "margin_floor=1e400"), "margin_floor"),
        (("--file", tmp_path / "none.json"), "none.json"),
    ):
        code, why = folder.refused("draft", "2027.1", *wrong)
        assert code in (1, 2, 3), why
        assert word in why
    assert folder.refused("show", "2027.1")[0] == 3


def test_a_counterfactual_run_leaves_the_database_as_it_was(folder: Folder) -> None:
    folder.say("list")
    before = hashlib.sha256(folder.file.read_bytes()).hexdigest()
    slower = ("--set", "ladder[dun_first].after=1036800", "--set", "ladder[dun_second].after=1123200")
    found = folder.say("try", DEFAULT.version, *slower, "--test-deals", user="hanna")
    assert hashlib.sha256(folder.file.read_bytes()).hexdigest() == before
    assert [(flip["kind"], flip["amount_minor"]) for deal in found["deals"] for flip in deal["flips"]] == [
        ("dropped", 190_400),
        ("other_interest", -4_529),
    ]
    shown = folder.shown("try", DEFAULT.version, *slower, "--deal", folder.world.deal.id, user="hanna")
    for word in ("decisions of 1 deal were judged again; 2 come out otherwise", "-45.29", "first_dunning"):
        assert word in shown, shown
    first = folder.shown("try", DEFAULT.version, *slower, "--test-deals", "--limit", 1, user="hanna")
    assert "the first 1 of 2; --limit shows more, -o json all" in first
    assert "-45.29" not in first[first.index("Decision by decision") :]
    assert "--limit" not in shown
    nothing = folder.say("try", DEFAULT.version, *slower, "--test-deals", "--to", "2025-12-31", user="hanna")
    assert (nothing["tried"], nothing["totals"]) == (0, [])
    assert folder.refused("try", DEFAULT.version, "--from", "soon", user="hanna")[0] == 2
    assert folder.refused("try", "none", user="hanna")[0] == 3
