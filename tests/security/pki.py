"""Authorities, certificates and revocation lists for tests, written as PEM files."""

import datetime as dt
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, in one PEM file."""

    certificate: x509.Certificate
    file: Path

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


@dataclass
class Authority:
    """Issues what it is asked for, valid or not. Files go into `directory`."""

    directory: Path
    name: str = "Strum test authority"
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.certificate = _sign(_builder(name, name, self.key).add_extension(_authority(), critical=True), self.key)
        self.file = self._write(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *common_names: str,
        key: Key | None = None,
        starts: dt.timedelta = -DAY,
        ends: dt.timedelta = DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        hosts: Sequence[str] = (),
        organizations: Sequence[str] = (),
    ) -> Issued:
        """A certificate; `starts` and `ends` are counted from now."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        owners = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
        name = x509.Name([*owners, *(x509.NameAttribute(NameOID.COMMON_NAME, one) for one in common_names)])
        builder = _builder(name, self.certificate.subject, own, starts, ends)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names = [x509.IPAddress(ip_address(host)) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = _sign(builder, self.key)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return Issued(certificate, self._write(pem + _private(own)))

    def server(self, key: Key | None = None) -> Issued:
        """A certificate for a server on the loopback."""
        return self.issue("localhost", key=key, usage=ExtendedKeyUsageOID.SERVER_AUTH, hosts=["127.0.0.1"])

    def revoke(self, *revoked: Issued, ends: dt.timedelta = DAY) -> Path:
        """A list of what is revoked; a file of its own."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, now - 2 * DAY, now + ends)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder(one.certificate.serial_number, now - DAY).build()
            builder = builder.add_revoked_certificate(entry)
        signed = builder.sign(self.key, hashes.SHA256())
        return self._write(signed.public_bytes(serialization.Encoding.PEM))

    def _write(self, content: bytes) -> Path:
        self.count += 1
        file = self.directory / f"{self.name}-{self.count}.pem".replace(" ", "-")
        file.write_bytes(content)
        return file


def request(*common_names: str, key: Key, organization: str | None = None) -> str:
    """A station's request for a certificate, PEM."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in common_names]
    if organization is not None:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    signed = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@lru_cache(1)
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key; making one takes long."""
    return rsa.generate_private_key(65537, 2048)


def client(authority: Authority, shown: Issued | None = None, *, suites: str | None = None) -> ssl.SSLContext:
    """What a station connects with: it trusts the authority, and shows a certificate or none."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if shown is not None:
        context.load_cert_chain(shown.file)
    if suites is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suites)
    return context


def _authority() -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=True, path_length=None)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, starts: dt.timedelta = -DAY, ends: dt.timedelta = DAY
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
    )


def _sign(builder: x509.CertificateBuilder, key: Key) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())


def _private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
