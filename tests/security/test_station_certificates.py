"""From a password to a certificate: the station asks, is signed for, and proves itself with it. Whitepaper A02, A05.

The real edge and the real module; the station is a client of our own that makes a key.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from communication_service.ocpp.versions import Version
from shared_contracts.certificates import CertificateInstalled
from shared_contracts.charge_points import StationAccessChanged
from tests.communication_service.edge import Edge, edge
from tests.communication_service.stations import Station
from tests.harness import Running, running
from tests.modules.charge_points.edge import register
from tests.security.pki import Authority, Key, client, request

PASSWORD = "correct horse battery"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"CS1:{PASSWORD}".encode()).decode()}


def private(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class System:
    """The module with an authority of its own, and a pod that trusts it."""

    strum: Running
    pod: Edge
    authority: Authority
    directory: Path

    @asynccontextmanager
    async def station(
        self, version: Version, shown: str | None = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[Station]:
        """A station over TLS that shows this certificate with its key (PEM), or none."""
        context = client(self.authority)
        if shown is not None:
            file = self.directory / "station.pem"
            file.write_text(shown)
            context.load_cert_chain(file)
        url = f"wss://127.0.0.1:{self.pod.communication.tls_port}/ocpp/CS1"
        protocols = (f"ocpp{version}",)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, protocols=protocols, ssl=context, headers=headers) as socket,
        ):
            yield Station(socket)


@asynccontextmanager
async def system(database: str, directory: Path) -> AsyncIterator[System]:
    authority = Authority(directory)
    pem = private(authority.key) + authority.certificate.public_bytes(Encoding.PEM).decode()
    tls = {"port": 0, "certificate_files": str(authority.server().file), "ca_file": str(authority.file)}
    async with running(database, "charge_points", charge_points={"station_authority": pem}) as strum:
        await register(strum, security_profile=2, password=PASSWORD)
        async with edge(bus=strum.bus, keepers="charge_points", ocpp_tls=tls) as pod:  # type: ignore[arg-type]
            yield System(strum, pod, authority, directory)


@pytest.mark.parametrize("version", Version)
async def test_a_station_gets_a_certificate_and_needs_no_password_any_more(
    database: str, tmp_path: Path, version: Version
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    async with system(database, tmp_path) as s:
        async with s.station(version, headers=BASIC) as station:
            asked = {"csr": request("CS1", key=key)} | ({"requestId": 42} if version is Version.V21 else {})
            assert (await station.call("SignCertificate", asked))[2] == {"status": "Accepted"}
            _, _, action, payload = await station.answer({"status": "Accepted"})
            [installed] = await s.strum.hear(CertificateInstalled)
            moved = {"security_profile": 3, "tell_station": False}
            status, _ = await s.strum.api().post("/charging-stations/CS1/security-profile", moved)
            await s.strum.hear(StationAccessChanged, 2)  # registered, moved

        assert (action, status, installed.station_id) == ("CertificateSigned", 200, "CS1")
        assert payload.get("requestId") == asked.get("requestId")
        async with s.station(version, shown=payload["certificateChain"] + private(key)) as station:
            await station.silent()
        await s.strum.hear(StationAccessChanged, 3)  # arrived
        _, seen = await s.strum.api().get("/charging-stations/CS1")
        assert seen["security_profile"] == 3
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with s.station(version, headers=BASIC):
                pass
        assert refused.value.status == 403


async def test_a_station_gets_no_certificate_for_another(database: str, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    async with system(database, tmp_path) as s, s.station(Version.V16, headers=BASIC) as station:
        answer = await station.call("SignCertificate", {"csr": request("CS2", key=key)})
        assert answer[2] == {"status": "Rejected"}
        await station.silent()


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
async def test_certificates_for_iso_15118_are_not_ours_to_sign(database: str, tmp_path: Path, version: Version) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    async with system(database, tmp_path) as s, s.station(version, headers=BASIC) as station:
        asked = {"csr": request("CS1", key=key), "certificateType": "V2GCertificate"}
        assert (await station.call("SignCertificate", asked))[2]["status"] == "Rejected"
