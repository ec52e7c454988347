"""Bundles to judge, made once, and what judges them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import verify_bundle as verifier
from tests.evidence.bundles import Samples, samples
from verify_bundle import Outside, Report


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Samples:
    """Bundles of one installation, with what an auditor may hold beside them."""
    folder = tmp_path_factory.mktemp("bundles")
    file = folder / "dealwright.db"
    file.write_bytes(migrated_file.read_bytes())
    return samples(folder, file)


@pytest.fixture
def judge(made: Samples, tmp_path: Path) -> Callable[..., Report]:
    """Judges a bundle's bytes, with the genuine key at hand unless it is said otherwise."""

    def judged(bundle: bytes, outside: Outside | None = None, **brought: Any) -> Report:
        file = tmp_path / "bundle.zip"
        file.write_bytes(bundle)
        return verifier.verify(str(file), outside or Outside([verifier.read_key(made.key)], **brought))

    return judged
