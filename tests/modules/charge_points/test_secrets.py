import time
from typing import Any

import pytest

from modules.charge_points.domain.secrets import redacted, redacted_variables
from shared_contracts.secrets import MASK
from shared_contracts.stations import ReportedVariable


@pytest.mark.parametrize("text", ["a", "a://", "http:", "a://b@", "+.-"])
def test_a_megabyte_is_looked_through_at_once(text: str) -> None:
    """It is done where every other request waits."""
    began = time.process_time()
    redacted({"data": text * (1_000_000 // len(text))})
    assert time.process_time() - began < 1.0


def test_a_name_and_a_password_in_a_url_are_masked_whatever_its_scheme() -> None:
    for scheme in ("ftp", "x", "1abc", "very-long.scheme+with-thirty.letters"):
        assert redacted({"at": f"see {scheme}://u:secret@host/x"}) == {"at": f"see {scheme}://*@host/x"}


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ({"key": "authorizationkey", "value": "s"}, {"key": "authorizationkey", "value": MASK}),
        ({"key": "HeartbeatInterval", "value": "30"}, {"key": "HeartbeatInterval", "value": "30"}),
        (
            {"variables": [{"component": "SecurityCtrlr", "name": "BasicAuthPassword", "value": "s"}]},
            {"variables": [{"component": "SecurityCtrlr", "name": "BasicAuthPassword", "value": MASK}]},
        ),
        (
            {"setVariableData": [{"attributeValue": "s", "variable": {"name": "BasicAuthPassword"}}]},
            {"setVariableData": [{"attributeValue": MASK, "variable": {"name": "BasicAuthPassword"}}]},
        ),
        (
            {"connectionData": {"basicAuthPassword": "s", "apn": {"apnPassword": "s", "simPin": 1234}}},
            {"connectionData": {"basicAuthPassword": MASK, "apn": {"apnPassword": MASK, "simPin": MASK}}},
        ),
        (
            {"vpn": {"server": "v", "user": "u", "password": "s", "key": "s", "type": "IPSec"}},
            {"vpn": {"server": "v", "user": "u", "password": MASK, "key": MASK, "type": "IPSec"}},
        ),
        ({"location": "sftp://me:s@host/p?a=b@c"}, {"location": "sftp://*@host/p?a=b@c"}),
        ({"location": "https://host/p@q"}, {"location": "https://host/p@q"}),
        ({"value": "mail me@example.org"}, {"value": "mail me@example.org"}),
        ({"key": "AuthorizationKey", "value": None}, {"key": "AuthorizationKey", "value": None}),
    ],
)
def test_secrets_are_masked_and_the_rest_is_kept(document: dict[str, Any], shown: dict[str, Any]) -> None:
    assert redacted(document) == shown


def test_values_of_secret_variables_are_masked() -> None:
    secret = ReportedVariable(component="SecurityCtrlr", name="BasicAuthPassword", value="s")
    unread = ReportedVariable(name="AuthorizationKey")
    url = ReportedVariable(name="NetworkUrl", value="wss://a:b@host")
    shown = [variable.value for variable in redacted_variables((secret, unread, url))]
    assert shown == [MASK, None, "wss://*@host"]
