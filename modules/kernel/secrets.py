"""Which settings of a station are secrets, and how they are shown: OCPP 2.0.1 A01.FR.09 keeps passwords out of logs."""

import re

MASK = "*****"

_SECRETS = frozenset(
    {"authorizationkey", "basicauthpassword", "apnpassword", "apnsimpin", "simpin", "vpnpassword", "vpnkey"}
)
_USER_INFO = re.compile(r"([A-Za-z0-9+.-]://)[^/\s?#]+@")
"""Of the scheme its last letter: a whole one would be looked for from each letter of a text on, in hours for 1 MiB."""
_SHORT_MASK = "*"  # no longer than what it replaces: a URL that was short enough stays so


def is_secret(name: str) -> bool:
    """Whether a variable or configuration key of this name holds a secret."""
    return name.lower() in _SECRETS


def masked_value(name: str, value: str) -> str:
    """The value of a variable as it may be stored and shown."""
    return MASK if is_secret(name) else without_user_info(value)


def without_user_info(text: str) -> str:
    """The text, with the name and password of every URL in it masked."""
    return _USER_INFO.sub(rf"\1{_SHORT_MASK}@", text)
