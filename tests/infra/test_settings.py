"""Settings: defaults, what is refused and how it is said, what is derived, and what never shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from docs.settings_page import settings_page
from infra.settings import PREFIX, Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def problems(**overrides: object) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    return caught.value.problems


def test_nothing_set_means_embedded_on_loopback(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.embedded
    assert settings.test_clock
    assert settings.api_host == "127.0.0.1"
    assert settings.data_dir == tmp_path / "dealwright"
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/dealwright/dealwright.db"
    assert settings.sqlite_synchronous == "FULL"


def test_everything_kept_is_below_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "here")
    places = [
        settings.database_file,
        settings.temporal_db,
        settings.documents_dir,
        settings.archive_dir,
        settings.outbox_dir,
    ]
    assert {place.parent for place in places} == {tmp_path / "here"}
    assert len(set(places)) == len(places)


def test_a_relative_xdg_folder_is_ignored_as_its_specification_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert load_settings().data_dir == Path.home() / ".local" / "share" / "dealwright"


def test_options_go_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEALWRIGHT_DATA_DIR", "/nowhere")
    assert load_settings(data_dir=tmp_path).data_dir == tmp_path
    assert load_settings(data_dir=None).data_dir == Path("/nowhere")


def test_the_data_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert load_settings(data_dir="data").data_dir == tmp_path / "data"
    assert load_settings(data_dir="~/data").data_dir == Path("/somewhere/data")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_TEMPORAL_ADDRESS", "")
    assert load_settings().embedded


def test_a_cluster_switches_the_test_clock_off_unless_asked() -> None:
    assert not load_settings(temporal_address="temporal:7233").test_clock
    assert load_settings(temporal_address="temporal:7233", test_clock=True).test_clock


def test_case_does_not_matter_for_choices() -> None:
    settings = load_settings(log_level="WARNING", log_format="JSON", sqlite_synchronous="normal")
    assert (settings.log_level, settings.log_format, settings.sqlite_synchronous) == ("warning", "json", "NORMAL")


def test_an_unknown_variable_is_an_error_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_DATABSE_URL", "x")
    monkeypatch.setenv("DEALWRIGHT_QQQ", "x")
    assert problems() == (
        "DEALWRIGHT_DATABSE_URL: there is no such setting; did you mean DEALWRIGHT_DATABASE_URL?",
        "DEALWRIGHT_QQQ: there is no such setting; docs/settings.md lists them all",
    )


def test_the_test_suites_own_variable_is_not_taken_for_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_TEST_DATABASE", "postgres")
    load_settings()


def test_all_wrong_values_are_said_at_once_each_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_API_PORT", "70000")
    monkeypatch.setenv("DEALWRIGHT_LOG_LEVEL", "loud")
    monkeypatch.setenv("DEALWRIGHT_MAX_CACHED_WORKFLOWS", "many")
    found = problems()
    assert [line.partition(":")[0] for line in found] == [
        "DEALWRIGHT_API_PORT",
        "DEALWRIGHT_MAX_CACHED_WORKFLOWS",
        "DEALWRIGHT_LOG_LEVEL",
    ]
    assert "'debug', 'info', 'warning' or 'error'" in found[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temporal_address", "temporal"),
        ("temporal_address", ":7233"),
        ("temporal_address", "temporal:0"),
        ("temporal_address", "temporal:99999"),
        ("temporal_address", "temporal:http"),
        ("database_url", "dealwright.db"),
        ("database_url", "mysql://root@host/name"),
        ("database_url", "sqlite:///relative.db"),
        ("temporal_namespace", ""),
        ("task_queue", ""),
        ("max_body_bytes", 3_000_000),
        ("updates_in_flight_per_deal", 11),
        ("no_such_setting", 1),
    ],
)
def test_refused(name: str, value: object) -> None:
    [problem] = problems(**{name: value})
    assert problem.startswith(PREFIX + name.upper() + ": ")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://dw@db/deals", "postgresql+psycopg://dw@db/deals"),
        ("postgresql+psycopg://dw@db/deals", "postgresql+psycopg://dw@db/deals"),
        ("sqlite:////var/lib/d.db", "sqlite+aiosqlite:////var/lib/d.db"),
    ],
)
def test_a_database_url_gets_the_driver_that_we_ship(given: str, used: str) -> None:
    assert load_settings(database_url=given).database == used


def test_the_password_is_put_into_the_url_escaped() -> None:
    settings = load_settings(database_url="postgresql://dw@db:5432/deals?sslmode=require", database_password="a/b@c:d")
    assert settings.database == "postgresql+psycopg://dw:a%2Fb%40c%3Ad@db:5432/deals?sslmode=require"
    assert settings.on_postgresql


@pytest.mark.parametrize("url", [None, "sqlite:////var/lib/d.db", "postgresql://db/deals"])
def test_a_password_without_its_user_is_refused(url: str | None) -> None:
    [problem] = problems(database_url=url, database_password="hush")
    assert problem.startswith("DEALWRIGHT_DATABASE_")


@pytest.mark.parametrize("show", [repr, str])
def test_no_secret_is_shown(show: object) -> None:
    settings = load_settings(database_url="postgresql://dw:hush1@db/deals", database_password="hush2")
    assert "hush" not in show(settings)  # type: ignore[operator]


def test_no_secret_is_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_DATABASE_URL", "mysql://dw:hush@db/deals")
    monkeypatch.setenv("DEALWRIGHT_API_PORT", "hush")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://stock.example.com/dealwright",
        "https://stock.example.com:8443",
        "http://127.0.0.1:8790/stock",
        "http://127.1.2.3",
        "http://localhost:8790",
        "http://[::1]:8790",
    ],
)
def test_the_address_of_a_foreign_system(url: str) -> None:
    assert load_settings(stock_url=url + "/", carrier_url=url).stock_url == url
    assert load_settings(stock_url=url, carrier_url=url).carrier_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://stock.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[::ffff:10.0.0.1]",
        "https://user:hush@stock.example.com",
        "https://hush@stock.example.com",
        "http://127.0.0.1@stock.example.com",
        "http://127.0.0.1\\@stock.example.com",
        "https://stock.example.com?token=hush",
        "https://stock.example.com#top",
        "https://stock.example.com:99999",
        "https://stock.example.com:port",
        "https://stock.example.com/a b",
        "https://stöck.example.com",
        "https://[::1",
        "https://",
        "ftp://stock.example.com",
        "stock.example.com",
    ],
)
@pytest.mark.parametrize("name", ["stock_url", "carrier_url"])
def test_an_address_that_is_no_service_or_not_safe(name: str, url: str) -> None:
    [problem] = problems(**{name: url})
    assert problem.startswith(f"{PREFIX}{name.upper()}: ")
    assert "hush" not in problem


@pytest.mark.parametrize("token", ["hush\n", "hu sh", "hush\x00", "hüsh", "=hush"])
def test_a_token_that_no_header_carries_is_refused_and_not_shown(token: str) -> None:
    [problem] = problems(stock_url="https://stock.example.com", stock_token=token)
    assert problem.startswith("DEALWRIGHT_STOCK_TOKEN: ")
    assert token not in problem


def test_a_token_needs_an_address_and_is_not_shown() -> None:
    [problem] = problems(carrier_token="hush")
    assert problem.startswith("DEALWRIGHT_CARRIER_TOKEN: needs DEALWRIGHT_CARRIER_URL")
    assert "hush" not in repr(load_settings(carrier_url="https://c.example.com", carrier_token="hush"))


@pytest.mark.parametrize("seconds", ["0", "0.05", "11", "nan", "inf", "-1", "soon"])
def test_a_time_limit_that_no_call_could_keep(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("DEALWRIGHT_CONNECTOR_TIMEOUT", seconds)
    [problem] = problems()
    assert problem.startswith("DEALWRIGHT_CONNECTOR_TIMEOUT: ")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().api_port = 80


def test_every_setting_is_documented() -> None:
    page = settings_page()
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert [name for name in Settings.model_fields if f"`{PREFIX}{name.upper()}`" not in page] == []


def test_every_setting_is_read_by_somebody() -> None:
    """A setting that nothing reads would promise what does not happen."""
    sources = [path for folder in ("infra", "api", "cli") for path in (ROOT / folder).rglob("*.py")]
    code = "\n".join(path.read_text() for path in [*sources, *ROOT.glob("worker.py")])
    assert [name for name in Settings.model_fields if not re.search(rf"\b(?:settings|self)\.{name}\b", code)] == []
