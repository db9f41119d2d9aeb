"""1.6 has connectors only, numbered through the station (§3.8); the contracts also know EVSEs."""


def connector_of(evse_id: int | None, connector_id: int | None) -> int | None:
    """The connector that is meant: a 1.6 station is seen as connectors alone, or as EVSEs with one connector each."""
    if connector_id is not None and connector_id > 1:
        return connector_id
    return evse_id or connector_id
