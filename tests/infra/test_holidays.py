"""Public holidays: what a list holds, which countries there are, and which of them travel with a deal."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.db import Database
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.opening import NewDeal, Opening
from infra.desk.recording import RefusalBook
from infra.gateways.stock_intake import StockIntake
from infra.holidays import COUNTRIES, calendars, listed
from infra.settings import SettingsError, load_settings
from infra.stores.people import Person
from infra.stores.policies import PolicyVersion
from models import codec
from models.messages.deals import ActResult, StartInput
from models.policy import DEFAULT, Policy
from models.timeline import digest
from tests.cli.command import ROOT, environment
from tests.journeys import BEGINNING, furnish

MANAGER = Caller("u-account_manager", ("account_manager",), "north")


def test_a_list_is_sorted_days() -> None:
    days = listed("DE", 2026, 2).split()
    assert days == sorted(set(days))
    assert {date.fromisoformat(day).year for day in days} == {2026, 2027}
    assert {"2026-01-01", "2026-10-03", "2027-12-26"} <= set(days)
    assert "2026-01-06" not in days  # only some of the states rest
    assert listed("DE", 2026, 0) == ""


@pytest.mark.parametrize("country", ["XX", "", "de", "EUR", "../x"])
def test_countries_that_nobody_knows(country: str) -> None:
    with pytest.raises(ValueError, match="no public holidays"):
        listed(country, 2026, 1)


def test_every_country_of_the_default_has_holidays() -> None:
    countries = COUNTRIES.split(",")
    assert countries == sorted(countries)
    found = calendars(countries, 2026, 6)
    assert list(found) == countries
    assert all(len(days.split()) >= 6 * 4 for days in found.values())
    assert len(codec.encode(found)) == len(countries)


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", *(name for name in environment() if name.startswith("DEALWRIGHT_"))):
        monkeypatch.delenv(name, raising=False)
    assert load_settings().countries == COUNTRIES
    monkeypatch.setenv("DEALWRIGHT_COUNTRIES", " de, fr,,DE ")
    assert load_settings().countries == "DE,FR"
    for wrong in ("Germany", "DE;FR", "D1", "XX"):
        monkeypatch.setenv("DEALWRIGHT_COUNTRIES", wrong)
        with pytest.raises(SettingsError, match="DEALWRIGHT_COUNTRIES"):
            load_settings()


def test_the_package_is_loaded_when_it_is_needed() -> None:
    script = "import sys, infra.desk.service, infra.settings as s; s.load_settings(); print('holidays' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment(), check=True
    )
    assert told.stdout.strip() == "False"


async def test_a_fresh_installation_begins_with_holidays(database: Database, tmp_path: Path) -> None:
    books = Books(database, load_settings(data_dir=tmp_path, countries="DE,FR"))
    policy = await books.policies.active("2027-05-01T00:00:00Z")
    assert replace(policy, holidays={}) == DEFAULT
    assert policy.holidays == calendars(("DE", "FR"), 2027, 6)
    # another process, another year, other countries: what stands stands
    others = Books(database, load_settings(data_dir=tmp_path, countries="IT"))
    assert await others.policies.active("2028-01-01T00:00:00Z") == policy
    assert await others.policies._begin("2028-01-01T00:00:00Z") == DEFAULT.version
    assert await Books(database, books.settings).policies.of(DEFAULT.version) == policy


class DeafEngine:
    """Takes down what would start a deal."""

    def __init__(self) -> None:
        self.starts: list[StartInput] = []

    async def open(self, start: StartInput, is_test: bool) -> ActResult:
        self.starts.append(start)
        raise ConnectionError


@pytest.mark.parametrize(
    ("branch", "theirs", "of_deal", "travel"),
    [
        ("berlin", "FR", "DE", ["DE", "FR"]),
        ("berlin", "DE", "DE", ["DE"]),
        ("", "FR", "FR", ["FR"]),
        ("central", "FR", "FR", ["FR"]),
        ("berlin", "", "DE", ["DE"]),
        ("berlin", "JP", "DE", ["DE"]),
        ("", "", "", []),
    ],
)
async def test_only_holidays_that_can_count_travel(
    database: Database, tmp_path: Path, branch: str, theirs: str, of_deal: str, travel: list[str]
) -> None:
    await furnish(database)
    await StockIntake(database).add_warehouse("berlin", "Berlin", "branch", "DE")
    books = Books(database, load_settings(data_dir=tmp_path, countries="DE,FR,IT"))
    await books.people.create(Person(MANAGER.user, "The manager", MANAGER.roles, "north"), BEGINNING)
    await books.customers.change("c-1", {"country": theirs}, BEGINNING)
    engine: Any = DeafEngine()
    opening = Opening(books, engine, RefusalBook(books, lambda: BEGINNING), lambda: BEGINNING)
    with pytest.raises(ConnectionError):
        await opening.open(MANAGER, NewDeal("A deal", "c-1", branch=branch), "k")
    (start,) = engine.starts
    sent, stored = codec.decode(Policy, start.policy), await books.policies.of(DEFAULT.version)
    assert start.country == of_deal
    assert sorted(sent.holidays) == travel
    assert sent.holidays == {country: stored.holidays[country] for country in travel}
    assert replace(sent, holidays={}) == replace(stored, holidays={})
    assert sorted(stored.holidays) == ["DE", "FR", "IT"]
    standing = await books.policies.store.get(DEFAULT.version)
    assert isinstance(standing, PolicyVersion)
    assert digest(standing.body) == digest(codec.encode(stored))
