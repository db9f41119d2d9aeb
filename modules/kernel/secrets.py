"""How secrets of stations are kept and shown."""

import re

from shared_contracts.secrets import MASK, is_secret

_USER_INFO = re.compile(r"([A-Za-z0-9+.-]://)[^/\s?#]+@")
"""Of the scheme its last letter: a whole one would be looked for from each letter of a text on, in hours for 1 MiB."""
_SHORT_MASK = "*"  # no longer than what it replaces: a URL that was short enough stays so


def masked_value(name: str, value: str) -> str:
    """The value of a variable as it may be stored and shown."""
    return MASK if is_secret(name) else without_user_info(value)


def without_user_info(text: str) -> str:
    """The text, with the name and password of every URL in it masked."""
    return _USER_INFO.sub(rf"\1{_SHORT_MASK}@", text)
