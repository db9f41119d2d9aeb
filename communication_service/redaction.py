"""Takes the secrets out of frames before they are kept: station passwords, and the credentials in URLs."""

import re
from typing import Any

import orjson

_SECRET_VARIABLES = frozenset({"authorizationkey", "basicauthpassword"})
"""Configuration keys and variables, compared without regard to case (CiString)."""
_SECRET_FIELDS = frozenset({"basicauthpassword", "apnpassword", "simpin", "password"})
"""Fields of SetNetworkProfile; `key`, a VPN's shared secret, is one too where there is a `server` beside it."""
_MENTIONS = ("authorizationkey", "password", "simpin", '"vpn"', "\\u00")
_USER_INFO = re.compile(r"(\b[a-z]{2,6}:(?:\\?/){2})[^/\s\"\\]*@", re.IGNORECASE)
_HIDDEN = "***"


def may_hold_secrets(text: str) -> bool:
    """Whether a frame, or any of several that were joined, needs a closer look."""
    lowered = text.lower()
    return "@" in lowered or any(mention in lowered for mention in _MENTIONS)


def redacted(text: str) -> str:
    """The frame without secrets. One that mentions them and cannot be read is not kept at all."""
    lowered = text.lower()
    if any(mention in lowered for mention in _MENTIONS):
        try:
            text = orjson.dumps(_without_secrets(orjson.loads(text))).decode()
        except (ValueError, TypeError, RecursionError):
            return _HIDDEN
    return _USER_INFO.sub(rf"\1{_HIDDEN}@", text) if "@" in text else text


def _without_secrets(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_secrets(one) for one in node]
    if not isinstance(node, dict):
        return node
    secret = _secret_fields(node)
    return {name: _HIDDEN if name in secret else _without_secrets(value) for name, value in node.items()}


def _secret_fields(node: dict[str, Any]) -> set[str]:
    """The fields of an object whose values are secret."""
    secret = {name for name in node if name.lower() in _SECRET_FIELDS}
    if str(node.get("key")).lower() in _SECRET_VARIABLES:
        secret.add("value")
    variable = node.get("variable")
    if isinstance(variable, dict) and str(variable.get("name")).lower() in _SECRET_VARIABLES:
        secret.add("attributeValue")
    if "server" in node:
        secret.add("key")
    return secret & node.keys()
