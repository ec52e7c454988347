"""Opportunities from files, hostile ones too: every row is imported, repaired or refused for the true reason."""

from pathlib import Path

import pytest

from cli.exits import CommandFailed, ExitCode
from cli.imports.maven import read_folder
from cli.imports.opportunities import Dataset, Known, Outcome, read_opportunities
from cli.imports.report import Report
from infra.stores.people import Person
from models.lifecycle.roles import Role

ACCOUNTS = ("account,sector,year_established,revenue,employees,office_location,subsidiary_of",)
HEADER = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
GOOD = "A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,4821"


def folder(tmp_path: Path, *pipeline: str, **other: tuple[str, ...]) -> Path:
    files = {
        "accounts": (*ACCOUNTS, "Acme,technolgy,1996,1,2,Philipines,", "Acme Sub,retail,2010,1,2,Germany,Acme"),
        "products": ("product,series,sales_price", "GTX Pro,GTX,4821", "MG Special,MG,55"),
        "sales_teams": ("sales_agent,manager,regional_office", "Anna Bell,Max Head,Central", "Bo Cox,Max Head,Central"),
        "sales_pipeline": pipeline or (HEADER, GOOD),
        **other,
    }
    for name, lines in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def pipeline_of(dataset: Dataset) -> Report:
    report = dataset.reports[-1]
    assert report.rows == report.imported + report.repaired + report.refused
    assert len(dataset.opportunities) == report.imported + report.repaired
    return report


def test_a_clean_row(tmp_path: Path) -> None:
    dataset = read_folder(folder(tmp_path))
    assert pipeline_of(dataset).imported == 1
    (row,) = dataset.opportunities
    assert (row.ref, row.owner, row.customer, row.outcome, row.days) == ("A1", "anna-bell", "acme", Outcome.WON, 30)
    assert (row.items[0].article, row.items[0].unit_price_minor) == ("gtx-pro", 482_100)
    assert dataset.stock == {"gtx-pro": 1}
    assert dataset.manager_of == {"anna-bell": "max-head", "bo-cox": "max-head"}
    assert {person.id: person.roles for person in dataset.people}["max-head"] == (str(Role.HEAD_OF_SALES),)
    cards = {card["id"]: card for card in dataset.customers}
    assert (cards["acme"]["segment"], cards["acme"]["country"], cards["acme-sub"]["group_id"]) == (
        "technology",
        "PH",
        "acme",
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A1,Anna Bell,GTXPro,Acme,Won,01-01-17,31-01-17,4821", "read as 'GTX Pro'"),
        ("A1,anna  bell,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "read as 'Anna Bell'"),
        ("A1,Anna Bell,GTX Pro,ACME,Won,01-01-17,31-01-17,4821", "read as 'Acme'"),
        ("A1,Anna Bell,GTX Pro,Acme,won,01-01-17,31-01-17,4821", "read as Won"),
        ('A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,"$4,821"', "read as 4821"),
        ("A1,Anna Bell,GTX Pro,,Won,01-01-17,31-01-17,4821", "account is missing"),
        ("A1,Anna Bell,GTX Pro,Newcomer,Won,01-01-17,31-01-17,4821", "not in accounts.csv"),
        ("A1,Zoe Zed,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "in no sales team"),
        ("A1,Anna Bell,GTX Pro,Acme,Lost,01-01-17,31-01-17,99", "left out"),
        ("A1,Anna Bell,GTX Pro,Acme,Engaging,01-01-17,31-01-17,", "left out"),
    ],
)
def test_what_can_be_repaired_is(tmp_path: Path, row: str, reason: str) -> None:
    report = pipeline_of(read_folder(folder(tmp_path, HEADER, row)))
    assert (report.repaired, report.refused) == (1, 0)
    assert reason in report.findings[0].reason
    assert report.findings[0].line == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "opportunity_id is missing"),
        ("A 1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "letters, digits"),
        ("A1,,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "sales_agent is missing"),
        ("A1,日本,GTX Pro,Acme,Won,01-01-17,31-01-17,4821", "sales_agent '日本' has no letters"),
        ("A1,Anna Bell,GTX Pro,日本,Won,01-01-17,31-01-17,4821", "account '日本' has no letters"),
        ("A1,Anna Bell,,Acme,Won,01-01-17,31-01-17,4821", "product is missing"),
        ("A1,Anna Bell,GTX Max,Acme,Won,01-01-17,31-01-17,4821", "not in products.csv"),
        ("A1,Anna Bell,GTX Pro,Acme,Signed,01-01-17,31-01-17,4821", "none of"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,,31-01-17,4821", "without engage_date"),
        ("A1,Anna Bell,GTX Pro,Acme,Lost,01-01-17,,0", "without close_date"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,31-01-17,01-01-17,4821", "before it was engaged"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,31-02-17,31-03-17,4821", "no date that exists"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,soon,4821", "no date that exists"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-1990,31-01-17,4821", "longer than"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,", "close_value is missing"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,-5", "negative"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,NaN", "not an amount"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17,1e99", "not an amount"),
        ("A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,31-01-17", "7 cells, the header 8"),
    ],
)
def test_what_cannot_is_refused_for_the_true_reason(tmp_path: Path, row: str, reason: str) -> None:
    report = pipeline_of(read_folder(folder(tmp_path, HEADER, "G1" + GOOD[2:], row, "G2" + GOOD[2:])))
    assert (report.imported, report.refused) == (2, 1)
    assert report.findings[0].line == 3
    assert reason in report.findings[0].reason


def test_a_repeated_opportunity_is_refused(tmp_path: Path) -> None:
    report = pipeline_of(read_folder(folder(tmp_path, HEADER, GOOD, GOOD)))
    assert report.findings[0].reason == "opportunity A1 stands on line 2 already"


def test_dates_and_columns_of_other_exports(tmp_path: Path) -> None:
    header = "close_value;close_date;engage_date;deal_stage;account;product;sales_agent;opportunity_id;extra"
    row = "55;2017-02-01;2017-01-01;Won;Acme;MG Special;Bo Cox;B2;x"
    dataset = read_folder(folder(tmp_path, header, row))
    assert pipeline_of(dataset).imported == 1
    assert dataset.opportunities[0].days == 31


def test_zero_days_and_free_goods_are_possible(tmp_path: Path) -> None:
    dataset = read_folder(folder(tmp_path, HEADER, "A1,Anna Bell,GTX Pro,Acme,Won,01-01-17,01-01-17,0"))
    assert (dataset.opportunities[0].days, dataset.opportunities[0].items[0].unit_price_minor) == (0, 0)


def test_dirty_masters_are_told(tmp_path: Path) -> None:
    dataset = read_folder(
        folder(
            tmp_path,
            accounts=(
                *ACCOUNTS,
                "Acme,,x,,,Nowhereland,Ghost",
                "acme,,,,,,",
                ",retail,,,,,",
                "Loop A,,,,,,Loop B",
                "Loop B,,,,,,Loop A",
            ),
            products=("product,sales_price", "GTX Pro,4821", "gtxpro,1", "Free,-1", ",5"),
            sales_teams=("sales_agent,manager,regional_office", "Anna Bell,,", "anna bell,Max,East", ",Max,East"),
        )
    )
    accounts, products, teams = (report for report in dataset.reports[:3])
    assert (accounts.imported, accounts.repaired, accounts.refused) == (2, 1, 2)
    assert (products.imported, products.refused) == (1, 3)
    assert (teams.repaired, teams.refused) == (1, 2)


def test_a_folder_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "sales_teams.csv").unlink()
    with pytest.raises(CommandFailed, match=r"sales_teams\.csv") as failed:
        read_folder(tmp_path)
    assert failed.value.code is ExitCode.NOT_FOUND


