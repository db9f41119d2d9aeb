"""What each service may do at the broker, as RabbitMQ's permissions: regular expressions of names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared_contracts import edge
from shared_contracts.amqp.topology import Topology, word


@dataclass(frozen=True, slots=True)
class Rights:
    """Which names a user may declare or delete, write to (publish, lead into), and read (consume, lead from).

    `events_published` are the routing keys that it may give to events, `events_heard` the patterns that it may bind.
    """

    configure: str
    write: str
    read: str
    events_published: str = ".*"
    events_heard: str = ".*"


def of_management(topology: Topology) -> Rights:
    """Everything under the prefix; the default exchange is for replies."""
    own = re.escape(topology.prefix)
    return Rights(f"^{own}\\..*$", f"^({own}\\..*|amq\\.default)$", f"^{own}\\..*$")


def of_communication(topology: Topology, name: str = "communication") -> Rights:
    """Queues of its own connections, the requests and the events that are its to say, and commands to read.

    It may have any station's commands led to it: which stations it holds is for it to say.
    """
    own = f"{re.escape(topology.prefix)}\\.(answers|listeners|pods|replies)\\.{re.escape(name)}\\.[0-9a-f]+"
    said = (topology.events, topology.edge, topology.answers)
    heard = (topology.events, topology.stations, topology.answers)
    return Rights(
        configure=f"^{own}$",
        write=f"^({own}|{_any_of(said)})$",
        read=f"^({own}|{_any_of(heard)})$",
        events_published=f"^(s[0-9]+(\\.{edge.EVENTS_OWNER}-[a-z0-9_-]+)+|probe-[a-z0-9_-]+\\.s[0-9]+)$",
        events_heard=f"^\\*\\.#\\.({_any_of(map(word, sorted(edge.HEARD)))})\\.#$",
    )


def _any_of(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names))
