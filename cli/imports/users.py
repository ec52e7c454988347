"""Users from CSV: people and machine clients with their roles; keys are issued one by one, never by a file."""

from __future__ import annotations

from pathlib import Path

from cli.imports.cells import BadCell, Cells
from cli.imports.report import Report
from cli.imports.sheets import read_sheet
from infra.db import Database
from infra.stores.people import PeopleStore, Person
from models.lifecycle.roles import PERSONS

REQUIRED = ("id", "name", "roles")
ROLES = tuple(sorted(map(str, PERSONS)))


async def import_users(database: Database, path: Path, at: str) -> Report:
    """Add users that are not known yet; known ones are left as they are, as their rights are an admin's to change."""
    report = Report(str(path))
    people: dict[str, Person] = {}
    lines: dict[str, int] = {}
    for row in read_sheet(path, REQUIRED, report).rows:
        cells = Cells(row)
        try:
            person = _person(cells)
            if person.id in people:
                raise BadCell(f"the id stands on line {lines[person.id]} already")
        except BadCell as bad:
            report.refuse(row.line, row.cells["id"], str(bad))
            continue
        people[person.id], lines[person.id] = person, row.line
        report.repair(row.line, person.id, cells.repairs)
    store = PeopleStore(database)
    added = await store.put_many(list(people.values()), at)
    report.unchanged = len(people) - added
    for person in people.values() if report.unchanged else ():
        if (stands := await store.get(person.id)) is not None and stands != person:
            report.remark(lines[person.id], person.id, "stands already with other rights, which were left as they are")
    return report


async def all_people(store: PeopleStore) -> dict[str, Person]:
    """Every user, by id."""
    found: dict[str, Person] = {}
    cursor = ""
    while True:
        page = await store.page(cursor=cursor, limit=200)
        for row in page.rows:
            found[row["id"]] = Person(row["id"], row["name"], tuple(row["roles"]), row["department"], row["active"])
        if not (cursor := page.next_cursor):
            return found


def _person(cells: Cells) -> Person:
    written = cells.needed("roles").replace(";", " ").replace(",", " ").split()
    if unknown := [role for role in written if role not in ROLES]:
        raise BadCell(f"roles {', '.join(unknown)[:80]} are none of: {', '.join(ROLES)}")
    return Person(
        cells.identifier("id"),
        cells.needed("name"),
        tuple(dict.fromkeys(written)),
        cells.text("department", 40),
        cells.yes("active") if cells.text("active") else True,
    )
