"""Every word a station may answer a command with means something."""

from communication_service.ocpp.verdicts import all_of, any_of, by_status, outcome
from shared_contracts.commands import CommandOutcome, StopCharging

COMMAND = StopCharging(transaction_ref="1")


def test_a_word_that_ocpp_does_not_have_is_invalid() -> None:
    assert outcome("OK") is CommandOutcome.INVALID
    assert outcome(None) is CommandOutcome.INVALID
    assert outcome(["Accepted"]) is CommandOutcome.INVALID


def test_an_answer_keeps_its_word_and_its_payload() -> None:
    answered = by_status(COMMAND, [{"status": "Scheduled", "statusInfo": {"reasonCode": "TxInProgress"}}])
    assert (answered.outcome, answered.status) == (CommandOutcome.ACCEPTED, "Scheduled")
    assert answered.payload == {"status": "Scheduled", "statusInfo": {"reasonCode": "TxInProgress"}}


def test_a_change_of_several_things_is_refused_if_one_is() -> None:
    assert all_of(["Accepted", "Rejected"]) == (CommandOutcome.REJECTED, "Rejected")
    assert all_of(["Accepted", "RebootRequired"]) == (CommandOutcome.ACCEPTED, "RebootRequired")
    assert all_of(["Accepted", "Accepted"]) == (CommandOutcome.ACCEPTED, "Accepted")


def test_reading_is_accepted_if_anything_was_read() -> None:
    assert any_of(["UnknownVariable", "Accepted"]) == (CommandOutcome.ACCEPTED, "Accepted")
    assert any_of(["UnknownComponent"]) == (CommandOutcome.REJECTED, "UnknownComponent")
    assert any_of([]) == (CommandOutcome.ACCEPTED, "Accepted")
