"""T6 and T7: whose certificate opens the door, and which TLS. Security whitepaper A00.FR.312 to 324, 403 to 405, 702.

Over real sockets: what OpenSSL refuses ends the handshake, what we refuse is answered 401 before the upgrade.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared_contracts.charge_points import StationAccess, StationAccessChanged
from shared_contracts.message import Envelope
from shared_contracts.security import IncidentKind, IncidentNoticed
from shared_contracts.stations import StationConnected
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.fakes import fakes
from tests.communication_service.stations import RawSocket
from tests.communication_service.test_admission import LOCKED, basic, locked
from tests.security.pki import DAY, Authority, Issued, client, rsa_key

PASSWORD_TLS = LOCKED.model_copy(update={"security_profile": 2})
CERTIFICATE = LOCKED.model_copy(update={"security_profile": 3, "password_salt": "", "password_hash": ""})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def secured(authority: Authority, crl: Path | None = None, **access: StationAccess) -> AsyncIterator[Edge]:
    """A pod with both kinds of server certificate and the authority for those of stations."""
    servers = (authority.server().file, authority.server(rsa_key()).file)
    tls = {
        "port": 0,
        "certificate_files": ",".join(str(file) for file in servers),
        "ca_file": str(authority.file),
        "crl_file": "" if crl is None else str(crl),
        "poll_s": 0.05,
    }
    async with edge(modules=locked(**access), ocpp_tls=tls) as e:
        yield e


async def dial(e: Edge, context: ssl.SSLContext, station_id: str = "CS1", **headers: str) -> int | str:
    """Connect over TLS: the status of the answer, or "refused" where TLS itself was."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=context)
        try:
            return (await RawSocket(reader, writer).upgrade(station_id, **headers))[0]
        finally:
            writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError):
        return "refused"


@pytest.mark.parametrize(
    ("suite", "kind"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", "ecdsa"),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", "ecdsa"),
        ("AES128-GCM-SHA256", "rsa"),
        ("AES256-GCM-SHA384", "rsa"),
    ],
)
async def test_the_four_suites_that_ocpp_demands_are_spoken(authority: Authority, suite: str, kind: str) -> None:
    context = client(authority, suites=suite)
    async with secured(authority, CS1=PASSWORD_TLS) as e:
        reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=context)
        status, _ = await RawSocket(reader, writer).upgrade("CS1", Authorization=basic("CS1", b"secret"))
        [event] = await e.hears(StationConnected)
        spoken = writer.get_extra_info("ssl_object")

        assert (status, spoken.cipher()[0], spoken.version(), spoken.compression()) == (101, suite, "TLSv1.2", None)
        assert event.security_profile == 2
        writer.close()


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-SHA", "AES128-SHA", "AES256-SHA256", "DHE-RSA-AES128-GCM-SHA256"])
async def test_weaker_suites_are_refused_and_told_of(authority: Authority, suite: str) -> None:
    async with secured(authority, CS1=PASSWORD_TLS) as e:
        refused = await dial(e, client(authority, suites=f"{suite}@SECLEVEL=0"), Authorization=basic("CS1", b"secret"))
        [told] = await e.hears(IncidentNoticed)

        assert refused == "refused"
        assert told.kind is IncidentKind.TLS_TOO_WEAK


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_before_1_2_is_refused_and_told_of(authority: Authority, version: ssl.TLSVersion) -> None:
    context = client(authority)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with secured(authority, CS1=PASSWORD_TLS) as e:
        assert await dial(e, context, Authorization=basic("CS1", b"secret")) == "refused"
        [told] = await e.hears(IncidentNoticed)

        assert told.kind is IncidentKind.TLS_TOO_WEAK


async def test_a_connection_cannot_be_resumed(authority: Authority) -> None:
    async with secured(authority, CS1=CERTIFICATE) as e:
        context = client(authority, authority.issue("CS1"))
        reader, writer = await asyncio.open_connection("127.0.0.1", e.communication.tls_port, ssl=context)
        assert (await RawSocket(reader, writer).upgrade("CS1"))[0] == 101
        session = writer.get_extra_info("ssl_object").session

        assert session is None or not session.has_ticket
        writer.close()


