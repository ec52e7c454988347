"""docker-compose.yml, Dockerfile and .env.example against the settings model and the versions that the lock pins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["migrate", "worker", "api"]
EXAMPLE = dict(line.split("=", 1) for line in ENV_EXAMPLE.splitlines() if re.match(r"\w+=", line))
SECRETS = {"DEALWRIGHT_DATABASE_PASSWORD", "TEMPORAL_DATABASE_PASSWORD"}
INTERPOLATION = re.compile(r"(?<!\$)\$\{(\w+)(:-[^}]*|:\?[^}]*)?\}")


def scripts(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def resolved(value: str, given: dict[str, str]) -> str:
    """A value as Compose would hand it to the container."""

    def one(match: re.Match[str]) -> str:
        name, rest = match[1], match[2] or ""
        return given.get(name) or (rest[2:] if rest.startswith(":-") else "")

    return INTERPOLATION.sub(one, value)


def environment(service: str, **given: str) -> dict[str, str]:
    return {name: resolved(str(value), given) for name, value in SERVICES[service].get("environment", {}).items()}


def settings_in(service: str, monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    """The settings that the service's process would have."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    image = dict(re.findall(rf"({PREFIX}\w+)=(\S+)", DOCKERFILE))
    for name, value in (image | environment(service, **given)).items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_it_is_a_valid_compose_file() -> None:
    checked = subprocess.run(
        [scripts("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("source", ["docker-compose.yml", "Dockerfile", ".env.example"])
def test_every_variable_of_ours_is_a_setting(source: str) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    used = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", (ROOT / source).read_text(encoding="utf-8")))
    assert used
    assert used <= known


def test_the_example_lists_what_the_compose_file_asks_for() -> None:
    asked = {match[1] for match in INTERPOLATION.finditer(COMPOSE_TEXT)}
    assert asked == set(EXAMPLE)


def test_defaults_are_the_same_in_both_files_and_in_the_settings() -> None:
    for match in INTERPOLATION.finditer(COMPOSE_TEXT):
        name, rest = match[1], match[2] or ""
        if rest.startswith(":-"):
            assert rest[2:] == EXAMPLE[name]
            if name.startswith(PREFIX):
                default = Settings.model_fields[name.removeprefix(PREFIX).lower()].default
                assert rest[2:] == ("" if default is None else str(default))  # an empty variable is not set


def test_secrets_are_asked_for_and_have_no_default() -> None:
    for match in INTERPOLATION.finditer(COMPOSE_TEXT):
        assert (match[1] in SECRETS) == (match[2] or "").startswith(":?"), match[0]
    assert {EXAMPLE[name] for name in SECRETS} == {""}
    for service in SERVICES:
        for name, value in SERVICES[service].get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|TOKEN", name):
                assert str(value).startswith("${"), f"{service} has {name} in clear"


@pytest.mark.parametrize("service", OURS)
def test_the_services_settings_are_valid(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(service, monkeypatch, DEALWRIGHT_DATABASE_PASSWORD="p@ss/word")
    assert settings.database == "postgresql+psycopg://dealwright:p%40ss%2Fword@database:5432/dealwright"
    assert settings.temporal_address == "temporal:7233"
    assert not settings.embedded
    assert not settings.test_clock
    assert settings.log_format == "json"


def test_our_database_is_not_temporals(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = SERVICES["database"], SERVICES["temporal-database"]
    assert not set(ours["networks"]) & set(theirs["networks"])
    assert not set(ours["volumes"]) & set(theirs["volumes"])
    assert ours["environment"]["POSTGRES_PASSWORD"] != theirs["environment"]["POSTGRES_PASSWORD"]
    for service in ("temporal", "temporal-schema"):
        assert SERVICES[service]["environment"]["POSTGRES_SEEDS"] == "temporal-database"
    assert "@database:" in settings_in("api", monkeypatch, DEALWRIGHT_DATABASE_PASSWORD="x").database


def test_images_are_pinned_to_what_we_run_embedded() -> None:
    said = subprocess.run([scripts("temporal"), "--version"], capture_output=True, text=True, check=True).stdout
    server, ui = re.search(r"Server ([\d.]+), UI ([\d.]+)", said).groups()  # type: ignore[union-attr]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert images == {
        "database": images["temporal-database"],
        "temporal-database": images["temporal-database"],
        "temporal-schema": f"temporalio/admin-tools:{server}",
        "temporal-namespace": f"temporalio/admin-tools:{server}",
        "temporal": f"temporalio/server:{server}",
        "temporal-ui": f"temporalio/ui:{ui}",
        "migrate": f"dealwright:{version}",
        "worker": f"dealwright:{version}",
        "api": f"dealwright:{version}",
    }
    assert re.fullmatch(r"postgres:16\.\d+", images["database"])


def test_ports_are_published_on_loopback_only() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"api", "temporal-ui"}
    for ports in published.values():
        assert all(str(port).startswith("127.0.0.1:") for port in ports)
    assert all(service.get("network_mode") is None for service in SERVICES.values())


def test_the_api_listens_where_it_is_published_and_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in("api", monkeypatch, DEALWRIGHT_DATABASE_PASSWORD="x")
    assert settings.api_host == "0.0.0.0"
    [port] = SERVICES["api"]["ports"]
    assert port.rpartition(":")[2] == str(settings.api_port)
    assert f"http://127.0.0.1:{settings.api_port}/" in SERVICES["api"]["healthcheck"]["test"][-1]
    assert Settings.model_fields["api_host"].default == "127.0.0.1"


def test_dependencies_wait_for_what_they_need() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            one_shot = needed in {"migrate", "temporal-schema", "temporal-namespace"}
            assert how["condition"] == ("service_completed_successfully" if one_shot else "service_healthy"), name
            assert one_shot or "healthcheck" in SERVICES[needed]
    assert (
        set(SERVICES["worker"]["depends_on"]) == set(SERVICES["api"]["depends_on"]) == {"migrate", "temporal-namespace"}
    )


def test_workers_and_apis_can_be_scaled() -> None:
    for name in ("worker", "api"):
        assert SERVICES[name]["deploy"]["replicas"].startswith("${")
        assert "container_name" not in SERVICES[name]


def test_data_survives_a_new_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("worker", "api"):
        folder = settings_in(name, monkeypatch, DEALWRIGHT_DATABASE_PASSWORD="x").data_dir
        assert SERVICES[name]["volumes"] == [f"data:{folder}"]
        assert f"VOLUME {folder}" in DOCKERFILE
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_the_image_is_slim_hashed_and_not_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert set(bases) == {bases[0]}
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    assert "--require-hashes" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.M) == ["dealwright"]
