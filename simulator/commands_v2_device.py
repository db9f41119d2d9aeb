"""The commands of OCPP 2.x on the device model: variables, reports, monitoring, network profiles."""

from functools import partial
from typing import TYPE_CHECKING

from simulator import actions
from simulator.call import message
from simulator.dialect import Reply
from simulator.frames import Payload
from simulator.meter import stamp
from simulator.variables import Variable

if TYPE_CHECKING:
    from simulator.core import StationCore

REPORT_PAGE = 10


def get_variables(station: "StationCore", payload: Payload) -> Reply:
    """GetVariables, B06."""
    return Reply({"getVariableResult": [_read(station, wanted) for wanted in payload["getVariableData"]]})


def _read(station: "StationCore", wanted: Payload) -> Payload:
    """Return one variable, or why it cannot be read."""
    result: Payload = {"component": wanted["component"], "variable": wanted["variable"]}
    kind = wanted.get("attributeType", "Actual")
    result["attributeType"] = kind
    variable, problem = _find(station, wanted)
    if variable is None:
        return result | {"attributeStatus": problem}
    if kind != "Actual":
        return result | {"attributeStatus": "NotSupportedAttributeType"}
    if variable.write_only:
        return result | {"attributeStatus": "Rejected"}
    return result | {"attributeStatus": "Accepted", "attributeValue": station.store.read(variable)}


def set_variables(station: "StationCore", payload: Payload) -> Reply:
    """SetVariables, B05."""
    return Reply({"setVariableResult": [_write(station, wanted) for wanted in payload["setVariableData"]]})


def _write(station: "StationCore", wanted: Payload) -> Payload:
    """Change one variable, or say why not."""
    result: Payload = {"component": wanted["component"], "variable": wanted["variable"]}
    result["attributeType"] = wanted.get("attributeType", "Actual")
    variable, problem = _find(station, wanted)
    if variable is None:
        return result | {"attributeStatus": problem}
    if result["attributeType"] != "Actual":
        return result | {"attributeStatus": "NotSupportedAttributeType"}
    if variable.readonly or not station.store.write(variable, wanted["attributeValue"]):
        return result | {"attributeStatus": "Rejected"}
    return result | {"attributeStatus": "RebootRequired" if variable.needs_reboot else "Accepted"}


def _find(station: "StationCore", wanted: Payload) -> tuple[Variable | None, str]:
    """Return a variable of the device model, or the status that says what is unknown."""
    component, asked = wanted["component"]["name"], wanted["variable"]
    name = f"{component}/{asked['name']}" + (f"/{asked['instance']}" if "instance" in asked else "")
    if (variable := station.store.find(name)) is not None:
        return variable, "Accepted"
    known = {v.name.split("/")[0].lower() for v in station.store}
    return None, "UnknownVariable" if component.lower() in known else "UnknownComponent"


def get_base_report(station: "StationCore", payload: Payload) -> Reply:
    """GetBaseReport, B07."""
    variables = list(station.store)
    if payload["reportBase"] == "SummaryInventory":
        variables = [v for v in variables if v.name.startswith("ChargingStation/")]
    then = partial(_report, station, payload["requestId"], variables)
    return Reply({"status": "Accepted"}, then)


def get_report(station: "StationCore", payload: Payload) -> Reply:
    """GetReport, B08: the variables that were asked for, or all."""
    variables = list(station.store)
    if (asked := payload.get("componentVariable")) is not None:
        variables = [v for v in variables if any(_matches(v, each) for each in asked)]
    if not variables:
        return Reply({"status": "EmptyResultSet"})
    return Reply({"status": "Accepted"}, partial(_report, station, payload["requestId"], variables))


def _matches(variable: Variable, asked: Payload) -> bool:
    """Whether a variable is among those of a component, or the one variable asked for."""
    component, name = variable.name.split("/")[:2]
    wanted = asked.get("variable", {}).get("name")
    return component == asked["component"]["name"] and wanted in {None, name}


