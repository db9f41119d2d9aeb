import pytest

from communication_service.ocpp.errors import Fault, Refusal, wire_code
from communication_service.ocpp.versions import Version

COMMON = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "PropertyConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}


def test_1_6_keeps_its_two_misspelt_codes_and_knows_no_code_of_2_x() -> None:
    """OCPP-J 1.6 §4.2.3, with errata §5.1 and §5.2."""
    codes = {wire_code(fault, Version.V16) for fault in Fault}
    assert codes == COMMON | {"FormationViolation", "OccurenceConstraintViolation"}


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_2_x_has_the_codes_of_its_table(version: Version) -> None:
    """OCPP-J 2.0.1 §4.3."""
    codes = {wire_code(fault, version) for fault in Fault}
    assert codes == COMMON | {
        "FormatViolation",
        "OccurrenceConstraintViolation",
        "MessageTypeNotSupported",
        "RpcFrameworkError",
    }


def test_a_description_is_cut_to_255_characters() -> None:
    assert Refusal(Fault.INTERNAL, "x" * 255).description == "x" * 255
    assert Refusal(Fault.INTERNAL, "x" * 256).description == "x" * 254 + "…"