def presented(case: str, ours: Authority, other: Authority) -> Issued | None:
    """What a station shows to be CS1."""
    makers: dict[str, Callable[[], Issued | None]] = {
        "its own": lambda: ours.issue("CS1"),
        "its own, RSA": lambda: ours.issue("CS1", key=rsa_key()),
        "another station's": lambda: ours.issue("CS2"),
        "a longer name": lambda: ours.issue("CS12"),
        "a name around it": lambda: ours.issue("xCS1x"),
        "a name in other case": lambda: ours.issue("cs1"),
        "a name with a space": lambda: ours.issue("CS1 "),
        "two names": lambda: ours.issue("CS1", "CS2"),
        "of another authority": lambda: other.issue("CS1"),
        "expired": lambda: ours.issue("CS1", starts=-2 * DAY, ends=-DAY),
        "not yet valid": lambda: ours.issue("CS1", starts=DAY, ends=2 * DAY),
        "a server's": ours.server,
        "none": lambda: None,
    }
    return makers[case]()


CASES: dict[str, tuple[int | str, str | None]] = {
    "its own": (101, None),
    "its own, RSA": (101, None),
    "another station's": (401, "it names another"),
    "a longer name": (401, "it names another"),
    "a name around it": (401, "it names another"),
    "a name in other case": (401, "it names another"),
    "a name with a space": (401, "it names another"),
    "two names": (401, "it has not one common name"),
    "of another authority": ("refused", "unable to get local issuer certificate"),
    "expired": ("refused", "certificate has expired"),
    "not yet valid": ("refused", "certificate is not yet valid"),
    "a server's": ("refused", "unsuitable certificate purpose"),
    "none": (401, None),
}


@pytest.mark.parametrize("case", CASES)
async def test_only_the_stations_own_certificate_opens_the_door(
    authority: Authority, tmp_path: Path, case: str
) -> None:
    shown = presented(case, authority, Authority(tmp_path, "Somebody else"))
    outcome, detail = CASES[case]
    async with secured(authority, CS1=CERTIFICATE) as e:
        assert await dial(e, client(authority, shown)) == outcome
        if outcome != 101:
            [told] = [event for event in await e.hears(IncidentNoticed) if event.kind is not IncidentKind.GUESSING]
            expected = IncidentKind.CERTIFICATE_REFUSED if detail else IncidentKind.CREDENTIALS_REFUSED
            assert (told.kind, told.detail) == (expected, detail or "")
            assert e.heard(StationConnected) == []


async def test_a_certificate_may_be_bound_by_another_name_and_by_its_fingerprint(authority: Authority) -> None:
    serial, renewed = authority.issue("SN-77"), authority.issue("SN-77")
    named = CERTIFICATE.model_copy(update={"certificate_common_name": "SN-77"})
    pinned = named.model_copy(update={"certificate_fingerprint": serial.fingerprint})
    async with secured(authority, CS1=named, CS2=pinned) as e:
        assert await dial(e, client(authority, serial)) == 101
        assert await dial(e, client(authority, renewed)) == 101
        assert await dial(e, client(authority, authority.issue("CS1"))) == 401
        assert await dial(e, client(authority, serial), "CS2") == 101
        assert await dial(e, client(authority, renewed), "CS2") == 401


async def test_a_revoked_certificate_is_refused(authority: Authority) -> None:
    good, bad = authority.issue("CS1"), authority.issue("CS1")
    async with secured(authority, authority.revoke(bad), CS1=CERTIFICATE) as e:
        assert await dial(e, client(authority, good)) == 101
        assert await dial(e, client(authority, bad)) == "refused"
        [told] = await e.hears(IncidentNoticed)
        assert (told.kind, told.detail) == (IncidentKind.CERTIFICATE_REFUSED, "certificate revoked")