async def _report(station: "StationCore", request_id: int, variables: list[Variable]) -> None:
    """Send the report in pages."""
    pages = [variables[i : i + REPORT_PAGE] for i in range(0, len(variables), REPORT_PAGE)]
    for number, page in enumerate(pages):
        report = {
            "requestId": request_id,
            "generatedAt": stamp(station.clock.now()),
            "seqNo": number,
            "tbc": number < len(pages) - 1,
            "reportData": [_reported(station, variable) for variable in page],
        }
        await station.sender.say(message("NotifyReport", report)).tried.wait()


def _reported(station: "StationCore", variable: Variable) -> Payload:
    """Return a variable as a report shows it."""
    component, name, *instance = variable.name.split("/")
    mutability = "ReadOnly" if variable.readonly else "WriteOnly" if variable.write_only else "ReadWrite"
    attribute: Payload = {"type": "Actual", "mutability": mutability}
    if not variable.write_only:
        attribute["value"] = station.store.read(variable)
    return {
        "component": {"name": component},
        "variable": {"name": name, **({"instance": instance[0]} if instance else {})},
        "variableAttribute": [attribute],
        "variableCharacteristics": {"dataType": variable.kind, "supportsMonitoring": False},
    }


def set_variable_monitoring(station: "StationCore", payload: Payload) -> Reply:
    """SetVariableMonitoring, N04."""
    return Reply({"setMonitoringResult": [_monitor(station, each) for each in payload["setMonitoringData"]]})


def _monitor(station: "StationCore", wanted: Payload) -> Payload:
    """Install one monitor, or say which part of it is unknown."""
    result = {name: wanted[name] for name in ("component", "variable", "type", "severity")}
    variable, problem = _find(station, wanted)
    if variable is None:
        return result | {"status": problem}
    number = wanted.get("id", len(station.memory.monitors) + 1)
    station.memory.monitors[number] = wanted
    return result | {"status": "Accepted", "id": number}


def clear_variable_monitoring(station: "StationCore", payload: Payload) -> Reply:
    """ClearVariableMonitoring, N06."""
    removed = {number: station.memory.monitors.pop(number, None) for number in payload["id"]}
    results = [{"id": n, "status": "NotFound" if old is None else "Accepted"} for n, old in removed.items()]
    return Reply({"clearMonitoringResult": results})


def get_monitoring_report(station: "StationCore", payload: Payload) -> Reply:
    """GetMonitoringReport, N02."""
    monitors = station.memory.monitors
    if not monitors:
        return Reply({"status": "EmptyResultSet"})
    report = {
        "requestId": payload["requestId"],
        "seqNo": 0,
        "generatedAt": stamp(station.clock.now()),
        "monitor": [_monitored(station, number, each) for number, each in monitors.items()],
    }
    return Reply({"status": "Accepted"}, partial(actions.say, station, "NotifyMonitoringReport", report))


def _monitored(station: "StationCore", number: int, monitor: Payload) -> Payload:
    """Return a monitor as a report shows it; 2.1 also tells who installed it."""
    shown = {"id": number, "transaction": monitor.get("transaction", False)}
    shown |= {name: monitor[name] for name in ("value", "type", "severity")}
    if station.dialect.version == "2.1":
        shown["eventNotificationType"] = "CustomMonitor"
    return {
        "component": monitor["component"],
        "variable": monitor["variable"],
        "variableMonitoring": [shown],
    }


def set_monitoring_base(station: "StationCore", payload: Payload) -> Reply:
    """SetMonitoringBase, N07: there are no preconfigured monitors, so any other base clears all."""
    if payload["monitoringBase"] != "All":
        station.memory.monitors.clear()
    return Reply({"status": "Accepted"})


def set_monitoring_level(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - nothing is reported
    """SetMonitoringLevel, N05."""
    return Reply({"status": "Accepted" if 0 <= payload["severity"] <= 9 else "Rejected"})


def set_network_profile(station: "StationCore", payload: Payload) -> Reply:  # noqa: ARG001 - stays where it is
    """SetNetworkProfile, B09: accepted for the slots that NetworkConfigurationPriority may name."""
    return Reply({"status": "Accepted" if payload["configurationSlot"] in {1, 2} else "Rejected"})
