"""docs/operations.md tells of every setting and every metric, and of none that is not there."""

import re

import pytest
from prometheus_client import CollectorRegistry

from communication_service.metrics import REGISTRY as EDGE
from management_service.metrics import REGISTRY as MODULES
from modules import catalogue
from strum.commands.settings import markdown_table
from strum.configuration import described
from tests.deploy.images import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()
PACKAGES = ("communication_service", "management_service", "modules", "shared_contracts", "strum")


def test_the_table_of_settings_is_what_the_command_prints() -> None:
    missing = [line for line in markdown_table() if line not in PAGE.splitlines()]
    assert not missing, "put what `strum settings --markdown` prints into docs/operations.md"


def test_no_setting_is_told_of_that_is_none() -> None:
    told = set(re.findall(r"\bSTRUM_[A-Z0-9_]*[A-Z0-9]\b", PAGE))
    pattern = {"STRUM_MANAGEMENT_SERVICE_HOST"}  # named as what Kubernetes would add
    assert told - pattern <= {name for name, _, _ in described()}


@pytest.mark.parametrize("registry", [EDGE, MODULES], ids=["communication", "management"])
def test_every_metric_is_told_of_with_its_labels(registry: CollectorRegistry) -> None:
    rows = dict(re.findall(r"^\| `(strum_\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    collectors = registry._collector_to_names
    assert collectors
    for collector, names in collectors.items():
        name = next(iter(set(rows) & set(names)), None)
        assert name is not None, f"{sorted(names)} are not told of"
        assert rows[name] == (", ".join(collector._labelnames) or "none")


def test_every_log_event_that_is_told_of_is_logged_somewhere() -> None:
    table = PAGE.partition("| event | means |")[2].partition("\n\n")[0]
    told = {name for line in table.splitlines()[2:] for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", line)}
    sources = "\n".join(path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    assert len(told) > 8
    assert {name for name in told if f'"{name}"' not in sources} == set()


def test_every_module_and_its_paths_are_told_of() -> None:
    table = PAGE.partition("| module | paths below")[2].partition("\n\n")[0]
    for name in catalogue.NAMES:
        (row,) = (line for line in table.splitlines() if line.startswith(f"| {name} |"))
        for route in catalogue.load(name).routes:
            own = route.path.removeprefix("/charging-stations/{station_id}/")
            first = own.strip("/").partition("/")[0]
            rest = name == "charge_points" and own != route.path
            assert f"`/{first}" in row or f"`{first}`" in row or rest, route.path
