"""An authority of our own, for operators who have none: it signs certificates of stations and nothing else.

OCPP would rather have an authority of its own apart from the CSMS (A02.FR.04); for that, leave it unset.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from modules.charge_points.domain.certificates import Wanted

_EARLIER = timedelta(hours=1)
"""Before now, from when a certificate holds: clocks of stations may be late (A02.FR.06)."""
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
"""What RSA signs with (A00.FR.505). No extended key usage is given: OCPP advises against it (A00.FR.514 of 2.1)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A key that signs, its certificate, and those above it that stations need to be sent (without the root)."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    def sign(self, wanted: Wanted, serial: int, now: datetime, lasting: timedelta) -> str:
        """The chain for a request that was found fit, as PEM. What the request wants beside name and key is ignored."""
        organization = [] if wanted.organization is None else [(NameOID.ORGANIZATION_NAME, wanted.organization)]
        names = [(NameOID.COMMON_NAME, wanted.common_name), *organization]
        key = wanted.request.public_key()
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(kind, value) for kind, value in names]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(max(now - _EARLIER, self.certificate.not_valid_before_utc))
            .not_valid_after(min(now + lasting, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_SIGNATURES, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(ours, critical=False)
            .sign(self.key, hashes.SHA256(), rsa_padding=_PSS if isinstance(self.key, rsa.RSAPrivateKey) else None)
        )
        chain = (certificate, *(one for one in (self.certificate, *self.above) if one.subject != one.issuer))
        return "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)


def read_authority(pem: str) -> Authority:
    """Read a private key, its certificate, and those above it. Raises ValueError, which repeats nothing of the key."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        certificate, *above = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, TypeError):
        raise ValueError("not a private key and certificates as PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("the key is neither one of an elliptic curve nor RSA")  # noqa: TRY004 -- pydantic's error
    if key.public_key() != certificate.public_key():
        raise ValueError("the first certificate is not that of the key")
    if not _may_sign(certificate):
        raise ValueError("the first certificate is not one of an authority")
    return Authority(key, certificate, tuple(above))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


_SIGNATURES = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
