"""What is secret in OCPP messages: passwords of stations and networks. OCPP 2.0.1 A01.FR.09 keeps them out of logs."""

from collections.abc import Callable
from typing import Any

MASK = "***"

_VARIABLES = frozenset(
    {"authorizationkey", "basicauthpassword", "apnpassword", "apnsimpin", "simpin", "vpnpassword", "vpnkey"}
)
"""1.6's configuration keys and 2.x's variables (those of networks are 2.1's), without regard to case (CiString)."""
_VALUES = frozenset({"value", "attributevalue", "actualvalue"})
"""Where the value of a variable stands, beside its name or deeper: in `variableAttribute` of NotifyReport."""
_FIELDS = frozenset({"authorizationkey", "basicauthpassword", "apnpassword", "simpin", "password"})
"""Fields of SetNetworkProfile; `key`, a VPN's shared secret, is one too where there is a `server` beside it."""
_DEEPEST = 64


def is_secret(name: object) -> bool:
    """Whether the variable or configuration key of this name holds a secret."""
    return str(name).lower() in _VARIABLES


def without_secrets(node: Any, *, text: Callable[[str], str] = str, secret: bool = False, depth: int = 0) -> Any:
    """The same JSON without secrets; what is nested deeper than any message of OCPP is left out as a whole.

    `text` is done to every text that is not one; `secret` says that `node` belongs to a variable whose value is one.
    """
    if isinstance(node, str):
        return text(node)
    if not isinstance(node, list | dict):
        return node
    if depth > _DEEPEST:
        return MASK
    if isinstance(node, list):
        return [without_secrets(one, text=text, secret=secret, depth=depth + 1) for one in node]
    secret = secret or _names_secret(node)
    hidden = _FIELDS.union(_VALUES if secret else (), ("key",) if "server" in node else ())
    return {
        name: MASK
        if value is not None and name.lower() in hidden
        else without_secrets(value, text=text, secret=secret, depth=depth + 1)
        for name, value in node.items()
    }


def _names_secret(node: dict[str, Any]) -> bool:
    variable = node.get("variable")
    names = (node.get("key"), node.get("name"), variable.get("name") if isinstance(variable, dict) else None)
    return any(map(is_secret, names))
