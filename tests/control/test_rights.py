"""Who had which rights on a day of the past: from the log, for users from before it, and as a deputy."""

from sqlalchemy import delete, insert

from infra.control.deputies import Appointment, DeputyStore
from infra.control.rights import FIRST_RELEASE, LOGGED, NOT_LOGGED, acting_roles, rights_at, rights_history
from infra.control.rights_report import powers_on
from infra.db import Database
from infra.stores.people import PeopleStore, Person
from models.deputies import Deputyship
from models.tables.masters import UserRow
from models.tables.records import AuditLeafRow

JANUARY, MARCH, MAY = "2026-01-10T08:00:00Z", "2026-03-10T08:00:00Z", "2026-05-10T08:00:00Z"
ANN = Person("ann", "Ann", ("account_manager",), "north")


async def appointed(database: Database, absent: str, deputy: str, since: str, until: str) -> int:
    asked = Appointment(Deputyship(absent, deputy, since, until), "", "adam")
    return int((await DeputyStore(database).appoint(asked, since))["id"])


async def test_rights_are_those_of_the_day_and_not_of_today(database):
    people = PeopleStore(database)
    await people.create(ANN, JANUARY)
    await people.change(Person("ann", "Ann", ("head_of_sales",), "south"), MARCH)
    await people.change(Person("ann", "Ann", ("head_of_sales",), "south", active=False), MAY)
    assert await rights_at(database, "2026-01-10T07:59:59Z") == {}
    told = [(await rights_at(database, at))["ann"] for at in (JANUARY, "2026-03-10T07:59:59Z", MARCH, MAY)]
    assert [(rights.roles, rights.department, rights.active, rights.since) for rights in told] == [
        (("account_manager",), "north", True, JANUARY),
        (("account_manager",), "north", True, JANUARY),
        (("head_of_sales",), "south", True, MARCH),
        (("head_of_sales",), "south", False, MAY),
    ]
    assert {rights.origin for rights in told} == {LOGGED}
    assert all(rights.keyed for rights in told)


async def test_users_from_before_the_log_are_told_with_what_is_known_of_them(database):
    people = PeopleStore(database)
    await people.put_many([ANN, Person("bob", "Bob", ("legal",))], JANUARY)
    async with database.begin() as connection:  # as the first release left it
        await connection.execute(delete(AuditLeafRow))
    await people.change(Person("bob", "Bob", ("legal", "auditor")), MARCH)
    rights = await rights_at(database, JANUARY)
    assert (rights["ann"].roles, rights["ann"].origin, rights["ann"].keyed) == (ANN.roles, FIRST_RELEASE, False)
    assert (rights["bob"].roles, rights["bob"].origin) == (("legal", "auditor"), NOT_LOGGED)
    assert (await rights_at(database, MARCH))["bob"].origin == LOGGED


async def test_deputies_count_in_their_window_only_and_pass_no_personal_roles(database):
    people = PeopleStore(database)
    await people.put_many([ANN, Person("bob", "Bob", ("legal",)), Person("eve", "Eve", ("admin", "legal"))], JANUARY)
    number = await appointed(database, "ann", "bob", MARCH, "2026-04-01T00:00:00Z")
    before, within, after = [
        (await rights_at(database, at))["bob"].stands_in_for
        for at in ("2026-03-10T07:59:59Z", "2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z")
    ]
    assert (before, within, after) == ((), ("ann",), ())
    await DeputyStore(database).end(number, "ann", "2026-03-20T12:00:00Z")
    assert (await rights_at(database, "2026-03-20T11:59:59Z"))["bob"].stands_in_for == ("ann",)
    rights = await rights_at(database, "2026-03-20T12:00:00Z")
    assert rights["bob"].stands_in_for == ()
    assert acting_roles(rights, "ann") == ("account_manager",)
    assert acting_roles(rights, "eve") == ("legal",)
    assert acting_roles(rights, "nobody") == ()


async def test_a_right_that_was_given_and_taken_within_a_day_is_told(database):
    people = PeopleStore(database)
    await people.put_many([ANN], JANUARY)
    more = Person("ann", "Ann", ("account_manager", "logistics_manager", "sales_support"), "north")
    await people.change(more, "2026-03-10T10:00:00Z")
    await people.change(ANN, "2026-03-10T15:00:00Z")
    history = await rights_history(database)
    told = powers_on(history, "2026-03-10", "ann")
    assert [(each.from_at[11:16], each.until_at[:16], "ship" in each.acts) for each in told] == [
        ("00:00", "2026-03-10T10:00", False),
        ("10:00", "2026-03-10T15:00", True),
        ("15:00", "2026-03-11T00:00", False),
    ]
    assert "order_entry_and_goods_release" in {each.rule for each in told[1].toxic}
    assert [each.from_at[11:16] for each in powers_on(history, "2026-03-10", act="ship")] == ["10:00"]
    assert len(powers_on(history, "2026-03-11")) == 1


async def test_what_a_deputy_could_do_is_told_and_what_both_rights_combine(database):
    people = PeopleStore(database)
    await people.put_many([Person("sue", "S", ("sales_support",)), Person("lee", "L", ("logistics_manager",))], JANUARY)
    await appointed(database, "sue", "lee", MARCH, "2026-04-01T00:00:00Z")
    *_, lee = powers_on(await rights_history(database), "2026-03-11", "lee")
    (instead,) = lee.instead
    assert (instead.absent, instead.roles) == ("sue", ("sales_support",))
    assert "enter_order" in instead.acts
    assert "enter_order" not in lee.acts
    assert "order_entry_and_goods_release" in {each.rule for each in lee.toxic}
    await people.change(Person("lee", "L", ("logistics_manager",), active=False), "2026-03-12T00:00:00Z")
    (gone,) = powers_on(await rights_history(database), "2026-03-13", "lee")
    assert (gone.acts, gone.instead, gone.toxic) == ((), (), ())


async def test_users_in_the_table_alone_are_there_from_the_day_they_were_made(database):
    row = {"id": "old", "name": "O", "roles": ["legal"], "created_at": MARCH}
    async with database.begin() as connection:
        await connection.execute(insert(UserRow), [row])
    assert await rights_at(database, JANUARY) == {}
    assert (await rights_at(database, MARCH))["old"].roles == ("legal",)
