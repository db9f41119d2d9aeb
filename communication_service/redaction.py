"""Takes the secrets out of frames before they are kept: station passwords, and the credentials in URLs."""

import re

import orjson

from shared_contracts.secrets import MASK, without_secrets

_MENTIONS = ("authorizationkey", "password", "simpin", "vpnkey", '"vpn"', "\\u00")
_BEGIN = r"\b[a-z]{2,6}:(?:\\{0,3}/){2}"
_PLAIN = r'[^/\s"\\@]'
_ESCAPED = r"\\[^/bfnrt@]"
_ESCAPED_TWICE = r'\\u|\\\\(?:\\["\\]|[^/\sbfnrt"\\@])'
_USER_INFO = re.compile(
    rf'(?<!\\")({_BEGIN})(?:(?:{_PLAIN}|{_ESCAPED})*+\\?@)+|(?<=\\")({_BEGIN})(?:(?:{_PLAIN}|{_ESCAPED_TWICE})*+\\?@)+',
    re.IGNORECASE,
)
"""As far as the last `@` before a slash, white space or the quote that ends the text.

A quote that is escaped is of the text. But where one is right before the URL, this is JSON within JSON: there an
escaped one ends it, and one that is escaped twice does not. Nothing is tried in two ways: any frame is read once.
"""


def may_hold_secrets(text: str) -> bool:
    """Whether a frame, or any of several that were joined, needs a closer look."""
    lowered = text.lower()
    return "@" in lowered or any(mention in lowered for mention in _MENTIONS)


def redacted(text: str) -> str:
    """The frame without secrets. One that mentions them and cannot be read is not kept at all."""
    lowered = text.lower()
    if any(mention in lowered for mention in _MENTIONS):
        try:
            text = orjson.dumps(without_secrets(orjson.loads(text))).decode()
        except (ValueError, TypeError, RecursionError):
            return MASK
    return _USER_INFO.sub(rf"\1\2{MASK}@", text) if "@" in text else text
