"""Requests for certificates, and certificates, as X.509 has them: what is read of them, and what is refused."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LONGEST_REQUEST, LONGEST_CHAIN = 5500, 10_000
"""Characters that OCPP allows for a request, and for a certificate with those above it."""

_MOST_CERTIFICATES = 10
_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 224
"""OCPP 2.0.1 and security whitepaper A00.FR.502, 503 (112 bits of strength)."""
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
"""What reading raises, early or late: names and keys are read when they are asked for."""


class Unfit(ValueError):
    """The request or the certificate is refused; the text says why, and is for people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for. `public_key` tells it in words, as "EC secp256r1" or "RSA 2048"."""

    common_name: str
    organization: str | None
    public_key: str
    request: x509.CertificateSigningRequest


def read_request(pem: str, *, common_name: str, organization: str | None) -> Wanted:
    """Read a station's request for a certificate. Raises Unfit.

    It must be signed with the key it is for, the key must be strong enough, and the request name this station alone
    (A00.FR.511), and this organization where one is given (A00.FR.509).
    """
    if len(pem) > LONGEST_REQUEST or "\0" in pem:
        raise Unfit("the request is longer than OCPP allows, or is no text")
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        signed = request.is_signature_valid
        weak = isinstance(request.signature_hash_algorithm, _WEAK_HASHES)
        key = request.public_key()
        named, owner = _one(request.subject, NameOID.COMMON_NAME), _one(request.subject, NameOID.ORGANIZATION_NAME)
    except _UNREADABLE as error:
        raise Unfit("it is no PKCS #10 request in PEM that can be read") from error
    if not signed or weak:
        raise Unfit("it is not signed with the key that it is for")
    if named != common_name:
        raise Unfit("it does not name this station")
    if organization is not None and owner != organization:
        raise Unfit("it does not name this organization")
    return Wanted(common_name, owner, _strong(key), request)


def check_chain(chain: str, request_pem: str, *, common_name: str, now: datetime) -> str:
    """The fingerprint of a certificate that answers the request; `chain` has it first, then those above it.

    Raises Unfit where it is not for the station's key and name, not for clients, not valid now, or where the chain
    does not hold together. Whether the authority is one that is trusted, the pods decide when the station comes.
    """
    if len(chain) > LONGEST_CHAIN or "\0" in chain:
        raise Unfit("the chain is longer than OCPP allows, or is no text")
    certificates = _read_chain(chain)
    leaf = certificates[0]
    wanted = x509.load_pem_x509_csr(request_pem.encode()).public_key()
    try:
        key, named = leaf.public_key(), _one(leaf.subject, NameOID.COMMON_NAME)
    except _UNREADABLE as error:
        raise Unfit("the first certificate cannot be read") from error
    if key != wanted:
        raise Unfit("the first certificate is not for the station's key")
    if named != common_name:
        raise Unfit("the first certificate does not name this station")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise Unfit("the first certificate is not valid now")
    if not _is_for_clients(leaf):
        raise Unfit("the first certificate is not one of a client")
    for lower, upper in pairwise(certificates):
        try:
            lower.verify_directly_issued_by(upper)
        except (*_UNREADABLE, InvalidSignature) as error:
            raise Unfit("a certificate was not issued by the one after it") from error
    return leaf.fingerprint(hashes.SHA256()).hex()


def _read_chain(chain: str) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except _UNREADABLE as error:
        raise Unfit("it is no list of certificates in PEM that can be read") from error
    if len(certificates) > _MOST_CERTIFICATES:
        raise Unfit("the chain has more certificates than anybody needs")
    return certificates


def _is_for_clients(leaf: x509.Certificate) -> bool:
    try:
        extensions = leaf.extensions
    except _UNREADABLE as error:
        raise Unfit("the extensions of the first certificate cannot be read") from error
    for extension in extensions:
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            return False
        if isinstance(extension.value, x509.ExtendedKeyUsage):
            uses = set(extension.value)
            if not uses & {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}:
                return False
    return True


def _one(name: x509.Name, kind: x509.ObjectIdentifier) -> str | None:
    """The attribute, None where it is not there or there several times."""
    found = name.get_attributes_for_oid(kind)
    return str(found[0].value) if len(found) == 1 else None


def _strong(key: object) -> str:
    match key:
        case rsa.RSAPublicKey() if key.key_size >= _LEAST_RSA_BITS:
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() if key.curve.key_size >= _LEAST_EC_BITS:
            return f"EC {key.curve.name}"
        case _:
            raise Unfit("its key is too weak, or of a kind that OCPP does not have")
