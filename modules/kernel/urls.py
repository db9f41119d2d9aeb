"""URLs that stations are given: they fetch firmware from there, or upload logs to it; we never do."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

_SCHEMES = ("http", "https", "ftp", "ftps", "sftp")


def _transfer_url(location: str) -> str:
    """Any host will do, since the station resolves it, but only the schemes that OCPP names."""
    parts = urlsplit(location)
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname or not location.isprintable() or " " in location:
        raise ValueError(f"a URL with one of the schemes {', '.join(_SCHEMES)}")
    return location


TransferUrl = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_transfer_url)]
"""A URL for a station; it may hold credentials: mask them before it is stored (`kernel.secrets`)."""
