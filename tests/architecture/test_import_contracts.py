"""Each import contract is seen to fail: a violation is planted in a skeleton of the tree, and named.

That the tree itself keeps the contracts is checked by `make lint`.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES = {contract["id"]: contract["name"] for contract in CONFIGURATION["contracts"]}
MODULES = ("authorization", "charge_points", "configuration", "diagnostics", "statistics", "transactions", "users")
FILES_OF_A_MODULE = ("module", "routes", "handlers", "schemas", "service", "repository", "tables", "domain", "errors")
PACKAGES = (
    "benchmarks",
    "communication_service",
    "communication_service/ocpp",
    "management_service",
    "migrations",
    "modules",
    "modules/kernel",
    *(f"modules/{name}" for name in MODULES),
    "shared_contracts",
    "simulator",
    "strum",
)
VIOLATIONS = [
    ("rooms", "shared_contracts/bus.py", "import modules.kernel"),
    ("rooms", "modules/users/service.py", "import management_service"),
    ("rooms", "management_service/app.py", "import communication_service.session"),
    ("rooms", "migrations/env.py", "import management_service"),
    ("rooms", "management_service/app.py", "import strum"),
    ("edge", "communication_service/session.py", "import modules.kernel"),
    ("edge", "communication_service/session.py", "import migrations"),
    ("simulator", "simulator/station.py", "import shared_contracts"),
    ("simulator", "simulator/station.py", "import strum"),
    ("siblings", "modules/transactions/service.py", "from modules.users import service"),
    ("siblings", "modules/kernel/work.py", "from modules.users import domain"),
    ("siblings", "modules/users/service.py", "from modules import catalogue"),
    ("siblings", "modules/billing.py", "import decimal"),
    ("module", "modules/transactions/repository.py", "from modules.transactions import service"),
    ("module", "modules/transactions/repository.py", "from modules.transactions import starting"),
    ("module", "modules/transactions/starting.py", "from modules.transactions import handlers"),
    ("module", "modules/transactions/handlers.py", "from modules.transactions import routes"),
    ("module", "modules/users/errors.py", "from modules.users import domain"),
    ("module", "modules/users/domain.py", "from modules.users import tables"),
    ("ocpp", "communication_service/ocpp/route.py", "from communication_service import session"),
    ("ocpp-io", "communication_service/ocpp/route.py", "import asyncio"),
    ("ocpp-io", "communication_service/ocpp/route.py", "from aiohttp import web"),
    ("domain", "modules/users/domain.py", "from sqlalchemy import Table"),
    ("domain", "modules/users/domain.py", "import asyncio"),
]


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The packages of the tree, with files that import nothing but what they may."""
    for package in PACKAGES:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    for file in (f"modules/{name}/{file}.py" for name in MODULES for file in FILES_OF_A_MODULE):
        (tmp_path / file).touch()
    write(tmp_path, "modules/catalogue.py", "from modules.kernel import module")
    write(tmp_path, "modules/transactions/starting.py", "from modules.transactions import repository")
    write(tmp_path, "modules/transactions/service.py", "from modules.transactions import starting")
    write(tmp_path, "modules/users/domain.py", "import shared_contracts.bus")
    write(tmp_path, "shared_contracts/bus.py", "import asyncio, pydantic")
    write(tmp_path, "communication_service/session.py", "import asyncio, communication_service.ocpp.route")
    write(tmp_path, "communication_service/ocpp/route.py", "import shared_contracts.bus")
    write(tmp_path, "management_service/app.py", "import migrations, modules.users.module")
    for file in ("pyproject.toml", "tests/__init__.py", *contract_types()):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_the_skeleton_keeps_every_contract(skeleton: Path) -> None:
    assert broken(skeleton) == set()


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_violation_breaks_its_contract(skeleton: Path, contract: str, file: str, line: str) -> None:
    write(skeleton, file, line)

    assert NAMES[contract] in broken(skeleton)


def test_every_contract_is_seen_to_fail() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(NAMES)


def test_every_package_is_under_contract() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert packages == set(CONFIGURATION["root_packages"])


def contract_types() -> list[str]:
    """The files of the contracts that are our own."""
    modules = [entry.partition(":")[2].strip().rpartition(".")[0] for entry in CONFIGURATION["contract_types"]]
    return [module.replace(".", "/") + ".py" for module in modules]


def write(root: Path, file: str, line: str) -> None:
    with (root / file).open("a") as code:
        code.write(line + "\n")


def broken(root: Path) -> set[str]:
    """The names of the contracts that import-linter reports as broken."""
    outcome = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=root,
        env={"COLUMNS": "200", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in outcome.stdout, outcome.stdout + outcome.stderr
    lines = [line.strip() for line in outcome.stdout.splitlines()]
    return {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}
