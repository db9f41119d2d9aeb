"""Profile 3: a certificate counts only if it names the operator, where the settings say whom. Whitepaper §2.5."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from shared_contracts.security import IncidentKind, IncidentNoticed
from shared_contracts.stations import StationConnected
from shared_contracts.tls import StationTlsSettings
from tests.communication_service.edge import Edge, edge
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_admission import locked
from tests.security.dialling import knock
from tests.security.pki import Authority, Issued, client
from tests.security.test_t7_tls_of_stations import CERTIFICATE

OURS = "Strum Operator Ltd"
PROXY = "127.0.0.9"
CASES: dict[str, tuple[Sequence[str], bool]] = {
    "ours": ([OURS], True),
    "none": ([], False),
    "another": (["Somebody else"], False),
    "other letters": ([OURS.upper()], False),
    "a longer one": ([f"{OURS} and sons"], False),
    "ours and another": ([OURS, "Somebody else"], False),
    "ours twice": ([OURS, OURS], False),
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls(authority: Authority, **more: Any) -> dict[str, Any]:
    return {"port": 0, "certificate_files": str(authority.server().file), "ca_file": str(authority.file), **more}


async def dial(e: Edge, authority: Authority, shown: Issued) -> int:
    context = client(authority, shown)
    reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=context)
    try:
        return (await RawSocket(reader, writer).upgrade("CS1"))[0]
    finally:
        writer.transport.abort()


async def told_of(e: Edge) -> list[tuple[IncidentKind, str | None, str]]:
    return [(told.kind, told.station_id, told.detail) for told in await e.hears(IncidentNoticed)]


REFUSED = [(IncidentKind.CERTIFICATE_REFUSED, "CS1", "it does not name our organization")]


@pytest.mark.parametrize(("organizations", "is_ours"), CASES.values(), ids=CASES.keys())
async def test_only_a_certificate_that_names_the_operator_opens_the_door(
    authority: Authority, organizations: Sequence[str], is_ours: bool
) -> None:
    shown = authority.issue("CS1", organizations=organizations)
    async with edge(modules=locked(CS1=CERTIFICATE), ocpp_tls=tls(authority, organization=OURS)) as e:
        assert await dial(e, authority, shown) == (101 if is_ours else 401)
        if not is_ours:
            assert await told_of(e) == REFUSED
            assert e.heard(StationConnected) == []


async def test_the_same_holds_for_a_certificate_that_a_proxy_passes_on(authority: Authority) -> None:
    settings = {"ca_file": str(authority.file), "organization": OURS}
    async with edge(modules=locked(CS1=CERTIFICATE), ocpp_tls=settings, trusted_proxies=PROXY) as e:
        for organization, status in ((OURS, 101), ("Somebody else", 401)):
            shown = quote(authority.issue("CS1", organizations=[organization]).pem, safe="")
            headers = {"X-Forwarded-Proto": "https", "X-SSL-Client-Cert": shown}
            assert (await knock(e, PROXY, **headers))[0] == status
        assert await told_of(e) == REFUSED


async def test_it_holds_on_when_the_files_are_read_again(authority: Authority) -> None:
    async with edge(modules=locked(CS1=CERTIFICATE), ocpp_tls=tls(authority, organization=OURS)) as e:
        e.communication.reload()
        assert await dial(e, authority, authority.issue("CS1", organizations=["Somebody else"])) == 401


async def test_where_the_settings_name_nobody_any_organization_does(authority: Authority) -> None:
    async with edge(modules=locked(CS1=CERTIFICATE), ocpp_tls=tls(authority)) as e:
        for organizations in ([], ["Somebody else"], [OURS, OURS]):
            assert await dial(e, authority, authority.issue("CS1", organizations=organizations)) == 101


def test_an_empty_name_is_a_mistake_and_not_everybody() -> None:
    with pytest.raises(ValidationError):
        StationTlsSettings(organization="")
