"""Detection over our own history in the database: timelines, master data, rights, and deputies between them."""

import pytest

from infra.control.deputies import Appointment, DeputyStore
from infra.control.detecting import Asked, Detected, Detection
from infra.db import Database
from infra.gateways.credit_limits import CreditLimits
from infra.privacy.vault import Vault
from infra.stores.customers import CustomerStore
from infra.stores.master_log import OPERATOR, Author, DutiesCombined
from infra.stores.people import PeopleStore, Person
from infra.stores.policies import PolicyStore, PolicyVersion
from infra.stores.recorder import DatabaseRecorder
from models import codec
from models.deputies import Deputyship
from models.instants import DAY, plus
from models.messages.records import RecordInput
from models.policy import DEFAULT
from models.projection import CHILDREN, project
from tests.api.desks import another
from tests.models.deals import WEAK
from tests.models.world import START, World, delivered

CARD = {"id": "c-7", "name": "Seven", "group_id": "g-7", "currency": "EUR"}


async def record(database: Database, world: World) -> None:
    shown = project(world.deal, world.policy)
    await DatabaseRecorder(database).record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))


async def look(database: Database, **asked: object) -> Detected:
    return await Detection(database).history(Asked(**asked))  # type: ignore[arg-type]


def rules(found: Detected) -> list[str]:
    return [finding.rule for finding in found.findings]


def customers(database: Database, folder) -> CustomerStore:
    return CustomerStore(database, Vault(folder))


async def test_a_house_in_order_has_no_findings(database):
    await PolicyStore(database).add(PolicyVersion(DEFAULT.version, codec.encode(DEFAULT), START), START)
    await record(database, delivered(another("D-det-1")))
    found = await look(database)
    assert rules(found) == []
    assert found.cases == 1
    assert found.acts > 20


async def test_a_deputy_of_who_entered_the_order_who_let_the_goods_leave_before_deputies_were_known_is_found(database):
    """Their own names stand in the timeline; only the deputyship links them."""
    people = PeopleStore(database)
    await people.put_many([Person("u-sales_support", "S", ("sales_support",))], START)
    world = delivered(another("D-det-2"))
    asked = Appointment(Deputyship("u-sales_support", "u-logistics_manager", START, plus(START, 9 * DAY)), "", "adam")
    await DeputyStore(database).appoint(asked, START)
    await record(database, world)
    found = await look(database)
    assert rules(found) == ["order_entry_and_goods_release"]
    assert found.findings[0].link == "u-logistics_manager stood in for u-sales_support"


async def test_card_and_limit_are_found_across_the_log_and_deals_when_somebody_went_past_the_desk(database, tmp_path):
    store, book = customers(database, tmp_path), CreditLimits(database)
    machine = Author("ann", is_machine=True)  # the desk lets machines do both; the log names who it was
    await store.create(CARD, START, by=machine)
    await book.fix_limit("g-7", "EUR", 5, machine, "fix-1", plus(START, 20 * DAY))
    await store.change("c-7", {"blocked": True}, plus(START, 21 * DAY), by=Author("bob"))
    await book.fix_limit("g-7", "EUR", 9, Author("bob"), "fix-2", plus(START, 22 * DAY))
    found = await look(database)
    assert [(each.rule, each.people, each.about) for each in found.findings] == [
        ("customer_master_and_credit_limit", ("ann",), "customer:g-7")
    ]
    assert rules(await look(database, customer="g-7")) == ["customer_master_and_credit_limit"]
    assert rules(await look(database, customer="c-8")) == []


async def test_the_operators_imports_bind_nobody(database, tmp_path):
    store, book = customers(database, tmp_path), CreditLimits(database)
    await store.put_many([CARD, {**CARD, "id": "c-8"}], START)
    await book.fix_limit("g-7", "EUR", 5, OPERATOR, "fix-1", START)
    assert rules(await look(database)) == []


async def test_the_other_half_is_refused_in_the_transaction_that_would_write_it(database, tmp_path):
    store, book = customers(database, tmp_path), CreditLimits(database)
    await store.create(CARD, START, by=Author("ann"))
    with pytest.raises(DutiesCombined, match="ann did customer"):
        await book.fix_limit("g-7", "EUR", 5, Author("ann"), "fix-1", START)
    with pytest.raises(DutiesCombined):
        await book.fix_limit("g-7", "EUR", 5, Author("bob", stands_in_for=("ann",)), "fix-2", START)
    with pytest.raises(DutiesCombined):
        await book.fix_limit("g-7", "EUR", 5, Author("bob", on_behalf_of="ann"), "fix-3", START)
    assert await book.limits() == []
    await book.fix_limit("g-7", "EUR", 5, Author("bob"), "fix-1", START)
    with pytest.raises(DutiesCombined, match="bob did credit_limit"):
        await store.change("c-7", {"name": "New"}, START, by=Author("bob"))
    card = await store.get("c-7")
    assert card
    assert card["name"] == "Seven"


async def test_who_decided_on_a_deals_credit_does_not_change_the_card_of_that_customer(database, tmp_path):
    store = customers(database, tmp_path)
    await store.create({**CARD, "group_id": "g-1"}, START)
    world = another("D-det-3", reliability=WEAK)
    world.do("account_manager", "log_contact", channel="call", outcome="fine")
    world.do("account_manager", "record_needs", what="pumps", quantity=1, budget_minor=1)
    world.do("account_manager", "qualify")
    world.do("account_manager", "request_check")
    world.do("risk_officer", "approve_reliability", credit_limit_minor=0, payment_days=0, reason="prepaid")
    await record(database, world)
    with pytest.raises(DutiesCombined, match="approve_reliability in D-det-3"):
        await store.change("c-7", {"name": "New"}, world.now, by=Author("u-risk_officer"))
    await store.change("c-7", {"blocked": True}, world.now, by=Author("u-risk_officer"))


async def test_rights_that_somebody_gave_to_themselves_are_found(database):
    people = PeopleStore(database)
    await people.create(Person("adam", "A", ("admin",)), START, "operator")
    await people.change(Person("adam", "A", ("admin", "head_of_sales")), START, "adam")
    await people.change(Person("adam", "A", ("admin",)), START, "adam")
    (finding,) = (await look(database)).findings
    assert (finding.rule, finding.people) == ("rights_to_oneself", ("adam",))
    assert "head_of_sales" in finding.why


async def test_a_split_over_two_deals_of_a_customer_is_found(database):
    await PolicyStore(database).add(PolicyVersion(DEFAULT.version, codec.encode(DEFAULT), START), START)
    limit = DEFAULT.write_off_authority["head_of_sales"]
    for number in (4, 5):
        world = delivered(another(f"D-det-{number}"), [{"article": "A-1", "quantity": 6}])
        assert limit // 2 < world.deal.open_minor < limit
        invoice = world.deal.receivables[0].number
        world.do("accounts_receivable", "request_write_off", invoice=invoice, reason="gone")
        world.do("head_of_sales", "approve_write_off", reason="gone")
        await record(database, world)
    (finding,) = (await look(database)).findings
    assert (finding.rule, finding.people, finding.about) == ("split_write_off", ("u-head_of_sales",), "customer:g-1")
    assert len(finding.acts) == 2


async def test_a_period_that_is_none_is_refused_before_anything_is_read(database):
    with pytest.raises(ValueError, match=r"Invalid isoformat|must look like"):
        await look(database, first="soon")