KNOWN = Known(
    people={
        "anna": Person("anna", "Anna", (str(Role.ACCOUNT_MANAGER),), "north"),
        "max": Person("max", "Max", (str(Role.HEAD_OF_SALES),), "north"),
    },
    customers={"acme": {"id": "acme", "currency": "EUR"}},
    articles={"P-1": {"id": "P-1", "prices": [{"currency": "EUR"}]}},
    branches=frozenset({"berlin"}),
)
OWN = "opportunity_id,title,customer,owner,lines,stage,days,branch,currency"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("O1,T,nobody,anna,P-1 x 1,Won,5,,", "no customer"),
        ("O1,T,acme,max,P-1 x 1,Won,5,,", "no account manager"),
        ("O1,T,acme,anna,P-9 x 1,Won,5,,", "no article"),
        ("O1,T,acme,anna,P-1 x 1,Won,5,,USD", "no price in USD"),
        ("O1,T,acme,anna,P-1,Won,5,,", "is not like"),
        ("O1,T,acme,anna,P-1 x 0,Won,5,,", "at least 1"),
        ("O1,T,acme,anna,P-1 x 1 @ -3,Won,5,,", "negative"),
        ("O1,T,acme,anna,P-1 x 1,Won,5,paris,", "no warehouse"),
        ("O1,T,acme,anna,P-1 x 1,Won,-1,,", "not between"),
        ("O1,,acme,anna,P-1 x 1,Won,5,,", "title is missing"),
        ("O0,T,acme,anna,P-1 x 1,Won,5,,", "the opportunity stands on line 2 already"),
    ],
)
def test_our_own_file_is_taken_strictly(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "opportunities.csv"
    file.write_text(f"{OWN}\nO0,T,acme,anna,P-1 x 2 @ 12.50; P-1 x 1,Won,5,berlin,\n{row}\n", encoding="utf-8")
    dataset = read_opportunities(file, KNOWN)
    report = pipeline_of(dataset)
    assert (report.imported, report.refused) == (1, 1)
    assert reason in report.findings[0].reason
    assert [(item.quantity, item.unit_price_minor) for item in dataset.opportunities[0].items] == [(2, 1250), (1, -1)]
    assert dataset.manager_of["anna"] == "max"
