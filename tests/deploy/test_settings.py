"""What deploy/ and the Dockerfiles set, exists: a service refuses to start with a setting that is none."""

import re
from pathlib import Path

import pytest

from strum.configuration import described
from tests.deploy.images import ROOT, SERVICES

FILES = [
    *(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
    *(ROOT / f"Dockerfile.{service}" for service in SERVICES),
]
VARIABLE = re.compile(r"\bSTRUM_[A-Z0-9_]*[A-Z0-9]\b")
SETTINGS = {name for name, _, _ in described()}


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_of_ours_is_a_setting(file: Path) -> None:
    assert set(VARIABLE.findall(file.read_text())) <= SETTINGS


def test_variables_are_found_at_all() -> None:
    assert len({name for file in FILES for name in VARIABLE.findall(file.read_text())}) > 8
