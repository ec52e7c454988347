"""Users and API keys: what is kept, what is shown, who is let in."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from infra.desk.audit_reading import AuditReading
from infra.stores.audit import AuditStore
from infra.stores.people import NoSuchPerson, PeopleStore, Person
from infra.stores.upserts import AlreadyStands
from tests.infra.deal_samples import START

ANNA = Person("anna", "Anna Rossi", ("account_manager", "key_account_manager"), "north")


def keyed(person: Person, key: str) -> Person:
    """The person as whoever shows the key is known."""
    return replace(person, key_prefix=key.rpartition("_")[0])


async def test_a_key_lets_its_owner_in_and_is_not_kept(database):
    people = PeopleStore(database)
    key = await people.create(ANNA, START)
    assert await people.authenticate(key) == keyed(ANNA, key) == await people.get("anna")
    async with database.read() as connection:
        stored = str((await connection.execute(text("SELECT * FROM users"))).all())
        attested = str((await connection.execute(text("SELECT * FROM audit_leaves"))).all())
    assert key not in stored + attested
    assert key.rpartition("_")[0] in stored
    assert "Rossi" not in attested
    (row,) = (await people.page()).rows
    assert "api_key_hash" not in row


@pytest.mark.parametrize("change", ["last", "prefix", "empty", "odd", "long"])
async def test_a_wrong_key_lets_nobody_in(database, change):
    people = PeopleStore(database)
    key = await people.create(ANNA, START)
    await people.put_many([Person("boris", "Boris", ("legal",))], START)
    wrong = {
        "last": key[:-1] + ("0" if key[-1] != "0" else "1"),
        "prefix": "dw__" + key,
        "empty": "",
        "odd": "dw_\x00\ud800_x",
        "long": "dw_" + "a" * 5_000 + "_b",
    }
    assert await people.authenticate(wrong[change]) is None


async def test_a_new_key_ends_the_old_one_and_a_dismissed_person_stays_out(database):
    people = PeopleStore(database)
    old = await people.create(ANNA, START)
    new = await people.issue_key("anna", START)
    assert await people.authenticate(old) is None
    assert await people.authenticate(new) == keyed(ANNA, new)
    await people.change(Person("anna", "Anna Rossi", (), "", active=False), START)
    assert await people.authenticate(new) is None
    assert (await AuditStore(database).verify()).leaves == 3


async def test_unknown_people(database):
    people = PeopleStore(database)
    assert await people.get("nobody") is None
    with pytest.raises(NoSuchPerson):
        await people.issue_key("nobody", START)
    with pytest.raises(NoSuchPerson):
        await people.change(Person("nobody", "N", ()), START)


async def test_an_id_is_given_once(database):
    people = PeopleStore(database)
    key = await people.create(ANNA, START)
    with pytest.raises(AlreadyStands):
        await people.create(Person("anna", "Other", ("auditor",)), START)
    assert await people.put_many([ANNA, Person("boris", "Boris", ("legal",), "south")], START) == 1
    assert await people.authenticate(key) == keyed(ANNA, key)
    assert [row["id"] for row in (await people.page(department="south")).rows] == ["boris"]


@pytest.mark.parametrize("roles", [("system",), ("king",), ("account_manager", "king")])
def test_roles_are_those_of_the_domain(roles):
    with pytest.raises(ValueError, match="no role that a person can hold"):
        Person("x", "X", roles)


def test_held_roles_are_the_domains():
    assert ANNA.held_roles == {"account_manager", "key_account_manager"}


async def test_each_user_of_an_import_and_who_gave_the_rights_stand_in_the_audit_log(database):
    people = PeopleStore(database)
    await people.create(ANNA, START, "adam")
    assert await people.put_many([ANNA, Person("boris", "Boris", ("legal",), "south")], START) == 1
    await people.change(Person("boris", "Boris", ("legal", "auditor"), "south"), START, "adam")
    leaves = (await AuditReading(database).leaves("user")).rows
    told = [(leaf["ref"], leaf["body"]["roles"], leaf["body"]["by"]) for leaf in leaves]
    assert told == [
        ("anna", list(ANNA.roles), "adam"),
        ("boris", ["legal"], "operator"),
        ("boris", ["legal", "auditor"], "adam"),
    ]
    assert "Boris" not in str(leaves)
