"""Policies from draft to activation: who may do what, what is refused, and that two at once are one."""

import asyncio
import itertools
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from infra.control.policy_desk import Numbers, PolicyDesk
from infra.db import Database, table_of
from infra.desk.books import Books
from infra.desk.callers import OPERATOR, Caller
from infra.desk.errors import Conflict, DeskError, Invalid, NoSuch, WrongRole
from infra.desk.recording import RefusalBook
from infra.settings import load_settings
from infra.stores.policies import PolicyVersion
from infra.stores.policy_drafts import Draft
from models import codec
from models.policy import DEFAULT, SPINE
from models.tables.control import DeputyRow
from models.tables.records import AuditLeafRow
from models.timeline import digest

NOW = "2026-05-01T08:00:00Z"
SOON = "2026-06-01T00:00:00Z"
ANNA, BERT, CORA = (Caller(name, ("admin",), credential=f"dw_{name}") for name in ("anna", "bert", "cora"))
LOWER = Numbers(values={"discount_authority.account_manager": 300})


class Office:
    """The policy desk with a clock that tests move."""

    def __init__(self, database: Database, folder: Any) -> None:
        self.now = NOW
        self.books = Books(database, load_settings(data_dir=folder))
        self.desk = PolicyDesk(self.books, RefusalBook(self.books, lambda: self.now), lambda: self.now)

    async def drafted(self, version: str = "2026.4", asked: Numbers = LOWER, **more: str) -> Draft:
        return await self.desk.draft(ANNA, version, DEFAULT.version, asked, **more)

    async def approved(self, version: str = "2026.4", asked: Numbers = LOWER) -> Draft:
        draft = await self.drafted(version, asked)
        return await self.desk.approve(BERT, version, draft.body_hash)

    async def leaves(self) -> list[tuple[str, str]]:
        """Kind and author of the leaves about policies."""
        leaves = table_of(AuditLeafRow)
        rows = await self.books.database.rows(select(leaves).order_by(leaves.c.sequence))
        kinds = ("policy_draft", "policy_approval", "policy_activation")
        return [(row["body"].get("step", row["kind"]), row["body"]["by"]) for row in rows if row["kind"] in kinds]

    async def deputy(self, absent: str, deputy: str, until: str = SOON) -> None:
        row = {"absent": absent, "deputy": deputy, "from_at": "2026-01-01T00:00:00Z", "until_at": until,
               "reason": "", "appointed_by": "x", "appointed_at": NOW, "ended_at": "", "ended_by": ""}  # fmt: skip
        async with self.books.database.begin() as connection:
            await connection.execute(insert(DeputyRow), row)


@pytest_asyncio.fixture
async def office(database: Database, tmp_path: Any) -> Office:
    found = Office(database, tmp_path)
    await found.books.policies.active("2026-01-01T00:00:00Z")
    return found


async def refused(work: Awaitable[Any], kind: type[DeskError] = Conflict) -> str:
    with pytest.raises(kind) as caught:
        await work
    return caught.value.code if kind is Conflict else caught.value.message


async def test_a_policy_goes_from_draft_over_a_second_admin_to_new_deals(office: Office) -> None:
    draft = await office.drafted(note="less of our margin")
    assert draft.state == "draft"
    assert draft.body["discount_authority"]["account_manager"] == 300
    assert draft.body_hash == digest(draft.body)
    approved = await office.desk.approve(BERT, "2026.4", draft.body_hash)
    assert (approved.state, approved.approved_by, approved.approved_hash) == ("approved", "bert", draft.body_hash)
    active = await office.desk.activate(ANNA, "2026.4", SOON)
    assert (active.state, active.active_from) == ("active", SOON)
    policies = office.books.policies
    assert (await policies.active("2026-05-31T23:59:59Z")).version == DEFAULT.version
    assert await policies.active(SOON) == replace(
        await policies.of(DEFAULT.version), version="2026.4", discount_authority=draft.body["discount_authority"]
    )
    assert await office.leaves() == [("drafted", "anna"), ("policy_approval", "bert"), ("policy_activation", "anna")]
    report = await office.books.audit.verify()
    assert report.sound, report.problems


async def test_the_same_again_changes_nothing_and_leaves_no_second_leaf(office: Office) -> None:
    draft = await office.drafted()
    assert await office.drafted() == draft
    assert await office.desk.edit(ANNA, "2026.4", LOWER) == draft
    for _ in range(2):
        await office.desk.approve(BERT, "2026.4", draft.body_hash)
    for _ in range(2):
        await office.desk.activate(CORA, "2026.4", SOON)
    assert len(await office.leaves()) == 3
    await office.drafted("2026.5")
    for _ in range(2):
        await office.desk.withdraw(BERT, "2026.5", "a slip")
    assert [what for what, _ in await office.leaves()][3:] == ["drafted", "withdrawn"]


