"""F17: the previous release and this one serve side by side, on one database and one broker; nothing is lost."""

import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from migrations import MODULES
from simulator import Ledger
from simulator.ledger import Class
from tests.e2e.stack import Service
from tests.faults.fleets import charging, transaction_messages
from tests.faults.ground import Ground, ground
from tests.figures import Figure
from tests.services.ports import free_port

ROOT = Path(__file__).parents[2]
PREVIOUS = "43e050a"
"""The last commit before the migrations of this release: each module is at its first revision."""

STATIONS = 40


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the previous release."""
    directory = tmp_path_factory.mktemp("previous")
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", PREVIOUS], capture_output=True, check=False)
    if archive.returncode != 0:
        pytest.fail(
            f"the previous release is commit {PREVIOUS}, which this checkout does not have: it takes one with its "
            f"history (git fetch --unshallow). {archive.stderr.decode(errors='replace').strip()}"
        )
    subprocess.run(["tar", "-x", "-C", str(directory)], input=archive.stdout, check=True)
    return directory


@pytest.fixture
async def prepared(tmp_path: Path, previous: Path) -> AsyncIterator[Ground]:
    """Migrated by the previous release."""
    async with ground(tmp_path, migrate=False) as made:
        assert await run(made, previous, "migrate") == 0
        yield made


async def run(made: Ground, directory: Path, *arguments: str) -> int:
    """Run the command of the release in a directory; returns its exit status."""
    service = Service(arguments, of_release(made.strum.environment, directory), made.strum.directory / "run.log", "")
    await service.start(wait=False)
    assert service.process is not None
    return await service.process.wait()


def of_release(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """For the code in a directory, with the settings that it has: it would refuse others."""
    known = (directory / "docs" / "operations.md").read_text()
    given = {name: value for name, value in environment.items() if not name.startswith("STRUM_") or name in known}
    return {**given, "PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1"}


def older(service: Service, previous: Path) -> Service:
    """The same service of the previous release."""
    service.environment = of_release(service.environment, previous)
    return service


async def revisions(made: Ground) -> list[str]:
    """Where each module's history stands."""
    connection = await asyncpg.connect(
        make_url(made.database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        return [
            await connection.fetchval(f'SELECT version_num FROM "{schema}".schema_version')
            for schema in MODULES.values()
        ]
    finally:
        await connection.close()


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_two_releases_serve_side_by_side(prepared: Ground, previous: Path, figure: Figure) -> None:
    strum = prepared.strum
    first_port, second_port = strum.ocpp_port, free_port()
    old_management = await older(strum.management(name="old-management"), previous).start()
    old_pod = await older(strum.communication(port=first_port, name="old-pod"), previous).start()
    await strum.sign_in()
    before = await revisions(prepared)
    ledger = Ledger()
    async with charging(strum.ocpp_url, stations=STATIONS, ledger=ledger) as at_old:
        await at_old.begun(STATIONS // 4)
        assert await run(prepared, ROOT, "migrate") == 0
        assert await revisions(prepared) != before, "this release migrates nothing: the test proves nothing"
        await at_old.begun(STATIONS // 2)
        new_management = await strum.management("--no-migrate", port=free_port(), name="new-management").start()
        await strum.communication(port=second_port, name="new-pod").start()
        url = strum.ocpp_url.replace(str(first_port), str(second_port))
        async with charging(url, stations=STATIONS, seed=8, prefix="NEW-", ledger=ledger) as at_new:
            await at_new.begun(STATIONS + STATIONS // 4)
            await old_management.stop()
            strum.api_port = int(new_management.environment["STRUM_PORT"])
            await at_new.begun(2 * STATIONS)
            await at_old.end()
            await at_old.fleet.stop_charges()
            findings = await at_new.settled(strum, within_s=120)
    assert findings.clean, findings
    assert findings.checked["stops"] >= 2 * STATIONS
    assert transaction_messages(ledger, Class.REFUSED) == 0
    assert ledger.counts["discarded"] == 0
    figure("F17", "lost with two releases side by side", len(findings.lost), "", at_most=0)
    for service in (old_pod, new_management):
        assert service.process is not None
        assert service.process.returncode is None, "it ended by itself"
