"""Users and their API keys, kept by admins; and who you are."""

from fastapi import APIRouter, Response

from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.masters import NewUser, User, UserChange, Users, UserWithKey
from api.wire.office import Me as MyCard
from api.wire.shared import Cursor, Key, Limit, OptionalCode, Plain
from infra.desk.errors import Conflict, Invalid, NoSuch
from infra.desk.service import DealDesk
from infra.stores.people import Person
from infra.stores.upserts import AlreadyStands
from models.lifecycle.roles import Role

router = APIRouter(prefix="/v1", tags=["users"], route_class=GuardedRoute)

ADMINS = frozenset({Role.ADMIN})
READERS = ADMINS | {Role.AUDITOR}


@router.get("/me", response_model=MyCard)
async def read_me(me: Me) -> Plain:
    """Who you are, and how far you see."""
    whose = {"on_behalf_of": me.on_behalf_of, "sees": me.scope.kind}
    return {"user": me.user, "roles": list(me.roles), "department": me.department, **whose}


@router.get("/users", response_model=Users)
async def list_users(
    desk: Desk, me: Me, department: OptionalCode = "", cursor: Cursor = "", limit: Limit = 50
) -> Plain:
    """Users, by id."""
    allow(me, "reading users", READERS)
    page = await desk.books.people.page(department, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("/users", status_code=201, response_model=UserWithKey)
async def add_user(asked: NewUser, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Add a user; the API key is shown this once."""
    allow(me, "adding users", ADMINS)
    person = Person(asked.id, asked.name, tuple(dict.fromkeys(asked.roles)), asked.department)

    async def work() -> Plain:
        try:
            api_key = await desk.books.people.create(person, desk.clock(), me.user)
        except AlreadyStands:
            raise Conflict("already_exists", "there is a user with this id already") from None
        return _card(person) | {"api_key": api_key, "api_key_prefix": _prefix(api_key)}

    return await once(desk, me, "users", key, asked.model_dump(), response, work, secret=("api_key",))


@router.get("/users/{user_id}", response_model=User)
async def read_user(user_id: str, desk: Desk, me: Me) -> Plain:
    """One user."""
    allow(me, "reading users", READERS)
    return _card(await _person(desk, user_id))


@router.patch("/users/{user_id}", response_model=User)
async def change_user(user_id: str, asked: UserChange, desk: Desk, me: Me) -> Plain:
    """Change name, roles or department of a user, or whether the key is of use."""
    allow(me, "changing users", ADMINS)
    person = await _person(desk, user_id)
    changes = asked.model_dump(exclude_unset=True)
    if wrong := {name: "can't be emptied" for name, value in changes.items() if value is None}:
        raise Invalid(wrong)
    if user_id == me.user and (changes.get("active") is False or "admin" not in changes.get("roles", ["admin"])):
        raise Conflict("locks_out", "nobody takes the admin's rights from themselves: ask another admin")
    if user_id == me.user and set(changes.get("roles", ())) - set(person.roles):
        raise Conflict("grants_oneself", "nobody gives rights to themselves: ask another admin")
    changed = Person(
        user_id,
        changes.get("name", person.name),
        tuple(dict.fromkeys(changes.get("roles", person.roles))),
        changes.get("department", person.department),
        changes.get("active", person.active),
    )
    await desk.books.people.change(changed, desk.clock(), me.user)
    return _card(changed)


@router.post("/users/{user_id}/keys", status_code=201, response_model=UserWithKey)
async def issue_key(user_id: str, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Give a user a new API key, shown this once; the old one ends."""
    allow(me, "issuing keys", ADMINS)
    person = await _person(desk, user_id)

    async def work() -> Plain:
        api_key = await desk.books.people.issue_key(user_id, desk.clock(), me.user)
        return _card(person) | {"api_key": api_key, "api_key_prefix": _prefix(api_key)}

    return await once(desk, me, "api-keys", key, {"user": user_id}, response, work, secret=("api_key",))


async def _person(desk: DealDesk, user_id: str) -> Person:
    person = await desk.books.people.get(user_id)
    if person is None:
        raise NoSuch("user", user_id)
    return person


def _card(person: Person) -> Plain:
    return {
        "id": person.id,
        "name": person.name,
        "roles": list(person.roles),
        "department": person.department,
        "active": person.active,
    }


def _prefix(api_key: str) -> str:
    return api_key.rpartition("_")[0]