async def test_only_a_second_admin_approves(office: Office) -> None:
    draft = await office.drafted()
    approve = lambda caller: office.desk.approve(caller, "2026.4", draft.body_hash)  # noqa: E731
    assert await refused(approve(ANNA)) == "four_eyes"
    assert await refused(approve(replace(BERT, on_behalf_of="anna"))) == "four_eyes"
    assert await refused(approve(replace(ANNA, on_behalf_of="bert"))) == "four_eyes"
    assert await refused(approve(OPERATOR)) == "four_eyes"
    await office.deputy("anna", "cora")
    assert await refused(approve(CORA)) == "four_eyes"
    assert "needs one of the roles" in await refused(approve(Caller("dora", ("commercial_director",))), WrongRole)
    assert (await approve(BERT)).state == "approved"
    codes = [row["code"] for row in await office.books.timeline.refusals("")]
    assert codes == ["four_eyes"] * 5 + ["wrong_role"]


async def test_a_deputy_whose_time_is_over_is_a_second_person_again(office: Office) -> None:
    draft = await office.drafted()
    await office.deputy("anna", "cora", until="2026-04-01T00:00:00Z")
    assert (await office.desk.approve(CORA, "2026.4", draft.body_hash)).approved_by == "cora"


async def test_whoever_changed_the_numbers_is_no_second_person_and_a_change_voids_the_approval(office: Office) -> None:
    draft = await office.approved()
    edited = await office.desk.edit(CORA, "2026.4", Numbers(merge={"margin_floor": 900}))
    assert (edited.state, edited.approved_by, edited.approved_hash) == ("draft", "", "")
    assert await refused(office.desk.activate(ANNA, "2026.4", SOON)) == "not_approved"
    assert await refused(office.desk.approve(CORA, "2026.4", edited.body_hash)) == "four_eyes"
    assert await refused(office.desk.approve(BERT, "2026.4", draft.body_hash)) == "stale_draft"
    stale = office.desk.edit(ANNA, "2026.4", LOWER, seen_hash=draft.body_hash)
    assert await refused(stale) == "stale_draft"
    assert (await office.desk.approve(BERT, "2026.4", edited.body_hash)).state == "approved"


@pytest.mark.parametrize(
    ("numbers", "where"),
    [
        (Numbers(values={"margin_floor": "800"}), "margin_floor"),
        (Numbers(values={"margin_floor": 10_001}), "margin_floor"),
        (Numbers(values={"of_the_future": 1}), "of_the_future"),
        (Numbers(values={"ladder[dun_first].letter": "postcard"}), "ladder[3].letter"),
        (Numbers(values={"ladder[remind_payment]": None}), "ladder[2].action"),
        (Numbers(values={"ladder[dun_first].after": 0}), "ladder[3].after"),
        (Numbers(values={"ladder[nobody].after": 0}), "ladder[nobody].after"),
        (Numbers(values={"a..b": 0}), "a..b"),
        (Numbers(merge={"discount_authority": {"friend": 100}}), "discount_authority.friend"),
        (Numbers(merge={"discount_authority": {"account_manager": -1}}), "discount_authority.account_manager"),
        (Numbers(merge={"deadlines": {"ordering": None}}), "deadlines.ordering"),
        (Numbers(merge={"reliability": {"limit_by_class": {"A": None}}}), "reliability.limit_by_class"),
        (Numbers(merge={"reliability": {"z_safe": 1_100}}), "reliability.z_safe"),
        (Numbers(merge={"credit_hold_from": "never"}), "credit_hold_from"),
        (Numbers(merge={"rules": 2}), "rules"),
        (Numbers(merge={"rules": 4}), "rules"),
        (Numbers(merge={"holidays": {"DE": "Christmas"}}), "holidays.DE"),
        (Numbers(merge={"version": "other"}), "version"),
        (Numbers(merge={"shortage": {"ladder": []}}), "shortage.ladder"),
        (Numbers(merge={"deadlines": 7}), "deadlines"),
        (Numbers(merge={"margin_floor": 2**60}), "[0].margin_floor"),
    ],
)
async def test_numbers_without_sense_are_refused_with_their_path(office: Office, numbers: Numbers, where: str) -> None:
    with pytest.raises(Invalid) as caught:
        await office.drafted(asked=numbers)
    assert where in caught.value.fields
    assert await refused(office.desk.draft_of(ANNA, "2026.4"), NoSuch)


async def test_a_version_is_used_once(office: Office) -> None:
    await office.drafted()
    assert await refused(office.drafted(asked=Numbers(merge={"margin_floor": 1}))) == "already_exists"
    assert await refused(office.drafted(DEFAULT.version)) == "already_exists"
    await office.desk.withdraw(ANNA, "2026.4", "a slip")
    assert await refused(office.drafted()) == "already_exists"
    assert await refused(office.desk.activate(ANNA, "2026.4")) == "not_approved"
    assert await refused(office.desk.edit(ANNA, "2026.4", LOWER)) == "not_open"
    for name in ("drafts", "", "a b", "x" * 41, "é"):
        await refused(office.drafted(name), Invalid)
    await refused(office.desk.draft(ANNA, "2027.1", "nothing", LOWER), Invalid)


