"""Publishing one body on a channel, with every way it can go told apart."""

import asyncio

from aiormq import Channel
from aiormq.exceptions import ChannelInvalidStateError, PublishError
from pamqp.commands import Basic

from shared_contracts.amqp.link import Link, translated
from shared_contracts.bus import BusUnavailable, Unroutable


class NotSent(BusUnavailable):
    """The body certainly did not leave this process."""


class Post:
    """A channel of the publishing connection; replaced on every connection."""

    def __init__(self, link: Link, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self.channel: Channel | None = None

    async def publish(
        self, body: bytes, exchange: str, routing_key: str, properties: Basic.Properties, *, mandatory: bool
    ) -> None:
        """Publish and wait for the confirm; waits for the connection first, as long as it takes.

        Raises Unroutable, NotSent, or BusUnavailable where the outcome is unknown.
        """
        await self._link.up()
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
        except PublishError as error:
            raise Unroutable(f"nobody takes {routing_key}") from error
        except ChannelInvalidStateError as error:
            raise NotSent("the channel was closed") from error
        except Exception as error:
            raise BusUnavailable(f"not confirmed: {error!r}") from error
