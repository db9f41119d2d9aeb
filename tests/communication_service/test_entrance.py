"""The files that say whom TLS trusts: read at the start, and again when they change."""

import asyncio
from base64 import encodebytes
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from communication_service.app import Communication
from communication_service.entrance import Entrance
from communication_service.incidents import Incidents
from communication_service.settings import CommunicationSettings
from shared_contracts.memory import MemoryBus
from shared_contracts.tls import StationTlsSettings
from tests.communication_service.edge import until
from tests.security.pki import Authority


class LateBroker(MemoryBus):
    """A bus that is not there at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited, self.there = asyncio.Event(), asyncio.Event()
        self.stopped = False

    async def start(self) -> None:
        self.awaited.set()
        await self.there.wait()
        await super().start()

    async def stop(self) -> None:
        self.stopped = True
        await super().stop()


async def test_files_that_change_while_the_broker_is_awaited_are_taken_up(tmp_path: Path) -> None:
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    tls = StationTlsSettings(ca_file=str(first.file), poll_s=0.05)
    bus = LateBroker()
    pod = Communication(CommunicationSettings(ocpp_port=0, health_port=0, ocpp_tls=tls), bus)
    starting = asyncio.create_task(pod.start())
    try:
        await bus.awaited.wait()
        first.file.write_bytes(second.file.read_bytes())
        bus.there.set()
        await starting
        await until(lambda: list(pod._entrance.trust().authorities) == [second.certificate.subject.public_bytes()])
    finally:
        await pod.stop()


async def test_a_pod_that_is_told_to_stop_while_it_awaits_the_broker_stops_awaiting_it() -> None:
    bus = LateBroker()
    pod = Communication(CommunicationSettings(ocpp_port=0, health_port=0), bus)
    starting = asyncio.create_task(pod.start())
    await bus.awaited.wait()
    starting.cancel()
    await asyncio.wait((starting,))
    await pod.stop()
    assert bus.stopped


def test_where_one_file_cannot_be_used_none_is_taken_up(tmp_path: Path) -> None:
    """OpenSSL takes an authority of a version that does not exist."""
    authority = Authority(tmp_path)
    tls = StationTlsSettings(certificate_files=str(authority.server().file), ca_file=str(authority.file))
    settings = CommunicationSettings(ocpp_tls=tls)
    entrance = Entrance(settings, Incidents(MemoryBus(), "pod"))
    entrance.load()
    context, trust = entrance._context, entrance.trust()
    assert context is not None
    before = context._current
    odd = authority.certificate.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05")
    armoured = b"-----BEGIN CERTIFICATE-----\n" + encodebytes(odd) + b"-----END CERTIFICATE-----\n"
    authority.file.write_bytes(armoured)
    entrance.reload()
    assert context._current is before
    assert entrance.trust() is trust
