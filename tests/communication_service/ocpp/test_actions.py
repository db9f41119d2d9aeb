import re
from importlib.resources import files

import pytest

from communication_service.ocpp import actions
from communication_service.ocpp.actions import Direction
from communication_service.ocpp.errors import Fault
from communication_service.ocpp.versions import Version

FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


@pytest.mark.parametrize("version", Version)
def test_every_action_with_a_schema_has_a_direction_and_no_other_action_has(version: Version) -> None:
    schemas = {path.name for path in files("ocpp").joinpath(FOLDERS[version], "schemas").iterdir()}
    names = {re.sub(r"(Request)?\.json$", "", name) for name in schemas if not name.endswith("Response.json")}

    assert set(actions.KNOWN[version]) == names


@pytest.mark.parametrize(
    ("action", "versions", "direction"),
    [
        ("DataTransfer", list(Version), Direction.BOTH),
        ("StartTransaction", [Version.V16], Direction.FROM_STATION),
        ("TransactionEvent", [Version.V201, Version.V21], Direction.FROM_STATION),
        ("RequestStartTransaction", [Version.V201, Version.V21], Direction.FROM_CSMS),
        ("NotifySettlement", [Version.V21], Direction.FROM_STATION),
        ("NotifyWebPaymentStarted", [Version.V21], Direction.FROM_CSMS),
    ],
)
def test_an_action_has_the_direction_of_the_specification(
    action: str, versions: list[Version], direction: Direction
) -> None:
    known = {version: actions.direction(version, action) for version in Version}
    assert known == {version: direction if version in versions else None for version in Version}


@pytest.mark.parametrize("version", Version)
def test_what_the_version_does_not_know_is_not_implemented_and_what_is_ours_is_not_supported(
    version: Version,
) -> None:
    unknown, ours = actions.refuse(version, "Nonsense"), actions.refuse(version, "Reset")

    assert unknown is not None
    assert ours is not None
    assert (unknown.fault, ours.fault) == (Fault.UNKNOWN_ACTION, Fault.UNSUPPORTED_ACTION)
    assert actions.refuse(version, "Heartbeat") is None
