"""Deputies at the desk: who may appoint one and end it, and the caller who acts on behalf of somebody absent."""

from dataclasses import dataclass, replace

from infra.control.deputies import Appointment, DeputyStore, NotPossible
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import DeskError, Invalid, NoSuch, WrongRole
from infra.stores.pages import Page, Row
from infra.stores.people import PeopleStore, Person
from models.deputies import PERSONAL, Deputyship, passing
from models.lifecycle.roles import PERSONS, Role

_ACTING = PERSONS - {Role.AUDITOR, Role.AUTOMATION}
_READERS = frozenset({Role.AUDITOR, Role.ADMIN, Role.COMMERCIAL_DIRECTOR})


@dataclass(frozen=True, slots=True)
class NewDeputy:
    """What a caller asks for. Empty: the caller is the absent person, and it begins now."""

    deputy: str
    until_at: str
    absent: str = ""
    from_at: str = ""
    reason: str = ""


class Deputies:
    """Appoints deputies and lets them act."""

    def __init__(self, store: DeputyStore, people: PeopleStore, clock: Clock) -> None:
        self.store, self._people, self._clock = store, people, clock

    async def appoint(self, caller: Caller, asked: NewDeputy) -> Row:
        """Appoint a deputy. Raises WrongRole, or Invalid with the fields that are wrong."""
        absent, deputy = await self._people.get(asked.absent or caller.user), await self._people.get(asked.deputy)
        await self._may(caller, absent)
        if wrong := _unfit(caller, absent, deputy):
            raise Invalid(wrong)
        assert absent is not None
        now = self._clock()
        ship = Deputyship(absent.id, asked.deputy, asked.from_at or now, asked.until_at)
        try:
            return await self.store.appoint(Appointment(ship, asked.reason, caller.user), now)
        except NotPossible as problem:
            raise Invalid(problem.fields) from None

    async def end(self, caller: Caller, number: int) -> Row:
        """End a deputyship now; ended twice it stays as it was. Raises NoSuch or WrongRole."""
        there = await self.store.get(number)
        if there is None or not self._sees(caller, there):
            raise NoSuch("deputyship", str(number))
        if caller.user != there["deputy"] or caller.on_behalf_of:
            await self._may(caller, await self._people.get(there["absent"]))
        ended = await self.store.end(number, caller.user, self._clock())
        assert ended is not None
        return ended

    async def page(self, caller: Caller, user: str, active: bool, cursor: str, limit: int) -> Page:
        """Deputyships: all for who reads them all, one's own for everybody else. Raises WrongRole or BadCursor."""
        if not caller.has(*_READERS):
            if user not in ("", caller.user):
                raise WrongRole("reading other people's deputies", tuple(sorted(map(str, _READERS))))
            user = caller.user
        return await self.store.page(user, self._clock() if active else "", cursor, limit)

    async def acting_for(self, caller: Caller, absent: str) -> Caller:
        """The caller with the rights of somebody absent. Raises a DeskError outside of the deputyship's window."""
        if caller.held & PERSONAL:
            raise _no_deputy(f"{caller.user} holds {_words(caller.roles)}: who does, stands in for nobody")
        if absent not in await self.store.standing_in(caller.user, self._clock()):
            raise _no_deputy(f"{caller.user} is not the deputy of {absent[:80]} now")
        person = await self._people.get(absent)
        if person is None or not person.active or not passing(person.roles):
            raise _no_deputy(f"{absent[:80]} has no rights that pass to a deputy")
        return replace(caller, roles=passing(person.roles), department=person.department, on_behalf_of=absent)

    def _sees(self, caller: Caller, row: Row) -> bool:
        own = caller.user in (row["absent"], row["deputy"], row["appointed_by"])
        return own or caller.has(*_READERS, Role.HEAD_OF_SALES)

    async def _may(self, caller: Caller, absent: Person | None) -> None:
        """The absent person, their head or an admin; nobody who acts for somebody else. Raises WrongRole or NoSuch."""
        if caller.on_behalf_of or not caller.held & _ACTING:
            raise WrongRole("appointing deputies in one's own name", tuple(sorted(map(str, _ACTING))))
        above = caller.has(Role.ADMIN, Role.COMMERCIAL_DIRECTOR)
        if above or (absent is not None and absent.id == caller.user):
            return
        department = absent.department if absent is not None else ""
        if not (caller.has(Role.HEAD_OF_SALES) and department and caller.department == department):
            raise WrongRole("appointing a deputy for somebody else", ("admin", "commercial_director", "head_of_sales"))


def _unfit(caller: Caller, absent: Person | None, deputy: Person | None) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if absent is None or not absent.active or not passing(absent.roles):
        wrong["absent"] = "not an active user whose rights pass to a deputy"
    if deputy is None or not deputy.active:
        wrong["deputy"] = "not an active user"
    elif deputy.held_roles & PERSONAL:
        wrong["deputy"] = f"holds {_words(deputy.roles)}: who does, stands in for nobody"
    elif deputy.id == caller.user:
        wrong["deputy"] = "nobody makes themselves somebody's deputy"
    return wrong


def _words(roles: tuple[str, ...]) -> str:
    return ", ".join(role for role in roles if Role(role) in PERSONAL)


def _no_deputy(why: str) -> DeskError:
    return DeskError("not_a_deputy", why)
