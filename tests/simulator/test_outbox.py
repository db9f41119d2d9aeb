"""The rules of the transaction queue, without a socket."""

from simulator.call import OutgoingCall, message
from simulator.ledger import Ledger
from simulator.outbox import TransactionQueue
from simulator.outcome import LINK_LOST, TIMEOUT, Answered, Refused, Unanswered
from simulator.variables import Settings

REFUSED = Refused("InternalError", "")


def a_queue(*names: str, **options: bool) -> tuple[TransactionQueue, list[OutgoingCall], Ledger]:
    ledger = Ledger()
    settings = Settings(message_attempts=3, message_retry_s=60)
    queue = TransactionQueue(settings, on_discard=ledger.discarded, **options)
    calls = [OutgoingCall(message("MeterValues", {}), name) for name in names]
    for call in calls:
        queue.append(call)
    return queue, calls, ledger


def test_the_waits_of_the_specifications_example_are_60_and_120_seconds() -> None:
    queue, [stop, behind], ledger = a_queue("stop", "behind")
    queue.settle(stop, REFUSED, now=0)
    assert (queue.due(59.9), queue.due(60)) == (None, stop)
    queue.settle(stop, Unanswered(TIMEOUT), now=60)
    assert (queue.due(179.9), queue.due(180)) == (None, stop)
    queue.settle(stop, REFUSED, now=180)

    assert queue.due(180) is behind
    assert ledger.counts["discarded"] == 1


def test_a_lost_link_keeps_the_head_for_ever() -> None:
    queue, [first, _], ledger = a_queue("first", "second")
    for now in range(50):
        queue.settle(first, Unanswered(LINK_LOST), now=now)

    assert queue.due(50) is first
    assert first.attempts == 0
    assert ledger.counts["discarded"] == 0


def test_an_answer_lets_the_next_go_at_once() -> None:
    queue, [first, second], _ = a_queue("first", "second")
    queue.settle(first, Answered({}), now=5)

    assert queue.due(5) is second
    assert not queue.empty.is_set()
    queue.settle(second, Answered({}), now=5)
    assert queue.empty.is_set()


def test_a_lost_link_may_cost_an_attempt() -> None:
    queue, [first], ledger = a_queue("first", count_lost_links=True)
    for now in (0, 1, 2):
        queue.settle(first, Unanswered(LINK_LOST), now=now)

    assert len(queue) == 0
    assert ledger.counts["discarded"] == 1
