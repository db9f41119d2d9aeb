"""Certificates of stations: who one names, and whether it holds. Security whitepaper A00.FR.403 to 405, 429, 702.

TLS of our own has checked the chain by the time one is seen here; what a proxy passes on is checked here alone.
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIST_BEGINS = b"-----BEGIN X509 CRL-----"
_ARMOUR = re.compile(r"-----(BEGIN|END) CERTIFICATE-----|\s")
_ENVOY = re.compile(r'(?:^|[;,])\s*Cert="?([^";,]+)"?', re.IGNORECASE)
_LONGEST = 16 * 1024
_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension)


class CertificateRefused(Exception):
    """The certificate does not hold; the message says why, without anything that the certificate says."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Whom a certificate that holds names. `fingerprint` is the SHA-256 of its DER form in lower-case hexadecimal."""

    common_name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Trust:
    """The authorities whose certificates of stations count, and what they revoked; by the authority's name in DER.

    A certificate must name this `organization` where one is given: an authority may serve several operators.
    """

    authorities: Mapping[bytes, Sequence[x509.Certificate]] = field(default_factory=dict)
    revoked: Mapping[bytes, x509.CertificateRevocationList] = field(default_factory=dict)
    checks_revocation: bool = False
    organization: str | None = None

    @classmethod
    def read(cls, ca_file: str, crl_file: str, organization: str | None = None) -> "Trust":
        """Read PEM files; an empty name is no file. Raises OSError."""
        authorities: dict[bytes, list[x509.Certificate]] = defaultdict(list)
        try:
            for authority in x509.load_pem_x509_certificates(Path(ca_file).read_bytes()) if ca_file else ():
                authorities[authority.subject.public_bytes()].append(authority)
            lists = _lists(Path(crl_file).read_bytes()) if crl_file else ()
        except _UNREADABLE as error:
            raise OSError(f"{ca_file} or {crl_file} cannot be read as PEM ({error})") from error
        return cls(authorities, {one.issuer.public_bytes(): one for one in lists}, bool(crl_file), organization)

    def judge(self, der: bytes, now: datetime, *, chain_checked: bool) -> ClientCertificate:
        """Whom the certificate names. Raises CertificateRefused."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            name = _only(certificate.subject, NameOID.COMMON_NAME)
            owner = _only(certificate.subject, NameOID.ORGANIZATION_NAME)
            if not chain_checked:
                self._check_issuer(certificate, now)
            self._check_validity(certificate, now)
        except _UNREADABLE as error:
            raise CertificateRefused("it cannot be read") from error
        if name is None:
            raise CertificateRefused("it has not one common name")
        if self.organization is not None and owner != self.organization:
            raise CertificateRefused("it does not name our organization")
        return ClientCertificate(name, hashlib.sha256(der).hexdigest())

    def _check_issuer(self, certificate: x509.Certificate, now: datetime) -> None:
        issuers = self.authorities.get(certificate.issuer.public_bytes(), ())
        if not any(_holds(issuer, now) and _issued(issuer, certificate) for issuer in issuers):
            raise CertificateRefused("no authority of ours issued it")
        if not _is_for_clients(certificate):
            raise CertificateRefused("it is not for clients")

    def _check_validity(self, certificate: x509.Certificate, now: datetime) -> None:
        if not _holds(certificate, now):
            raise CertificateRefused("it is out of date")
        if not self.checks_revocation:
            return
        revoked = self.revoked.get(certificate.issuer.public_bytes())
        if revoked is None or (revoked.next_update_utc is not None and revoked.next_update_utc < now):
            raise CertificateRefused("there is no list that says whether it was revoked")
        if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise CertificateRefused("it was revoked")


def forwarded_certificate(header: str) -> bytes | None:
    """The DER form of the station's certificate in what a proxy put into a header; None for what is none.

    PEM, percent-encoded (nginx) or without its first and last line (Traefik, the chain after commas), or the `Cert` of
    X-Forwarded-Client-Cert (Envoy).
    """
    if len(header) > _LONGEST:
        return None
    envoy = _ENVOY.findall(header)
    text = unquote(envoy[-1] if envoy else header).partition("-----END")[0].partition(",")[0]
    try:
        return base64.b64decode(_ARMOUR.sub("", text), validate=True) or None
    except ValueError:
        return None


def _only(subject: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """The text of the one attribute of this kind; None where there is none, or more."""
    values = [attribute.value for attribute in subject.get_attributes_for_oid(oid)]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _lists(pem: bytes) -> Sequence[x509.CertificateRevocationList]:
    return [x509.load_pem_x509_crl(_LIST_BEGINS + part) for part in pem.split(_LIST_BEGINS)[1:]]


def _holds(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages
