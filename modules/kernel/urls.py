"""URLs that stations are given: they fetch firmware from there, or upload logs to it; we never do."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from modules.kernel.destinations import SCHEMES, host_of


def _transfer_url(location: str) -> str:
    """One of the schemes that OCPP names, and a host; which hosts, is decided where the command is issued."""
    if host_of(location, SCHEMES) is None:
        raise ValueError(f"a URL with one of the schemes {', '.join(SCHEMES)}")
    return location


TransferUrl = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_transfer_url)]
"""A URL for a station; it may hold credentials: mask them before it is stored (`kernel.secrets`)."""
