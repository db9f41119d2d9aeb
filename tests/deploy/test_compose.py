"""The laptop's composition: what it names exists, and what must come first comes first."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from communication_service.settings import CommunicationSettings
from management_service.settings import settings_type
from tests.deploy.images import SERVICES, commands

FILE = Path(__file__).parents[2] / "deploy" / "compose" / "compose.yaml"
OWN = {"management": settings_type(), "migrations": settings_type(), "communication": CommunicationSettings}
OURS = pytest.mark.parametrize("name", list(OWN))
KNOWN_KEYS = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "hostname", "image", "ports",
    "read_only", "restart", "security_opt", "stop_grace_period", "ulimits", "volumes",
}  # fmt: skip


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    assert set(found) == {"postgres", "rabbitmq", *OWN}
    return found


def test_no_service_has_a_key_that_compose_does_not_know(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert set(service) <= KNOWN_KEYS, name
        assert isinstance(service["image"], str)


@OURS
def test_a_service_is_built_by_its_dockerfile_and_runs_a_command_that_is_in_it(
    services: dict[str, Any], name: str
) -> None:
    build = services[name]["build"]
    dockerfile = (FILE.parent / build["context"] / build["dockerfile"]).resolve()
    assert dockerfile.exists()
    image = dockerfile.name.removeprefix("Dockerfile.")
    assert image in SERVICES
    assert services[name]["image"].startswith(f"strum-{image}:")
    assert services[name]["command"][0] in commands(image)


@OURS
def test_a_service_is_given_settings_of_its_own_and_values_that_it_takes(services: dict[str, Any], name: str) -> None:
    given = {variable: _default(str(value)) for variable, value in services[name]["environment"].items()}
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in given.items():
            patch.setenv(variable, value)
        read = OWN[name]()
    top = {variable.removeprefix("STRUM_").lower().partition("__")[0] for variable in given}
    assert top <= set(type(read).model_fields)
    assert top <= read.model_fields_set


@OURS
def test_a_service_waits_for_what_it_needs(services: dict[str, Any], name: str) -> None:
    waits = {other: how["condition"] for other, how in services[name]["depends_on"].items()}
    wanted = {
        "migrations": {"postgres": "service_healthy"},
        "management": {"migrations": "service_completed_successfully", "rabbitmq": "service_healthy"},
        "communication": {"rabbitmq": "service_healthy"},
    }
    assert waits == wanted[name]
    for other, condition in waits.items():
        assert condition != "service_healthy" or "healthcheck" in services[other]


def test_only_this_machine_reaches_what_is_published(services: dict[str, Any]) -> None:
    published = {port for service in services.values() for port in service.get("ports", [])}
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert {port.rpartition(":")[2] for port in published} == {"8000", "9000", "9001", "9002"}


def test_the_broker_may_open_the_files_that_quorum_queues_take(services: dict[str, Any]) -> None:
    assert services["rabbitmq"]["ulimits"]["nofile"]["soft"] >= 65_536


def _default(value: str) -> str:
    """What `${NAME:-default}` is where NAME is not set; a value that must be given is invented."""
    return re.sub(r"\$\{\w+:(-|\?)([^}]*)\}", lambda found: found[2] if found[1] == "-" else "a secret", value)
