"""The versions of the policy, as deals ask for them."""

from dataclasses import replace

from infra.db import Database
from infra.gateways.policy_book import SqlPolicyBook
from infra.stores.policies import PolicyStore, PolicyVersion
from models import codec
from models.messages.control import PolicyInput, PolicyResult
from models.policy import DEFAULT, Policy

SINCE = "2026-01-01T00:00:00Z"


async def test_a_version_comes_with_the_holidays_of_the_deal_alone(database: Database) -> None:
    known = replace(DEFAULT, version="2027.1", holidays={"DE": "2027-01-01", "PL": "2027-01-06", "IT": "2027-04-25"})
    await PolicyStore(database).add(PolicyVersion("2027.1", codec.encode(known), SINCE), SINCE)
    book = SqlPolicyBook(database)
    told = await book.policy(PolicyInput("2027.1", ("DE", "PL")))
    assert (told.version, told.active_from) == ("2027.1", SINCE)
    assert codec.decode(Policy, told.body) == replace(known, holidays={"DE": "2027-01-01", "PL": "2027-01-06"})
    assert (await book.policy(PolicyInput("2027.1", ()))).body["holidays"] == {}
    assert await book.policy(PolicyInput("none", ("DE",))) == PolicyResult("none")
