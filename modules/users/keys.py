"""The keys that sign access tokens: ECDSA on P-256 (ES256, RFC 7518 §3.4)."""

from datetime import datetime

from joserfc.jwk import ECKey

from modules.users.domain import SigningKey
from modules.users.settings import read_private


def make_key(now: datetime) -> SigningKey:
    """Make a key pair. Its id is the thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-256")
    return _stored(key, private=key.as_pem(private=True).decode(), now=now)


def supplied_key(pem: str, now: datetime) -> SigningKey:
    """The public half of a key that the operator supplies: its private half is not for our database."""
    return _stored(read_private(pem), private=None, now=now)


def _stored(key: ECKey, *, private: str | None, now: datetime) -> SigningKey:
    kid = key.thumbprint()
    return SigningKey(kid, {**key.as_dict(private=False), "kid": kid, "alg": "ES256", "use": "sig"}, private, now)