async def test_a_draft_becomes_active_now_or_later_but_never_in_the_past(office: Office) -> None:
    await office.approved()
    await refused(office.desk.activate(ANNA, "2026.4", "2026-04-30T00:00:00Z"), Invalid)
    await refused(office.desk.activate(ANNA, "2026.4", "tomorrow"), Invalid)
    await refused(office.desk.activate(ANNA, "2026.4", "9999-12-31T00:00:00Z"), Invalid)
    assert (await office.desk.activate(ANNA, "2026.4")).active_from == NOW
    assert await refused(office.desk.activate(ANNA, "2026.4", SOON)) == "already_active"
    assert await refused(office.desk.withdraw(ANNA, "2026.4", "too late")) == "not_open"


async def test_two_versions_for_one_instant_would_leave_open_which_is_law(office: Office) -> None:
    await office.approved()
    await office.approved("2026.5", Numbers(merge={"margin_floor": 700}))
    await office.desk.activate(ANNA, "2026.4", SOON)
    assert await refused(office.desk.activate(ANNA, "2026.5", SOON)) == "instant_taken"
    assert (await office.desk.draft_of(ANNA, "2026.5")).state == "approved"
    earlier = await office.desk.activate(ANNA, "2026.5", "2026-05-15T00:00:00Z")
    assert earlier.state == "active"
    told = [(await office.books.policies.active(f"2026-{day}T00:00:00Z")).version for day in ("05-20", "06-02")]
    assert told == ["2026.5", "2026.4"]


async def test_two_approvals_and_two_activations_at_once_are_one(office: Office) -> None:
    draft = await office.drafted()
    both = [office.desk.approve(caller, "2026.4", draft.body_hash) for caller in (BERT, CORA)]
    told = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in told) == ["Conflict", "Draft"]
    instants = [f"2026-06-0{day}T00:00:00Z" for day in (1, 2, 3)]
    told = await asyncio.gather(*(office.desk.activate(ANNA, "2026.4", at) for at in instants), return_exceptions=True)
    assert sorted(type(each).__name__ for each in told) == ["Conflict", "Conflict", "Draft"]
    assert [what for what, _ in await office.leaves()] == ["drafted", "policy_approval", "policy_activation"]
    assert len(await office.books.policies.store.all()) == 2


async def test_two_drafts_that_race_for_an_instant_are_not_both_active(office: Office) -> None:
    names = [f"race-{number}" for number in range(4)]
    for number, name in enumerate(names):
        await office.approved(name, Numbers(merge={"margin_floor": number}))
    told = await asyncio.gather(*(office.desk.activate(ANNA, n, SOON) for n in names), return_exceptions=True)
    assert sum(isinstance(each, Draft) for each in told) == 1
    assert [each.code for each in told if isinstance(each, Conflict)] == ["instant_taken"] * 3
    assert (await office.books.audit.verify()).sound


async def test_comparing_names_every_path_that_differs(office: Office) -> None:
    numbers = Numbers(
        merge={"margin_floor": 900, "discount_authority": {"key_account_manager": None}},
        values={"ladder[dun_first].after": 8 * 86_400, "ladder[hand_to_legal]": None},
    )
    await office.drafted(asked=numbers)
    found = {c.path: (c.old, c.new) for c in await office.desk.compare(BERT, DEFAULT.version, "2026.4")}
    legal = codec.encode(DEFAULT.ladder[-1])
    assert found == {
        "version": (DEFAULT.version, "2026.4"),
        "margin_floor": (800, 900),
        "discount_authority.key_account_manager": (1_000, None),
        "ladder[dun_first].after": (7 * 86_400, 8 * 86_400),
        "ladder[hand_to_legal]": (legal, None),
    }
    assert await office.desk.compare(BERT, "2026.4", "2026.4") == []
    await refused(office.desk.compare(BERT, "2026.4", "none"), NoSuch)
    await refused(office.desk.compare(Caller("lo", ("logistics_manager",)), "2026.4", "2026.3"), WrongRole)


async def test_older_numbers_can_be_a_base_but_not_bring_older_rules_back(office: Office) -> None:
    older = PolicyVersion(SPINE.version, codec.encode(SPINE), "1999-01-01T00:00:00Z")
    await office.books.policies.store.add(older, NOW)
    with pytest.raises(Invalid) as caught:
        await office.desk.draft(ANNA, "2027.1", SPINE.version, LOWER)
    assert list(caught.value.fields) == ["rules"]
    names = itertools.count()
    pages = [await office.drafted(f"v{next(names)}") for _ in range(3)]
    page = await office.desk.page(BERT, "draft", limit=2)
    rest = await office.desk.page(BERT, "draft", page.next_cursor)
    assert [row["version"] for row in (*page.rows, *rest.rows)] == [draft.version for draft in pages]
