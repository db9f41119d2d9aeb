"""Certificates that no library expects: refused, or no reason to stop looking at the files."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from communication_service.certificates import CertificateRefused, Trust
from shared_contracts.live_tls import watch_files
from tests.communication_service.edge import until
from tests.security.pki import Authority

VERSION_3, VERSION_6 = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"


@pytest.fixture
def odd(tmp_path: Path) -> bytes:
    """A certificate of a version that does not exist."""
    return Authority(tmp_path).issue("CS1").der.replace(VERSION_3, VERSION_6)


def test_a_certificate_of_an_unknown_version_is_refused(odd: bytes) -> None:
    with pytest.raises(CertificateRefused):
        Trust().judge(odd, datetime.now(UTC), chain_checked=False)


def test_a_file_of_authorities_with_one_of_an_unknown_version_cannot_be_used(odd: bytes, tmp_path: Path) -> None:
    file = tmp_path / "authorities.pem"
    file.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + b64encode(odd) + b"\n-----END CERTIFICATE-----\n")
    with pytest.raises(OSError, match="cannot be read"):
        Trust.read(str(file), "")


async def test_files_are_looked_at_on_though_a_change_could_not_be_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "authorities.pem"
    told: list[bool] = []

    def fail() -> None:
        told.append(file.exists())
        raise RuntimeError("nobody thought of this")

    watching = asyncio.create_task(watch_files([file], fail, every_s=0.01))
    await asyncio.sleep(0)
    try:
        file.write_text("x")
        await until(lambda: told == [True])
        file.unlink()
        await until(lambda: told == [True, False])
    finally:
        watching.cancel()
