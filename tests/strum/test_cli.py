"""The command line as it is typed: in a process of its own, since what is imported matters."""

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.machinery import PathFinder

import pytest
from typer.main import get_command

from strum import cli

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")}
HEAVY = {"aio_pika", "aiohttp", "alembic", "asyncpg", "jsonschema_rs", "modules", "ocpp", "sqlalchemy", "uvloop"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "strum", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT | environment)


def imported_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after running this."""
    code += "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout
    return set(json.loads(output.splitlines()[-1]))


@pytest.mark.parametrize("entry", cli.ENTRIES, ids=lambda entry: entry.name)
def test_the_help_says_of_a_command_what_the_command_says_of_itself(entry: cli.Entry) -> None:
    command = get_command(import_module(f"strum.commands.{entry.name}").application)
    assert command.help == entry.about


def test_help_lists_every_command_and_imports_none() -> None:
    listed = run("--help")
    assert listed.returncode == 0
    for entry in cli.ENTRIES:
        assert f" {entry.name} " in listed.stdout
    assert not imported_by("from strum import cli; cli.group()") & HEAVY


def test_the_door_for_stations_loads_no_module_and_no_database() -> None:
    loaded = imported_by("import strum.commands.communication")
    assert "communication_service" in loaded
    assert not loaded & {"management_service", "migrations", "modules", "simulator", "sqlalchemy", "asyncpg"}


def test_a_command_takes_its_options_and_groups_their_commands() -> None:
    assert "--workers" in run("communication", "--help").stdout
    assert "--email" in run("user", "create", "--help").stdout


def test_a_command_that_is_none_is_refused() -> None:
    refused = run("nonsense")
    assert refused.returncode == 2
    assert "No such command 'nonsense'" in refused.stderr


def test_a_command_whose_packages_are_not_installed_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "simulator" else PathFinder.find_spec(name))
    names = set(cli.group().commands)
    assert {"management", "communication", "settings", "user"} <= names
    assert not names & {"simulate", "up"}


@pytest.mark.parametrize("command", ["communication", "migrate"])
def test_a_variable_that_is_no_setting_ends_with_one_sentence(command: str) -> None:
    refused = run(command, STRUM_NONSENSE="1")
    assert refused.returncode == 2
    assert refused.stderr == "strum: STRUM_NONSENSE is not a setting of Strum; `strum settings` lists them.\n"


def test_a_bad_value_ends_with_one_sentence_that_names_the_variable() -> None:
    refused = run("communication", STRUM_OCPP_PORT="ninety")
    assert refused.returncode == 2
    assert refused.stderr.startswith("strum: STRUM_OCPP_PORT: ")
    assert refused.stderr.count("\n") == 1
