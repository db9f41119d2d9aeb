"""How much nonsense a connection may send."""

import time

_MINUTE_S = 60.0


def struck_out(strikes: list[float], most: int) -> bool:
    """Add a strike to those of the last minute; whether there are more than `most` now."""
    now = time.monotonic()
    strikes[:] = [at for at in strikes if at > now - _MINUTE_S] + [now]
    return len(strikes) > most
