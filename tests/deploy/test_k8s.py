"""The manifests render and are what Kubernetes accepts."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

DIRECTORY = Path(__file__).parents[2] / "deploy" / "k8s"
NEWEST = "1.33"


def _rendered() -> list[dict[str, Any]]:
    """As kubectl renders them; where there is no kubectl, the resources that the kustomization lists."""
    kubectl = shutil.which("kubectl")
    if kubectl is not None:
        command = [kubectl, "kustomize", str(DIRECTORY)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    else:
        listed = yaml.safe_load((DIRECTORY / "kustomization.yaml").read_text())["resources"]
        text = "\n---\n".join((DIRECTORY / name).read_text() for name in listed)
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    return _rendered()


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


def test_no_container_runs_as_root_or_can_become_it(manifests: list[dict[str, Any]]) -> None:
    pods = [manifest["spec"]["template"]["spec"] for manifest in manifests if manifest["kind"] in {"Deployment", "Job"}]
    assert len(pods) == 3
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


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
