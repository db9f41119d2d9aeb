"""Which vendor-specific data is taken (OCPP 1.6 §4.3, 2.0.1 P02)."""

from collections.abc import Collection, Mapping


def data_status(vendor_id: str, message_id: str | None, taken: Mapping[str, Collection[str]]) -> str:
    """OCPP's verdict on a DataTransfer: `taken` has the vendors that are known, each with its messages.

    Identifiers of OCPP have no case. Data without a message id asks for the vendor alone.
    """
    known = {vendor.casefold(): messages for vendor, messages in taken.items()}
    if vendor_id.casefold() not in known:
        return "UnknownVendorId"
    if message_id is None:
        return "Accepted"
    messages = {message.casefold() for message in known[vendor_id.casefold()]}
    return "Accepted" if message_id.casefold() in messages else "UnknownMessageId"