async def test_a_list_that_is_out_of_date_vouches_for_nobody(authority: Authority) -> None:
    async with secured(authority, authority.revoke(ends=-DAY), CS1=CERTIFICATE) as e:
        assert await dial(e, client(authority, authority.issue("CS1"))) == "refused"


async def test_a_revocation_counts_without_a_restart_and_without_an_end_of_what_lives(authority: Authority) -> None:
    shown = authority.issue("CS1")
    file = authority.revoke()
    async with secured(authority, file, CS1=CERTIFICATE) as e:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", e.communication.tls_port, ssl=client(authority, shown)
        )
        living = RawSocket(reader, writer)
        assert (await living.upgrade("CS1"))[0] == 101
        file.write_bytes(authority.revoke(shown).read_bytes())

        async def is_refused() -> bool:
            return await dial(e, client(authority, shown), "CS2") == "refused"

        async with asyncio.timeout(5):
            while not await is_refused():
                await asyncio.sleep(0.05)
        living.send('[2,"1","Heartbeat",{}]')
        assert b"currentTime" in (await living.receive())[1]
        writer.close()


@pytest.mark.parametrize(
    ("profile", "tls", "shows", "status"),
    [
        (0, False, "nothing", 101),
        (1, False, "password", 101),
        (1, True, "password", 101),
        (1, True, "certificate", 401),
        (2, False, "password", 403),
        (2, False, "nothing", 401),
        (2, True, "password", 101),
        (2, True, "certificate", 401),
        (3, False, "password", 403),
        (3, True, "password", 403),
        (3, True, "certificate", 101),
        (3, True, "both", 101),
        (3, True, "nothing", 401),
    ],
)
async def test_a_connection_that_does_not_use_the_stations_profile_is_refused(
    authority: Authority, profile: int, tls: bool, shows: str, status: int
) -> None:
    access = LOCKED.model_copy(update={"security_profile": profile})
    headers = {"Authorization": basic("CS1", b"secret")} if shows in {"password", "both"} else {}
    certificate = authority.issue("CS1") if shows in {"certificate", "both"} else None
    async with secured(authority, CS1=access) as e:
        if tls:
            got: int | str = await dial(e, client(authority, certificate), **headers)
        else:
            async with RawSocket.dialled(e.communication.port) as socket:
                got, _ = await socket.upgrade("CS1", **headers)

        assert got == status
        if status == 403:
            [told] = await e.hears(IncidentNoticed)
            assert told.kind is IncidentKind.PROFILE_REFUSED
        elif status == 101:
            [event] = await e.hears(StationConnected)
            assert event.security_profile == profile


async def test_while_a_profile_is_raised_both_are_taken_and_the_higher_is_told(authority: Authority) -> None:
    moving = PASSWORD_TLS.model_copy(update={"accepted_profiles": (2, 3)})
    async with secured(authority, CS1=moving) as e:
        both = client(authority, authority.issue("CS1"))
        assert await dial(e, client(authority), Authorization=basic("CS1", b"secret")) == 101
        assert await dial(e, both, Authorization=basic("CS1", b"secret")) == 101
        assert [event.security_profile for event in await e.hears(StationConnected, 2)] == [2, 3]


async def test_either_way_in_can_be_switched_off(authority: Authority) -> None:
    tls: dict[str, Any] = {"port": 0, "certificate_files": str(authority.server().file)}
    modules = fakes()
    async with edge(modules=modules, ocpp_tls=tls, ocpp_plain=False) as e:
        assert e.communication.port == 0
        assert await dial(e, client(authority)) == 101
    async with edge(modules=modules) as e:
        await until(lambda: e.communication.port)
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", e.communication.tls_port)


async def test_an_operators_change_of_the_certificate_holds_at_once(authority: Authority) -> None:
    async with secured(authority, CS1=CERTIFICATE) as e:
        shown = client(authority, authority.issue("CS1"))
        assert await dial(e, shown) == 101
        e.modules.access["CS1"] = CERTIFICATE.model_copy(update={"certificate_common_name": "SN-1"})
        await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))
        assert await dial(e, shown) == 401
