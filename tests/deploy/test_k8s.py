"""The manifests render and are what Kubernetes accepts."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from communication_service.settings import CommunicationSettings
from management_service.settings import settings_type
from modules import catalogue
from strum.configuration import refuse_unknown
from tests.deploy.images import commands

DIRECTORY = Path(__file__).parents[2] / "deploy" / "k8s"
EXAMPLE = DIRECTORY / "overlays" / "example"
NEWEST = "1.33"
SECRETS = {
    "strum-management": {"STRUM_DATABASE_URL", "STRUM_AMQP_URL", "STRUM_ADMIN_EMAIL", "STRUM_ADMIN_PASSWORD"},
    "strum-communication": {"STRUM_AMQP_URL"},
}
"""What the operator puts into them, as the kustomization says."""


def _rendered(directory: Path) -> list[dict[str, Any]]:
    """As kubectl renders them; where there is no kubectl, the resources that the kustomizations list, unpatched."""
    kubectl = shutil.which("kubectl")
    if kubectl is not None:
        command = [kubectl, "kustomize", str(directory)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    else:
        text = "\n---\n".join(_listed(directory))
    return [document for document in yaml.safe_load_all(text) if document]


def _listed(directory: Path) -> Iterator[str]:
    for name in yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]:
        if (directory / name).is_dir():
            yield from _listed(directory / name)
        else:
            yield (directory / name).read_text()


@pytest.fixture(scope="module", params=[DIRECTORY, EXAMPLE], ids=["as it is", "example"])
def manifests(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return _rendered(request.param)


def test_every_manifest_is_valid(manifests: list[dict[str, Any]]) -> None:
    for manifest in manifests:
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


def test_a_misspelt_field_would_be_seen(manifests: list[dict[str, Any]]) -> None:
    broken = next(manifest for manifest in manifests if manifest["kind"] == "Deployment")
    broken = {**broken, "spec": {**broken["spec"], "replica": 3}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


def test_both_services_have_all_that_a_rollout_needs(manifests: list[dict[str, Any]]) -> None:
    named = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests}
    for name in ("strum-management", "strum-communication"):
        for kind in ("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"):
            assert (kind, name) in named
    assert any(kind == "Job" for kind, _ in named)
    assert ("Ingress", "strum") in named


def _pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pods = [manifest["spec"]["template"]["spec"] for manifest in manifests if manifest["kind"] in {"Deployment", "Job"}]
    assert len(pods) == 3
    return pods


def _containers(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [container for pod in _pods(manifests) for container in pod["containers"]]


def test_no_container_runs_as_root_or_can_become_it(manifests: list[dict[str, Any]]) -> None:
    for pod in _pods(manifests):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_kubernetes_adds_no_variable_that_looks_like_a_setting(manifests: list[dict[str, Any]]) -> None:
    """Its service links would: STRUM_MANAGEMENT_SERVICE_HOST, which every process of ours refuses."""
    for pod in _pods(manifests):
        assert pod["enableServiceLinks"] is False


def test_a_process_is_given_settings_of_its_own_alone(manifests: list[dict[str, Any]]) -> None:
    maps = {manifest["metadata"]["name"]: manifest["data"] for manifest in manifests if manifest["kind"] == "ConfigMap"}
    for container in _containers(manifests):
        kind = CommunicationSettings if container["args"] == ["communication"] else settings_type()
        own = {f"STRUM_{name.upper()}" for name in kind.model_fields}
        given = [name for source in container["envFrom"] if "configMapRef" in source for name in maps[_name(source)]]
        given += [name for source in container["envFrom"] if "secretRef" in source for name in SECRETS[_name(source)]]
        assert "STRUM_AMQP_URL" in given
        assert {name.partition("__")[0] for name in given} <= own
        refuse_unknown(dict.fromkeys(given, ""), kind)


def _name(source: dict[str, Any]) -> str:
    return str(next(iter(source.values()))["name"])


def test_a_container_runs_a_command_that_is_in_its_image(manifests: list[dict[str, Any]]) -> None:
    for container in _containers(manifests):
        image = "management" if "management" in container["image"] else "communication"
        assert container["args"][0] in commands(image)


def test_what_scales_by_itself_has_no_number_of_replicas_to_fall_back_to(manifests: list[dict[str, Any]]) -> None:
    scaled = {
        manifest["spec"]["scaleTargetRef"]["name"]
        for manifest in manifests
        if "scaleTargetRef" in manifest.get("spec", {})
    }
    assert scaled == {"strum-management", "strum-communication"}
    for manifest in manifests:
        if manifest["kind"] == "Deployment" and manifest["metadata"]["name"] in scaled:
            assert "replicas" not in manifest["spec"]


def test_prometheus_finds_the_metrics_and_the_world_does_not(manifests: list[dict[str, Any]]) -> None:
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            port = manifest["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
            assert int(port) in {exposed["containerPort"] for exposed in container["ports"]}
            probed = container["livenessProbe"]["httpGet"]["port"]
            assert int(port) == next(at["containerPort"] for at in container["ports"] if at["name"] == probed)
    (ingress,) = (manifest for manifest in manifests if manifest["kind"] == "Ingress")
    paths = {(at["path"], at["pathType"]) for rule in ingress["spec"]["rules"] for at in rule["http"]["paths"]}
    assert paths == {("/api", "Prefix"), ("/", "Exact"), ("/ocpp", "Prefix")}


def test_services_and_the_ingress_point_at_ports_that_exist(manifests: list[dict[str, Any]]) -> None:
    by_kind = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}
    for name in ("strum-management", "strum-communication"):
        (container,) = by_kind["Deployment", name]["spec"]["template"]["spec"]["containers"]
        ports = {port["name"] for port in container["ports"]}
        assert {port["targetPort"] for port in by_kind["Service", name]["spec"]["ports"]} <= ports
        assert container["livenessProbe"]["httpGet"]["port"] in ports
    for rule in by_kind["Ingress", "strum"]["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            target = path["backend"]["service"]
            served = by_kind["Service", target["name"]]["spec"]["ports"]
            assert target["port"]["name"] in {port["name"] for port in served}


def test_a_pod_has_the_time_that_its_settings_ask_for_to_end(manifests: list[dict[str, Any]]) -> None:
    settings = CommunicationSettings()
    [pod] = [pod for pod in _pods(manifests) if pod["containers"][0]["args"] == ["communication"]]
    _, pause_s = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    needed_s = int(pause_s) + settings.prestop_s + settings.drain_s + settings.finish_s
    assert pod["terminationGracePeriodSeconds"] >= needed_s + 20, "and closing, and handing over to the broker"


def test_with_a_role_per_module_the_service_does_not_know_the_owner_of_the_database() -> None:
    """What the component's comment lists is all that the modules have, and its patch applies to the job as it is."""
    component = (DIRECTORY / "components" / "database-roles" / "kustomization.yaml").read_text()
    urls = {f"STRUM_{name.upper()}__DATABASE_URL" for name in catalogue.NAMES}
    assert urls <= set(re.findall(r"STRUM_\w+", component))
    (patch,) = yaml.safe_load(component)["patches"]
    (job,) = (document for document in _rendered(DIRECTORY) if document["kind"] == "Job")
    assert job["metadata"]["labels"]["app.kubernetes.io/name"] == patch["target"]["labelSelector"].partition("=")[2]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    arguments, secret = yaml.safe_load(patch["patch"])
    assert container["args"] == ["migrate"]
    assert arguments == {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/args",
        "value": ["migrate", "--roles"],
    }
    assert secret["path"] == "/spec/template/spec/containers/0/envFrom/-"
    assert secret["value"]["secretRef"]["name"] == "strum-migrations"
