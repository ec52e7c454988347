"""The page for accounts receivable: commands and addresses exist, numbers are the policy's, the example adds up."""

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import typer

from api.app import create_app
from cli.main import app
from infra.db import Database
from infra.desk.service import DealDesk
from infra.settings import load_settings
from models.banking.matching import RULES
from models.instants import DAY
from models.interest import STATUTORY, WHOLE, InterestPolicy, accrued, rounded, whole_minor
from models.lifecycle.deal_table import DEAL
from models.money import MAX_MINOR
from models.policy import DEFAULT

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "receivables.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"`(?:dealwright )((?:[a-z-]+ ?)+)|`((?:bank|letters|reconcile|invoices) [a-z-]+)")


def commands() -> set[tuple[str, ...]]:
    found = {tuple((first or second).split()) for first, second in COMMAND.findall(PAGE)}
    return {words for words in found if words}


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_exists(words: tuple[str, ...]) -> None:
    here = typer.main.get_command(app)
    for word in words:
        below = getattr(here, "commands", None)
        if below is None:
            break  # an argument
        assert word in below, words
        here = below[word]


async def test_every_address_exists(database: Database, tmp_path: Path) -> None:
    served = create_app(DealDesk(database, None, load_settings(data_dir=tmp_path))).openapi()["paths"]
    told = set(re.findall(r"`(?:(GET|POST) )?(/v1/[a-z{}/-]+)", PAGE))
    assert len(told) > 9
    for method, path in told:
        path = path.replace("{id}", "{deal_id}")
        assert path in served, path
        assert not method or method.lower() in served[path], path


def test_every_act_and_rule_is_one() -> None:
    named = set(re.findall(r"`([a-z]+_[a-z_]+)[ `]", PAGE))
    known = set(DEAL.actions)
    for act in ("record_payment", "reverse_payment", "set_off_credit", "dispute", "agree_plan", "request_waiver"):
        assert act in known
        assert f"`{act}" in PAGE
    assert {"approve_legal", "settle_dispute", "promise_to_pay"} <= named & known
    assert re.findall(r"^\| ([a-z_]+) \| ", PAGE.split("### Bank statements")[1].split("###")[0], re.MULTILINE)[
        1:
    ] == list(RULES)


def test_the_ladder_is_the_policys() -> None:
    rows = re.findall(r"^\| (-?\d+) \| (\w+) \| (\w*)", PAGE.split("## The ladder")[1], re.MULTILINE)
    assert rows == [(str(rung.after // DAY), rung.action, rung.letter) for rung in DEFAULT.ladder]


def test_who_may_give_up_how_much() -> None:
    limits = [DEFAULT.write_off_authority, DEFAULT.money.waiver, DEFAULT.money.legal]
    rows = re.findall(r"\| ([\d,.]+) \| any amount \|", PAGE)
    assert rows == [f"{each['head_of_sales'] / 100:,.2f}" for each in limits]
    assert all(each["commercial_director"] >= MAX_MINOR for each in limits)


def test_the_example_is_right_to_the_cent() -> None:
    policy = InterestPolicy(rates=STATUTORY)
    parts = [
        accrued(policy, 119_000, "2025-06-20", "2025-06-30"),
        accrued(policy, 119_000, "2025-06-30", "2025-07-10"),
        accrued(policy, 69_000, "2025-07-10", "2025-07-30"),
    ]
    shown = [(Decimal(each) / WHOLE / 100).quantize(Decimal("0.0001"), ROUND_HALF_UP) for each in (*parts, sum(parts))]
    assert [f"| {each} |" in PAGE or f"| {each}, so" in PAGE for each in shown] == [True] * 4, shown
    note = rounded(*whole_minor(sum(parts))) + policy.fee_minor["EUR"]
    assert f"the note is over {note / 100:.2f} EUR" in PAGE
