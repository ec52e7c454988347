"""Several leaves about one thing, each with its own body, are no tampering."""

from infra.stores.audit import AuditStore
from infra.stores.people import PeopleStore, Person

AT = "2026-03-01T08:00:00Z"


async def test_a_user_who_was_changed_twice_in_a_row_is_sound(database):
    people = PeopleStore(database)
    person = Person("u-1", "Anna", ("legal",), "north")
    await people.create(person, AT)
    for roles in (("auditor",), ("legal", "auditor")):
        await people.change(Person("u-1", "Anna", roles, "north"), AT)
    report = await AuditStore(database).verify()
    assert (report.leaves, report.problems) == (3, [])
