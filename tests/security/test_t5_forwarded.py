"""T5: what a request says of itself in forwarded headers counts from the proxies that the settings name alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from shared_contracts.stations import StationConnected
from tests.communication_service.edge import Edge, edge
from tests.communication_service.test_admission import LOCKED, basic, locked
from tests.security.dialling import knock
from tests.security.pki import DAY, Authority, Issued

PROXY, STRANGER = "127.0.0.9", "127.0.0.10"
RIGHT = basic("CS1", b"secret")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def behind_a_proxy(authority: Authority, profile: int, crl: Path | None = None) -> AsyncIterator[Edge]:
    access = LOCKED.model_copy(update={"security_profile": profile})
    tls = {"ca_file": str(authority.file), "crl_file": "" if crl is None else str(crl)}
    async with edge(modules=locked(CS1=access), trusted_proxies=f"{PROXY}, 10.0.0.0/8", ocpp_tls=tls) as e:
        yield e


@pytest.mark.parametrize(("source", "status"), [(PROXY, 101), (STRANGER, 403)])
async def test_tls_that_a_proxy_ended_counts_for_a_named_proxy(authority: Authority, source: str, status: int) -> None:
    async with behind_a_proxy(authority, 2) as e:
        headers = {"Authorization": RIGHT, "X-Forwarded-Proto": "https"}
        assert (await knock(e, source, **headers))[0] == status


@pytest.mark.parametrize("proto", [None, "http", "ws", "https, http", ""])
async def test_a_proxy_that_was_spoken_to_without_tls_makes_no_tls(authority: Authority, proto: str | None) -> None:
    async with behind_a_proxy(authority, 2) as e:
        headers = {"Authorization": RIGHT} | ({} if proto is None else {"X-Forwarded-Proto": proto})
        assert (await knock(e, PROXY, **headers))[0] == 403


def nginx(shown: Issued) -> str:
    return quote(shown.pem, safe="")


def traefik(shown: Issued) -> str:
    return quote("".join(shown.pem.splitlines()[1:-1]), safe="") + ",MIIB"


def envoy(shown: Issued) -> str:
    return f'Hash=ab;Cert="{quote(shown.pem, safe="")}";Subject="CN=somebody"'


@pytest.mark.parametrize("form", [nginx, traefik, envoy])
@pytest.mark.parametrize(("source", "status"), [(PROXY, 101), (STRANGER, 401)])
async def test_a_certificate_that_is_passed_on_counts_from_a_named_proxy(
    authority: Authority, form: object, source: str, status: int
) -> None:
    assert callable(form)
    headers = {"X-Forwarded-Proto": "https", "X-SSL-Client-Cert": form(authority.issue("CS1"))}
    async with behind_a_proxy(authority, 3) as e:
        assert (await knock(e, source, **headers))[0] == status


@pytest.mark.parametrize(
    "case", ["another authority", "expired", "revoked", "another's", "a server's", "its name alone", "nonsense", "long"]
)
async def test_a_certificate_that_is_passed_on_is_checked_again(
    authority: Authority, tmp_path: Path, case: str
) -> None:
    revoked = authority.issue("CS1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = {
        "another authority": nginx(Authority(tmp_path, "Somebody else").issue("CS1")),
        "expired": nginx(authority.issue("CS1", starts=-2 * DAY, ends=-DAY)),
        "revoked": nginx(revoked),
        "another's": nginx(authority.issue("CS2")),
        "a server's": nginx(authority.server()),
        "its name alone": nginx(Authority(elsewhere, authority.name).issue("CS1")),
        "nonsense": "%00%ff,;Cert=",
        "long": "A" * 7000,
    }[case]
    async with behind_a_proxy(authority, 3, authority.revoke(revoked)) as e:
        headers = {"X-Forwarded-Proto": "https", "X-SSL-Client-Cert": shown}
        assert (await knock(e, PROXY, **headers))[0] == 401


@pytest.mark.parametrize(
    ("forwarded", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7:5123, 10.1.1.1", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("nonsense, 10.1.1.1", "10.1.1.1"),
        ("", PROXY),
    ],
)
async def test_the_address_is_the_last_that_is_no_proxy_of_ours(
    authority: Authority, forwarded: str, source: str
) -> None:
    async with behind_a_proxy(authority, 1) as e:
        assert (await knock(e, PROXY, Authorization=RIGHT, **{"X-Forwarded-For": forwarded}))[0] == 101
        [event] = await e.hears(StationConnected)
        assert event.remote_address == source


async def test_nobody_else_can_say_to_come_from_elsewhere(authority: Authority) -> None:
    async with behind_a_proxy(authority, 1) as e:
        assert (await knock(e, STRANGER, Authorization=RIGHT, **{"X-Forwarded-For": "203.0.113.7"}))[0] == 101
        [event] = await e.hears(StationConnected)
        assert event.remote_address == STRANGER
