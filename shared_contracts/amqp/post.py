"""Publishing one body on a channel, with every way it can go told apart."""

import asyncio

from aiormq import Channel
from aiormq.exceptions import ChannelInvalidStateError, PublishError
from pamqp.commands import Basic

from shared_contracts.amqp.link import Link, translated
from shared_contracts.bus import BusUnavailable, Unroutable

TRUSTED_FOR = 2
"""When nothing was confirmed for so many timeouts, the connection is not trusted any more."""


class NotSent(BusUnavailable):
    """The body certainly did not leave this process."""


class Post:
    """A channel of the publishing connection; replaced on every connection."""

    def __init__(self, link: Link, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self.channel: Channel | None = None
        self._silent_since: float | None = None

    async def free(self) -> None:
        """Wait until what is published would leave at once, as long as it takes."""
        await self._link.free()

    async def publish(
        self, body: bytes, exchange: str, routing_key: str, properties: Basic.Properties, *, mandatory: bool
    ) -> None:
        """Publish and wait for the confirm; waits for the connection first, as long as it takes.

        Nothing is written while the broker holds publishers back: it would pile up in this process. A connection on
        which nothing is confirmed any more is given up.

        Raises Unroutable, NotSent, or BusUnavailable where the outcome is unknown.
        """
        await self.free()
        assert self.channel is not None, "the link is up"
        try:
            async with asyncio.timeout(self._timeout_s):
                await translated(
                    self.channel.basic_publish(
                        body,
                        exchange=exchange,
                        routing_key=routing_key,
                        properties=properties,
                        mandatory=mandatory,
                        wait=False,
                    )
                )
            self._silent_since = None
        except PublishError as error:
            self._silent_since = None
            raise Unroutable(f"nobody takes {routing_key}") from error
        except ChannelInvalidStateError as error:
            raise NotSent("the channel was closed") from error
        except TimeoutError as error:
            self._doubt()
            raise BusUnavailable(f"not confirmed in {self._timeout_s:g} s") from error
        except Exception as error:
            raise BusUnavailable(f"not confirmed: {error!r}") from error

    def _doubt(self) -> None:
        """A confirm is late: the broker is slow, or nobody is there, and each try would write another copy."""
        now = asyncio.get_running_loop().time()
        if not self._link.usable:
            return  # it is known: the broker holds publishers back
        if self._silent_since is None:
            self._silent_since = now - self._timeout_s
        if now - self._silent_since >= TRUSTED_FOR * self._timeout_s:
            self._silent_since = None
            self._link.drop(f"nothing was confirmed in {TRUSTED_FOR * self._timeout_s:g} s")
