"""The Dockerfiles take what their service needs, and run it as nobody in particular."""

import json

import pytest

from tests.deploy import images

BOTH = pytest.mark.parametrize("service", images.SERVICES)
OURS = {path.parent.name for path in images.ROOT.glob("*/__init__.py")}


@BOTH
def test_an_image_has_every_package_of_ours_that_its_code_imports(service: str) -> None:
    assert images.imports(service) & OURS <= images.copied(service)


@BOTH
def test_an_image_has_every_distribution_that_its_code_imports(service: str) -> None:
    installed = images.locked(service)
    wanted = images.distributions(images.imports(service) - OURS)
    assert len(wanted) > 5
    assert {package: found for package, found in wanted.items() if not found & installed} == {}


@BOTH
def test_an_image_is_given_no_more_than_the_project_depends_on(service: str) -> None:
    assert images.group(service) <= images.dependencies()


def test_the_image_of_the_edge_has_no_module_and_no_database() -> None:
    assert images.copied("communication") == {"communication_service", "shared_contracts", "strum"}
    assert images.commands("communication") == {"communication", "settings", "user"}
    assert not images.locked("communication") & {"sqlalchemy", "asyncpg", "alembic", "argon2-cffi", "azure-data-tables"}


def test_the_image_of_the_modules_has_no_edge_and_no_simulator() -> None:
    expected = {"management_service", "migrations", "modules", "shared_contracts", "strum"}
    assert images.copied("management") == expected
    assert images.commands("management") == {"broker", "management", "migrate", "settings", "user"}


@BOTH
def test_what_an_image_installs_is_locked(service: str) -> None:
    runs = [arguments for name, arguments in images.instructions(service) if name == "RUN"]
    assert any(run.startswith(f"uv sync --locked --only-group {service}") for run in runs)
    assert not any("pip install" in run and "uv" not in run for run in runs)


@BOTH
def test_an_image_runs_as_a_user_that_kubernetes_knows_is_not_root(service: str) -> None:
    last = [arguments for name, arguments in images.instructions(service) if name == "USER"][-1]
    assert last == "10001:10001"


@BOTH
def test_a_signal_reaches_the_service_for_no_shell_stands_before_it(service: str) -> None:
    forms = {name: arguments for name, arguments in images.instructions(service) if name in {"ENTRYPOINT", "CMD"}}
    assert json.loads(forms["ENTRYPOINT"]) == ["strum"]
    assert json.loads(forms["CMD"])[0] == service
