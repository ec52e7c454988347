"""Schemathesis against the whole system: no request that it invents gets a 5xx, or an answer that the page hides."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.sense import hooks
from tests.api.served import Served, served
from tests.api.test_openapi import page as agreed_page

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def whole_system(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Engine, worker and API, on SQLite: what is tried here is the API's edge."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "dealwright.db").write_bytes(migrated_file.read_bytes())
    with served(folder, f"sqlite+aiosqlite:///{folder / 'dealwright.db'}") as running:
        yield running


@pytest.fixture(scope="module")
def page(whole_system: Served) -> Any:
    """The page as the API serves it."""
    loaded = schemathesis.openapi.from_url(f"{whole_system.address}/v1/openapi.json")
    for hook in hooks(whole_system.deals):
        loaded.hook(hook)
    return loaded


OPERATIONS = [(method, path) for path, methods in agreed_page()["paths"].items() for method in methods]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda part: part)
@pytest.mark.systems
@pytest.mark.timeout(300)
def test_every_answer_is_on_the_page(whole_system: Served, page: Any, method: str, path: str, mode: Any) -> None:
    @seed(2026)
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=page[path][method].as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        keyed = {"Authorization": f"Bearer {whole_system.key}"}
        case.call_and_validate(checks=CHECKS, headers=keyed, timeout=60)

    if mode is GenerationMode.POSITIVE or not path.startswith("/v1/health"):  # nothing to get wrong there
        holds()
