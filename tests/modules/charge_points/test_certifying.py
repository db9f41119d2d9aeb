"""Certificates that stations ask for: what is refused, and how a certificate comes to the station. Whitepaper A02."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared_contracts.certificates import CertificateInstalled, CertificateRequested, RequestCertificate
from shared_contracts.charge_points import CompleteCommand, GetStationAccess, StationAccessChanged
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand, InstallCertificate
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.charge_points.edge import Answer, accepted, attach, register
from tests.security.pki import DAY, Authority, Key, request, rsa_key

SIGNINGS = "/charging-stations/CS1/certificate-signings"
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def answering(outcome: CommandOutcome) -> Answer:
    return lambda _: CommandAnswered(outcome=outcome)


def pem_of(authority: Authority) -> str:
    """The authority as the setting wants it."""
    key = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return key + authority.certificate.public_bytes(Encoding.PEM).decode()


async def asks(strum: Running, csr: str, request_id: int | None = None) -> tuple[bool, str | None]:
    """What a station that sends this request is told."""
    reply = await strum.ask(RequestCertificate(station_id="CS1", csr=csr, request_id=request_id))
    return reply.accepted, reply.reason


async def signings(strum: Running) -> list[dict[str, object]]:
    status, page = await strum.api(Role.VIEWER).get(SIGNINGS)
    assert status == 200
    return list(page["items"])


def small_rsa() -> Key:
    return rsa.generate_private_key(65537, 1024)


def meddled() -> str:
    """A request whose signature is of another one."""
    der = x509.load_pem_x509_csr(request("CS1", key=KEY).encode()).public_bytes(Encoding.DER)
    swapped = bytearray(der)
    swapped[swapped.find(b"CS1")] = ord("D")
    return x509.load_der_x509_csr(bytes(swapped)).public_bytes(Encoding.PEM).decode()


UNFIT: dict[str, Callable[[], str]] = {
    "no PEM": lambda: "certificate, please",
    "too long": lambda: request("CS1", key=KEY) + "\n" * 5500,
    "more than text": lambda: request("CS1", key=KEY) + "\0",
    "another station's name": lambda: request("CS2", key=KEY),
    "a name around it": lambda: request("CS12", key=KEY),
    "two names": lambda: request("CS1", "CS2", key=KEY),
    "no name": lambda: request(key=KEY),
    "not its key's signature": meddled,
    "a weak key": lambda: request("CS1", key=small_rsa()),
    "a key of another kind": lambda: request("CS1", key=ec.generate_private_key(ec.SECP192R1())),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_a_request_that_is_not_fit_is_refused_and_not_kept(database: str, case: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        taken, reason = await asks(strum, UNFIT[case]())

        assert not taken
        assert reason
        assert await signings(strum) == []


async def test_a_request_names_the_organization_that_a_setting_names(database: str) -> None:
    async with running(database, "charge_points", charge_points={"organization": "Example Charging"}) as strum:
        await register(strum)
        assert not (await asks(strum, request("CS1", key=KEY)))[0]
        assert not (await asks(strum, request("CS1", key=KEY, organization="Example")))[0]
        assert (await asks(strum, request("CS1", key=KEY, organization="Example Charging")))[0]


async def test_the_name_is_the_one_that_was_registered_for_the_station(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, security_profile=3, certificate_common_name="SERIAL-7")
        assert not (await asks(strum, request("CS1", key=KEY)))[0]
        assert (await asks(strum, request("SERIAL-7", key=KEY)))[0]


async def test_an_operator_answers_and_the_station_takes_it(database: str, authority: Authority) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        assert (await asks(strum, request("CS1", key=KEY), 42))[0]
        [waiting] = await signings(strum)
        assert (waiting["state"], waiting["public_key"]) == ("requested", "EC secp256r1")
        assert told == []

        issued = authority.issue("CS1", key=KEY)
        path = f"{SIGNINGS}/{waiting['signing_id']}"
        status, after = await strum.api(Role.OPERATOR).post(f"{path}/certificate", {"certificate_chain": issued.pem})

        assert (status, after["state"], after["fingerprint"]) == (200, "installed", issued.fingerprint)
        assert [one.command for one in told] == [InstallCertificate(certificate_chain=issued.pem, request_id=42)]
        assert await strum.api(Role.VIEWER).get(path) == (200, after)
        [asked], [installed] = await strum.hear(CertificateRequested), await strum.hear(CertificateInstalled)
        assert asked.common_name == "CS1"
        assert (installed.signing_id, installed.fingerprint) == (waiting["signing_id"], issued.fingerprint)
        again, _ = await strum.api(Role.OPERATOR).post(f"{path}/certificate", {"certificate_chain": issued.pem})
        assert again == 409


def wrong_chain(case: str, ours: Authority, other: Authority) -> str:
    makers: dict[str, Callable[[], str]] = {
        "no PEM": lambda: "a certificate",
        "another key": lambda: ours.issue("CS1").pem,
        "another name": lambda: ours.issue("CS2", key=KEY).pem,
        "expired": lambda: ours.issue("CS1", key=KEY, starts=-2 * DAY, ends=-DAY).pem,
        "not yet valid": lambda: ours.issue("CS1", key=KEY, starts=DAY, ends=2 * DAY).pem,
        "a server's": lambda: ours.issue("CS1", key=KEY, usage=x509.ExtendedKeyUsageOID.SERVER_AUTH).pem,
        "of another authority": lambda: ours.issue("CS1", key=KEY).pem + other.file.read_text(),
    }
    return makers[case]()


@pytest.mark.parametrize(
    "case",
    ["no PEM", "another key", "another name", "expired", "not yet valid", "a server's", "of another authority"],
)
async def test_a_certificate_that_answers_something_else_is_not_sent(
    database: str, authority: Authority, tmp_path: Path, case: str
) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        await asks(strum, request("CS1", key=KEY))
        [waiting] = await signings(strum)
        chain = wrong_chain(case, authority, Authority(tmp_path, "Another"))
        path = f"{SIGNINGS}/{waiting['signing_id']}/certificate"
        status, problem = await strum.api(Role.OPERATOR).post(path, {"certificate_chain": chain})

        assert (status, problem["errors"][0]["field"]) == (422, "certificate_chain")
        assert told == []
        assert await signings(strum) == [waiting]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (CommandOutcome.REJECTED, "rejected"),
        (CommandOutcome.OFFLINE, "requested"),
        (CommandOutcome.TIMED_OUT, "requested"),
        (CommandOutcome.FAILED, "requested"),
    ],
)
async def test_what_the_station_makes_of_it_decides(
    database: str, authority: Authority, outcome: CommandOutcome, state: str
) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", answering(outcome))
        await asks(strum, request("CS1", key=KEY))
        [waiting] = await signings(strum)
        path = f"{SIGNINGS}/{waiting['signing_id']}/certificate"
        chain = authority.issue("CS1", key=KEY).pem
        _, after = await strum.api(Role.OPERATOR).post(path, {"certificate_chain": chain})

        assert after["state"] == state
        assert (after["ended_at"] is None) == (state == "requested")


async def test_another_request_takes_the_place_of_one_that_waits_and_a_repeated_one_does_not(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        first = request("CS1", key=KEY)
        for _ in range(3):
            await asks(strum, first)
        assert [one["state"] for one in await signings(strum)] == ["requested"]

        await asks(strum, request("CS1", key=ec.generate_private_key(ec.SECP256R1())))
        assert [one["state"] for one in await signings(strum)] == ["requested", "superseded"]


async def test_of_a_station_that_asks_without_end_the_last_twenty_are_kept(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        for _ in range(25):
            await asks(strum, request("CS1", key=ec.generate_private_key(ec.SECP256R1())))
        assert len(await signings(strum)) == 20


@pytest.mark.parametrize("key", [KEY, rsa_key()], ids=["EC", "RSA"])
async def test_our_own_authority_answers_at_once(database: str, tmp_path: Path, key: Key) -> None:
    authority = Authority(tmp_path, key=key)
    settings = {"station_authority": pem_of(authority), "certificate_days": 30, "organization": "Example"}
    async with running(database, "charge_points", charge_points=settings) as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        assert (await asks(strum, request("CS1", key=KEY, organization="Example")))[0]
        [installed] = await strum.hear(CertificateInstalled)
        command = told[0].command
        assert isinstance(command, InstallCertificate)
        [leaf] = x509.load_pem_x509_certificates(command.certificate_chain.encode())

        leaf.verify_directly_issued_by(authority.certificate)
        assert leaf.public_key() == KEY.public_key()
        assert leaf.subject.rfc4514_string() == "O=Example,CN=CS1"
        # the authority itself holds for a day: nothing that it signs holds longer
        assert leaf.not_valid_after_utc == authority.certificate.not_valid_after_utc
        assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
        with pytest.raises(x509.ExtensionNotFound):
            leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert [one["state"] for one in await signings(strum)] == ["installed"]
        assert installed.fingerprint == (await signings(strum))[0]["fingerprint"]


async def test_our_own_authority_tires_of_a_station_that_asks_without_end(database: str, authority: Authority) -> None:
    settings = {"station_authority": pem_of(authority)}
    async with running(database, "charge_points", charge_points=settings) as strum:
        await register(strum)
        taken = [(await asks(strum, request("CS1", key=ec.generate_private_key(ec.SECP256R1()))))[0] for _ in range(12)]
        assert taken == [True] * 10 + [False] * 2


async def test_a_station_known_by_its_fingerprint_is_known_by_the_new_one_afterwards(
    database: str, authority: Authority
) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum, security_profile=3, certificate_fingerprint="ab" * 32)
        await attach(strum, "CS1")
        await asks(strum, request("CS1", key=KEY))
        [waiting] = await signings(strum)
        issued = authority.issue("CS1", key=KEY)
        path = f"{SIGNINGS}/{waiting['signing_id']}/certificate"
        await strum.api(Role.OPERATOR).post(path, {"certificate_chain": issued.pem})
        access = await strum.ask(GetStationAccess(station_id="CS1"))

        assert access.certificate_fingerprint == issued.fingerprint
        assert len(await strum.hear(StationAccessChanged, count=2)) == 2  # registered, and this


async def test_a_late_answer_of_the_station_counts_too(database: str, authority: Authority) -> None:
    told: list[ExecuteCommand] = []

    def late(command: ExecuteCommand) -> CommandAnswered:
        told.append(command)
        return CommandAnswered(outcome=CommandOutcome.TIMED_OUT)

    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", late)
        await asks(strum, request("CS1", key=KEY))
        [waiting] = await signings(strum)
        path = f"{SIGNINGS}/{waiting['signing_id']}/certificate"
        chain = authority.issue("CS1", key=KEY).pem
        await strum.api(Role.OPERATOR).post(path, {"certificate_chain": chain})
        await strum.ask(CompleteCommand(station_id="CS1", command_id=told[0].command_id, answer=accepted(told[0])))
        assert [one["state"] for one in await signings(strum)] == ["installed"]
